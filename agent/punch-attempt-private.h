/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/attempt-endpoint.h"
#include "agent/punch-attempt.h"
#include "agent/punch-search.h"
#include "agent/punch-sockets.h"
#include "agent/punch-survey.h"
#include "agent/server-lookup.h"

G_BEGIN_DECLS

/* An attempt searches (punch-attempt.c,
 * punch-offer.c), and carries datagrams over what it has found (punch-traffic.c). */

typedef struct
{
  IcsTraversal parent;

  IcsServerLookup *lookup;
  IcsSockaddr server, source; /* once looked up; the server's address is IPv4 */
  IcsNat64Prefix nat64;       /* of length 0: this host reaches IPv4 by itself */
  IcsPunchSockets *sockets;   /* NULL: before that, and after the end of the search */
  IcsPunchSurvey *survey;
  gboolean surveyed;
  IcsSockaddr mapped; /* outside address of a socket, once surveyed */
  IcsPunchSearch *search;
  guint first, n_sockets; /* those of the search */
  gboolean told_end;
  gint64 limit_at;

  IcsAttemptEndpoint udp; /* once found */
} IcsPunchAttempt;

/* punch-attempt.c */
void ics_punch_attempt_fail (IcsPunchAttempt *self, const char *why);
/* Takes what comes from now on. */
void ics_punch_attempt_make_search (IcsPunchAttempt *self);
void ics_punch_attempt_start_search (IcsPunchAttempt *self, gint64 now);

/* punch-offer.c: the survey, and the candidates that it leads to */
void ics_punch_offer_start (IcsPunchAttempt *self, gint64 now);
void ics_punch_offer_drive (IcsPunchAttempt *self, gint64 now);
/* End of candidates, said once. */
void ics_punch_offer_end (IcsPunchAttempt *self);

/* punch-traffic.c */

/* Takes over the socket, bound to the pair that the search has found. */
void ics_punch_traffic_start (IcsPunchAttempt *self, int fd, const IcsFlow *found);
IcsSendResult ics_punch_traffic_send_segments (IcsTraversal *traversal, const guint8 *data, gsize len,
                                               gsize segment, gsize *taken);
GInetAddress *ics_punch_traffic_get_base (IcsTraversal *traversal);
void ics_punch_traffic_confirm_consent (IcsTraversal *traversal, gint64 asked_at);
gboolean ics_punch_traffic_get_pair (IcsTraversal *traversal, IcsIcePair *pair);

G_END_DECLS
