/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "session/engine-private.h"
#include "session/leg-kinds.h"
#include "turn-fallback/turn-tunnel.h"

G_BEGIN_DECLS

/* Between the files engine-legs*.c. */

/* One attempt of one leg. */
typedef struct
{
  IcsEngine *engine;
  IcsLeg leg;
  guint number;
  IcsRelays relays; /* who relays, in the turn leg; who opens, in the search leg */
  guint server;     /* place in the listener's list, where the listener relays */
  IcsTraversal *ice;
  IcsTurnTunnel *tunnel; /* to a relay over TCP or TLS; NULL = over UDP */
  IcsCarrier *path;      /* once connected */
  gboolean failed;
  gint64 deadline; /* to prove itself */
} IcsAttempt;

/* engine-legs-attempt.c */

/* NULL when this host takes no part: not wanted, or it has not what it takes. */
IcsAttempt *ics_attempt_start (IcsEngine *self, IcsLeg leg, guint number, const IcsLegRoute *route);
/* @tell: so that the peer ends its part too. */
void ics_attempt_end (IcsAttempt *attempt, gboolean tell);
IcsAttempt *ics_attempt_find (IcsEngine *self, IcsLeg leg, guint number);
IcsAttempt *ics_attempt_of_path (IcsEngine *self, const IcsCarrier *path);
gboolean ics_attempt_is_active (IcsAttempt *attempt);
/* Its path is one between host candidates. */
gboolean ics_attempt_is_lan (IcsAttempt *attempt);
/* The address of the relay on this attempt's path; NULL = none. (transfer full) */
char *ics_attempt_get_relay (IcsAttempt *attempt);
void ics_attempt_tell_over (IcsEngine *self, IcsLeg leg, guint number);
/* The ICE attempt begins to gather. */
void ics_attempt_begin (IcsAttempt *attempt);
/* It has come to nothing, or its path is gone; it ends soon. */
void ics_attempt_fail (IcsAttempt *attempt);

/* engine-legs-tunnel.c */

/* The attempt begins when its relay is reached, and fails when it is not, or not any more. */
void ics_attempt_open_tunnel (IcsAttempt *attempt, const IcsTurnServer *server);

/* engine-legs-servers.c */

/* Fills in who relays and through which server; FALSE when it can not be. */
gboolean ics_servers_configure (IcsEngine *self, IcsLeg leg, const IcsLegRoute *route, IcsIceConfig *config);
/* The joiner's routes for the turn leg; @listener as in ics_leg_routes_relayed(). */
void ics_servers_get_routes (IcsEngine *self, const IcsLegEnd *listener, IcsLegRoutes *routes);
/* What the listener brings. */
void ics_servers_announce (IcsEngine *self);
/* The one that this host asks for its outside address; NULL = none is known. */
const IcsTurnServer *ics_servers_get_stun (IcsEngine *self, IcsLeg leg);

/* engine-search.c */

/* QUIC is up, or the network changed: both hosts learn how their NATs behave, and tell each other. */
void ics_search_look (IcsEngine *self);
void ics_search_stop (IcsEngine *self);
/* What was measured of both NATs. */
void ics_search_add_facts (IcsEngine *self, IcsDirectFacts *facts);
/* Whether an attempt may be made now; it counts. */
gboolean ics_search_begin (IcsEngine *self);
/* An attempt of any leg is over. */
void ics_search_attempt_ended (IcsEngine *self, IcsLeg leg, gboolean found);
/* The joiner: whether there shall be searches. */
void ics_search_handle_timeout (IcsEngine *self, gint64 now);
gint64 ics_search_next_timeout (IcsEngine *self);

/* engine-why.c: what it learns; others than direct attempts are ignored */
void ics_why_attempt_started (IcsEngine *self, IcsLeg leg, const IcsIceConfig *config);
void ics_why_attempt_ended (IcsEngine *self, const IcsAttempt *attempt);
void ics_why_candidate (IcsEngine *self, IcsLeg leg, gboolean own, const char *line);
void ics_why_told_all (IcsEngine *self, IcsLeg leg, gboolean own);
void ics_why_proved (IcsEngine *self, IcsLeg leg);

G_END_DECLS
