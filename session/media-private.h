/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "session/ics-media-channel.h"
#include "transport/media-hub.h"

G_BEGIN_DECLS

G_STATIC_ASSERT (ICS_N_MEDIA_DROP_REASONS == ICS_N_MEDIA_DROPS);
G_STATIC_ASSERT ((int)ICS_MEDIA_DROP_UNREAD == (int)ICS_MEDIA_HUB_UNREAD);
G_STATIC_ASSERT ((int)ICS_MEDIA_DROP_FORGED == (int)ICS_MEDIA_HUB_FORGED);
G_STATIC_ASSERT ((int)ICS_MEDIA_RTCP == (int)ICS_RTP_RTCP);

IcsMediaStatistics *ics_media_statistics_new (const IcsMediaCounters *counters);

/* Signals arrive on the caller's thread-default context. */
IcsMediaChannel *ics_media_channel_new (IcsMediaHub *hub);
IcsMediaHub *ics_media_channel_get_hub (IcsMediaChannel *self);

G_END_DECLS
