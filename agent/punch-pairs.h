/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/udp-flow.h"

G_BEGIN_DECLS

/* The pairs that a search has come upon: each is checked until it is answered, then the controlling host
 * nominates one (RFC 8445 §8.1.1). Sans-IO: time is monotonic µs. */

#define ICS_PUNCH_PAIRS_MAX 8
/* Checks of a pair, and the time between them: 0.1 s doubling up to 0.8 s, 3.9 s in all. */
#define ICS_PUNCH_CHECKS_MAX 8
#define ICS_PUNCH_CHECK_MIN_US (100 * G_TIME_SPAN_MILLISECOND)
#define ICS_PUNCH_CHECK_MAX_US (800 * G_TIME_SPAN_MILLISECOND)

typedef struct
{
  gboolean used;
  IcsFlow flow;
  gboolean nominating; /* the controlling host: it works, and is the one */
  guint n_checks;
  gint64 check_at;
  guint8 ids[ICS_PUNCH_CHECKS_MAX][ICS_STUN_ID_LEN]; /* of the checks since it is nominating or not */
} IcsPunchPair;

typedef struct
{
  gboolean controlling;
  IcsPunchPair items[ICS_PUNCH_PAIRS_MAX];
  IcsFlow selected;
  gboolean is_selected;
} IcsPunchPairs;

void ics_punch_pairs_init (IcsPunchPairs *self, gboolean controlling);

/* An authenticated check came in on @flow; it was answered. */
void ics_punch_pairs_heard (IcsPunchPairs *self, gint64 now, const IcsFlow *flow, gboolean nominated);
/* An authenticated answer to the check @id did. */
void ics_punch_pairs_answered (IcsPunchPairs *self, gint64 now, const IcsFlow *flow,
                               const guint8 id[ICS_STUN_ID_LEN]);

/* Forgets what was asked in vain. */
void ics_punch_pairs_handle_timeout (IcsPunchPairs *self, gint64 now);
/* The next pair to ask now, or NULL; tell ics_punch_pair_asked(). */
IcsPunchPair *ics_punch_pairs_poll (IcsPunchPairs *self, gint64 now);
void ics_punch_pair_asked (IcsPunchPair *pair, gint64 now, const guint8 id[ICS_STUN_ID_LEN]);
gint64 ics_punch_pairs_next_timeout (const IcsPunchPairs *self);

gboolean ics_punch_pairs_is_empty (const IcsPunchPairs *self);
/* NULL: none yet. */
const IcsFlow *ics_punch_pairs_get_selected (const IcsPunchPairs *self);

G_END_DECLS
