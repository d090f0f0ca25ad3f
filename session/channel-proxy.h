/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "signaling/ics-channel.h"

G_BEGIN_DECLS

/* An application's channel, seen from the I/O thread. The channel itself is only ever touched on @context;
 * the proxy only on the I/O thread, from ics_channel_start() on. */
#define ICS_TYPE_CHANNEL_PROXY (ics_channel_proxy_get_type ())
G_DECLARE_FINAL_TYPE (IcsChannelProxy, ics_channel_proxy, ICS, CHANNEL_PROXY, GObject)

IcsChannel *ics_channel_proxy_new (IcsChannel *channel, GMainContext *context);

G_END_DECLS
