/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/ics-types.h"
#include <glib.h>

G_BEGIN_DECLS

/* The rule that chooses the active path: a pure function of facts, policy and its own last answer. Times are
 * monotonic µs; G_MAXINT64 = never. */

/* A better path of the same kind must be better by the larger of the two ... */
#define ICS_CHOOSE_RTT_SHARE 10 /* percent */
#define ICS_CHOOSE_RTT_LEAST (5 * G_TIME_SPAN_MILLISECOND)
/* ... or, at like RTTs, lose this much less, ... */
#define ICS_CHOOSE_LOSS_LEAST 0.05
/* ... for this long without a break, ... */
#define ICS_CHOOSE_DWELL G_TIME_SPAN_SECOND
/* ... and this long after the last move: three paths can each beat the next one in a circle. */
#define ICS_CHOOSE_SIDEWAYS_GAP (10 * G_TIME_SPAN_SECOND)
/* QUIC wants a round trip between two moves of its own will. */
#define ICS_CHOOSE_LEAST_GAP (50 * G_TIME_SPAN_MILLISECOND)

typedef struct
{
  guint id;
  IcsPathKind kind;
  gboolean streamed;    /* over a byte stream, where one lost packet holds up all that follow */
  gboolean living;      /* answers, as far as is known */
  gboolean suspect;     /* living, but an answer is late */
  gboolean proven;      /* has answered often enough to be trusted */
  gint64 held_until;    /* hold-down of a path that died under traffic; lifted when no other path lives */
  gint64 blocked_until; /* a move to it just failed; never lifted */
  gint64 srtt;          /* 0 = unknown */
  double loss;
} IcsPathFacts;

/* The challenger that was ahead at the last call, and since when. */
typedef struct
{
  guint challenger;
  gint64 since;
} IcsChooseMemory;

typedef struct
{
  gint64 now;
  guint allowed;    /* bit mask, 1 << IcsPathKind */
  guint active;     /* 0 = it is gone */
  gboolean broken;  /* the transport cannot use the active path although it answers */
  gint64 last_move; /* when the active path became active */
  IcsChooseMemory memory;
} IcsChooseInput;

typedef struct
{
  guint path; /* 0 = stay */
  gboolean immediate;
  IcsPathReason reason;
  IcsChooseMemory memory; /* for the next call */
  gint64 wake;            /* ask again then, if nothing else happens */
} IcsChoice;

IcsChoice ics_choose (const IcsPathFacts *facts, gsize n_facts, const IcsChooseInput *input);

G_END_DECLS
