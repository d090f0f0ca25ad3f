/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What the kernel tells of its networks (rtnetlink(7)), read only as far as it takes to know whether to look
 * again. TRUE when one of the messages in @data may mean that an address, an interface or a route came or
 * went; also when @data does not parse: then something was said that is not understood. */
gboolean ics_route_messages_matter (const guint8 *data, gsize len);

/* The best gateway of a default route among those read so far. */
typedef struct
{
  gboolean found;
  guint32 address; /* IPv4, in host byte order */
  guint32 metric;
  gboolean complete; /* nothing more will come, for good or for ill */
} IcsRouteGateway;

/* Reads a part of the kernel's answer to RTM_GETROUTE for IPv4: default routes of the main table over
 * @interface that have a gateway. */
void ics_route_messages_find_gateway (const guint8 *data, gsize len, guint interface, IcsRouteGateway *best);

G_END_DECLS
