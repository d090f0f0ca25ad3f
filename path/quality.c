/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path/quality.h"

/* RFC 6298 §2.3 */
#define ALPHA_SHIFT 3
#define BETA_SHIFT 2
#define K 4

/* The loss is a mean over about this many probes. */
#define LOSS_MEMORY 32
/* Added to the loss while few samples prove little. */
#define LOSS_DOUBT 0.2

void
ics_quality_add_rtt (IcsQuality *self, gint64 rtt)
{
  rtt = MAX (rtt, 1);
  self->min_rtt = self->min_rtt == 0 ? rtt : MIN (self->min_rtt, rtt);
  if (self->srtt == 0)
    {
      self->srtt = rtt;
      self->rttvar = rtt / 2;
      return;
    }
  self->rttvar += (ABS (self->srtt - rtt) - self->rttvar) / (1 << BETA_SHIFT);
  self->srtt = MAX (self->srtt + (rtt - self->srtt) / (1 << ALPHA_SHIFT), 1);
}

void
ics_quality_reset_rtt (IcsQuality *self)
{
  self->srtt = 0;
  self->rttvar = 0;
  self->min_rtt = 0;
}

static double
gain (const IcsQuality *self)
{
  return 1.0 / CLAMP (self->outcomes, 1, LOSS_MEMORY);
}

void
ics_quality_add_outcome (IcsQuality *self, gboolean lost)
{
  self->outcomes = MIN (self->outcomes + 1, 2 * LOSS_MEMORY);
  self->loss += ((lost ? 1.0 : 0.0) - self->loss) * gain (self);
}

void
ics_quality_forgive (IcsQuality *self)
{
  self->loss = MAX (self->loss - gain (self), 0.0);
}

gint64
ics_quality_rtt (const IcsQuality *self)
{
  return self->srtt > 0 ? self->srtt : ICS_INITIAL_RTT;
}

gint64
ics_quality_rto (const IcsQuality *self)
{
  gint64 var = self->srtt > 0 ? self->rttvar : ICS_INITIAL_RTT / 2;

  return ics_quality_rtt (self) + MAX (K * var, ICS_RTT_GRANULARITY);
}

guint
ics_quality_probes_needed (const IcsQuality *self, double odds, guint least)
{
  double p = MIN (self->loss + LOSS_DOUBT / (self->outcomes + 1), 0.95);
  double chance = 1.0;
  guint n = 0;

  while (chance > odds && n < ICS_MOST_PROBES_NEEDED)
    {
      chance *= p;
      n++;
    }
  return MAX (n, least);
}
