/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What the kernel tells of its networks (rtnetlink(7)), read only as far as it takes to know whether to look
 * again. TRUE when one of the messages in @data may mean that an address, an interface or a route came or
 * went; also when @data does not parse: then something was said that is not understood. */
gboolean ics_route_messages_matter (const guint8 *data, gsize len);

G_END_DECLS
