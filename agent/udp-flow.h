/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/sockaddr.h"
#include "agent/stun-peer.h"

G_BEGIN_DECLS

/* Where the peer is: which of this host's sockets and which remote address. It begins as the pair that ICE
 * has selected and follows the peer, when its NAT gives it a new address or when the controlling host
 * nominates another pair, but only to where an authenticated answer came from. Sans-IO: time is monotonic µs.
 */

/* Addresses that are being asked at a time, and how often one is asked: 0.5, 1, 2, 4 s apart. What has not
 * answered by then is forgotten. */
#define ICS_FLOW_CANDIDATES 4
#define ICS_FLOW_CHECK_US (G_USEC_PER_SEC / 2)
#define ICS_FLOW_CHECKS_MAX 5

typedef struct
{
  guint socket;
  IcsSockaddr remote;
} IcsFlow;

typedef enum
{
  ICS_FLOW_CURRENT, /* the datagram is the peer's, as far as an address can tell */
  ICS_FLOW_ASKED,   /* its source is being asked */
  ICS_FLOW_UNKNOWN  /* no: and there are enough of those for now */
} IcsFlowVerdict;

typedef struct
{
  gboolean used;
  IcsFlow flow;
  gboolean authentic; /* the peer's authenticated check came from there */
  gboolean nominated;
  guint n_checks;
  gint64 check_at;
  gint64 checked_at;
  guint8 id[ICS_STUN_ID_LEN];
} IcsFlowCandidate;

typedef struct
{
  IcsFlow current;
  gint64 heard_at;   /* on the current one */
  gint64 settled_at; /* after a move no other address is asked before: a peer that jumps about is not run
                        after */
  IcsFlowCandidate candidates[ICS_FLOW_CANDIDATES];
} IcsFlowTable;

void ics_flow_table_init (IcsFlowTable *self, const IcsFlow *first, gint64 now);

gboolean ics_flow_equal (const IcsFlow *a, const IcsFlow *b);

/* Something came in on @flow. */
IcsFlowVerdict ics_flow_table_heard (IcsFlowTable *self, gint64 now, const IcsFlow *flow);
/* An authenticated check of the peer did; it was answered. */
void ics_flow_table_heard_check (IcsFlowTable *self, gint64 now, const IcsFlow *flow, gboolean nominated);

/* The next address to ask now, or NULL. The caller sends a check there and stores its id in the candidate. */
IcsFlowCandidate *ics_flow_table_poll (IcsFlowTable *self, gint64 now);
/* An authenticated answer to the check @id came in on @flow. TRUE: that is the current one from now on. */
gboolean ics_flow_table_answered (IcsFlowTable *self, gint64 now, const IcsFlow *flow,
                                  const guint8 id[ICS_STUN_ID_LEN]);

/* Earliest time at which poll() has something to say; G_MAXINT64 = never. */
gint64 ics_flow_table_next_timeout (const IcsFlowTable *self);

G_END_DECLS
