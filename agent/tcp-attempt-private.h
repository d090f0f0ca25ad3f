/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/consent.h"
#include "agent/stun-peer.h"
#include "agent/tcp-attempt.h"
#include "agent/tcp-connection.h"
#include "agent/tcp-gatherer.h"
#include "agent/tcp-race.h"
#include "agent/traversal-class.h"

G_BEGIN_DECLS

/* An attempt exchanges its offer (tcp-attempt.c), runs a race of connections (tcp-attempt-links.c) and
 * carries datagrams over the one that has won (tcp-attempt-traffic.c). */

typedef struct _IcsTcpAttempt IcsTcpAttempt;

typedef struct
{
  IcsTcpAttempt *attempt;
  int fd; /* -1: none of this family */
  guint16 port;
  GSource *source;
} IcsTcpListener;

/* One connection of the race. */
typedef struct
{
  IcsTcpAttempt *attempt;
  guint number;
  IcsTcpConnection *connection;
  IcsSockaddr remote;
  guint8 check_id[ICS_STUN_ID_LEN];
  gboolean checking, nominating; /* that check */
  gint64 checked_at, rtt_us;     /* the quickest answer's; 0: none yet */
} IcsTcpLink;

struct _IcsTcpAttempt
{
  IcsTraversal parent;
  IcsTcpListener listeners[2]; /* IPv4, IPv6 */
  IcsTcpGatherer *gatherer;    /* NULL when its time is over */
  IcsNat64Prefix nat64;        /* once gathered; of length 0: this host reaches IPv4 by itself */
  gboolean started, gathered, said_end;
  IcsStunPeer *stun; /* once the peer's credentials are there */
  IcsTcpRace *race;
  guint n_seen;      /* candidates of the peer that the race knows, or does not need to */
  GArray *targets;   /* guint: their places in the offer */
  GHashTable *links; /* number -> IcsTcpLink */
  IcsTcpLink *selected;
  GSource *timer;
  gint64 limit_at;
  GRand *random;
  IcsConsent consent; /* once selected */
  guint64 dropped;
};

/* tcp-attempt.c */
void ics_tcp_attempt_rearm (IcsTcpAttempt *self);

/* tcp-attempt-links.c */
GHashTable *ics_tcp_links_new (void);
gboolean ics_tcp_links_listen (IcsTcpAttempt *self);
void ics_tcp_links_stop_listening (IcsTcpAttempt *self);
/* The offer has grown. */
void ics_tcp_links_add_targets (IcsTcpAttempt *self);
/* Does what the race says. */
void ics_tcp_links_run (IcsTcpAttempt *self);
void ics_tcp_links_close_all (IcsTcpAttempt *self);

/* tcp-attempt-traffic.c */
IcsSendResult ics_tcp_attempt_send_segments (IcsTraversal *traversal, const guint8 *data, gsize len,
                                             gsize segment, gsize *taken);
GInetAddress *ics_tcp_attempt_get_base (IcsTraversal *traversal);
gboolean ics_tcp_attempt_get_pair (IcsTraversal *traversal, IcsIcePair *pair);
void ics_tcp_attempt_confirm_consent (IcsTraversal *traversal, gint64 asked_at);
/* A frame came in. The link may be gone then. */
void ics_tcp_traffic_take (IcsTcpLink *link, const guint8 *data, gsize len);
void ics_tcp_traffic_check (IcsTcpLink *link, gboolean nominate);
void ics_tcp_traffic_handle_timeout (IcsTcpAttempt *self, gint64 now);

G_END_DECLS
