/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The ways in which an attempt of a leg can be made: who takes a relay, and on which server. Pure. */

/* TURN servers tried at a time, over UDP and over a stream (TCP or TLS); of a peer's list no more are looked
 * at. One host that gives TCP and TLS for each of its addresses makes two streams. */
#define ICS_LEG_SERVERS_MAX 3
#define ICS_LEG_STREAMS_MAX 2
/* One hop: three over UDP, three the other way, two streams of each host. Two hops: two over UDP, and over
 * streams two, and two more where one of both is UDP. */
#define ICS_LEG_ROUTES_MAX 16

typedef enum
{
  ICS_RELAYS_NONE, /* the direct leg */
  ICS_RELAYS_JOINER,
  ICS_RELAYS_LISTENER,
  ICS_RELAYS_BOTH
} IcsRelays;

typedef struct
{
  IcsRelays relays;
  guint joiner_server; /* place in that host's list, where it relays; else 0 */
  guint listener_server;
  guint rung; /* 0 = at once */
} IcsLegRoute;

typedef struct
{
  IcsLegRoute items[ICS_LEG_ROUTES_MAX];
  guint len;
} IcsLegRoutes;

/* What a host brings to the relayed leg. */
typedef struct
{
  const char *const *servers; /* TURN URIs without credentials, of each kind the preferred one first; NULL =
                                 none */
  gboolean plain;             /* it may be the host without a relay, which shows its addresses to the other */
} IcsLegEnd;

gboolean ics_relays_include (IcsRelays relays, gboolean joiner);

/* Over TCP or TLS, by its URI (RFC 7065). */
gboolean ics_leg_server_is_stream (const char *uri);

/* The direct leg's only route. */
void ics_leg_routes_direct (IcsLegRoutes *self);
/* @listener: NULL while the joiner does not know it yet. */
void ics_leg_routes_relayed (IcsLegRoutes *self, const IcsLegEnd *joiner, const IcsLegEnd *listener);

G_END_DECLS
