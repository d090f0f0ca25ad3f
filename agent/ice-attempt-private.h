/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/attempt-endpoint.h"
#include "agent/consent.h"
#include "agent/gatherer.h"
#include "agent/ice-attempt.h"
#include "agent/nice-leg.h"
#include "agent/port-mapper.h"
#include "agent/turn-inquiry.h"

G_BEGIN_DECLS

/* An attempt finds a pair (ice-attempt.c), with the help of the gateway (ice-mapping.c), carries datagrams
 * over it (ice-traffic.c) and takes it out of libnice's hands (ice-graduation.c). */

typedef struct
{
  IcsTraversal parent;
  IcsNiceLeg *leg;         /* NULL once the endpoint has its sockets for itself */
  IcsGatherer *gatherer;   /* NULL when its time is over */
  IcsTurnInquiry *inquiry; /* while the TURN server is asked why it gave no relay */
  GSource *limit;

  guint n_candidates;
  gboolean started, gathering, gathered;
  gboolean leg_gathered; /* libnice has all its candidates */

  IcsPortMapper *mapper; /* NULL: port mapping is not wanted, or its time is over */
  gboolean mapping;      /* a mapped candidate may come */
  GPtrArray *signalled;  /* char *, the endpoints of all candidates so far */
  GPtrArray *mapped;     /* char *, those that the gateway maps */

  char *selected;   /* the pair as last noted */
  gboolean doubted; /* libnice has given up the selected pair */

  GSource *graduation; /* waits for the pair to be stable */
  gint64 stable_us;
  gint64 pair_since;
  IcsAttemptEndpoint udp; /* after graduation */
  IcsConsent consent;     /* before */
  GSource *consent_timer;
} IcsIceAttempt;

/* ice-attempt.c */
gboolean ics_ice_attempt_wants (IcsIceAttempt *self, const IcsIcePair *pair);
/* TRUE when it was signalled: there is room, and it is not known yet. */
gboolean ics_ice_attempt_signal (IcsIceAttempt *self, const char *type, const char *line,
                                 const char *endpoint);
void ics_ice_attempt_consider_gathered (IcsIceAttempt *self);

/* ice-mapping.c */
void ics_ice_mapping_init (IcsIceAttempt *self);
void ics_ice_mapping_add_socket (IcsIceAttempt *self, const char *endpoint);
void ics_ice_mapping_start (IcsIceAttempt *self);
/* Calls what names an address that a gateway maps by that name. */
void ics_ice_mapping_name_pair (IcsIceAttempt *self, IcsIcePair *pair);

/* ice-graduation.c */
void ics_ice_attempt_graduate (IcsTraversal *traversal, gint64 rtt_us);
void ics_ice_graduation_consider (IcsIceAttempt *self); /* the pair, or libnice's state, has changed */
void ics_ice_graduation_stop (IcsIceAttempt *self);

/* ice-traffic.c */
IcsSendResult ics_ice_attempt_send_segments (IcsTraversal *traversal, const guint8 *data, gsize len,
                                             gsize segment, gsize *taken);
GInetAddress *ics_ice_attempt_get_base (IcsTraversal *traversal);
gboolean ics_ice_attempt_get_pair (IcsTraversal *traversal, IcsIcePair *pair);
void ics_ice_attempt_confirm_consent (IcsTraversal *traversal, gint64 asked_at);
void ics_ice_traffic_start_consent (IcsIceAttempt *self);
void ics_ice_traffic_stop_consent (IcsIceAttempt *self);

G_END_DECLS
