/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What the probes of one path have taught: round-trip time as RFC 6298 §2 smooths it, and the share of probes
 * lost. Times are µs. */

/* RFC 9002 §6.2.2: kInitialRtt, until the first sample. */
#define ICS_INITIAL_RTT (333 * G_TIME_SPAN_MILLISECOND)
/* RFC 6298 §2: G, the clock granularity; a timer that fires a little early must not make a probe late. */
#define ICS_RTT_GRANULARITY (10 * G_TIME_SPAN_MILLISECOND)
/* Beyond this many a verdict would take too long to be of use. */
#define ICS_MOST_PROBES_NEEDED 40

typedef struct
{
  gint64 srtt; /* 0 = no sample yet */
  gint64 rttvar;
  gint64 min_rtt;
  double loss;
  guint outcomes; /* probes whose fate went into loss */
} IcsQuality;

void ics_quality_add_rtt (IcsQuality *self, gint64 rtt);
/* Forgets the round-trip time, not the loss: after a death the route may be another one. */
void ics_quality_reset_rtt (IcsQuality *self);
void ics_quality_add_outcome (IcsQuality *self, gboolean lost);
/* A probe that was counted as lost got its answer after all. */
void ics_quality_forgive (IcsQuality *self);

gint64 ics_quality_rtt (const IcsQuality *self);
/* How long an answer may take before its probe is late. */
gint64 ics_quality_rto (const IcsQuality *self);
/* The number of probes in a row, at least @least, that a living path loses with a probability below @odds. */
guint ics_quality_probes_needed (const IcsQuality *self, double odds, guint least);

G_END_DECLS
