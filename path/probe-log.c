/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path/probe-log.h"

static guint64
oldest (const IcsProbeLog *self)
{
  return self->end > ICS_PROBE_LOG_LEN ? self->end - ICS_PROBE_LOG_LEN : 0;
}

static const IcsLoggedProbe *
at (const IcsProbeLog *self, guint64 position)
{
  return &self->probes[position % ICS_PROBE_LOG_LEN];
}

void
ics_probe_log_sent (IcsProbeLog *self, gint64 now, guint64 seq)
{
  self->probes[self->end % ICS_PROBE_LOG_LEN] = (IcsLoggedProbe){ .seq = seq, .sent_at = now };
  self->end++;
}

/* A probe is counted as lost only once a later one was answered, so that the row that leads to a death never
 * makes the path look lossy and the verdict slow. */
static void
count_outcomes (IcsProbeLog *self, gint64 now, IcsQuality *quality)
{
  gint64 rto = ics_quality_rto (quality);

  self->counted = MAX (self->counted, oldest (self));
  while (self->counted < self->row)
    {
      const IcsLoggedProbe *probe = at (self, self->counted);

      if (!probe->answered && now < probe->sent_at + rto)
        return;
      ics_quality_add_outcome (quality, !probe->answered);
      self->counted++;
    }
}

gboolean
ics_probe_log_answer (IcsProbeLog *self, gint64 now, guint64 seq, IcsQuality *quality)
{
  for (guint64 i = oldest (self); i < self->end; i++)
    {
      IcsLoggedProbe *probe = &self->probes[i % ICS_PROBE_LOG_LEN];

      if (probe->seq != seq || probe->answered)
        continue;
      probe->answered = TRUE;
      ics_quality_add_rtt (quality, now - probe->sent_at);
      if (i < self->counted)
        ics_quality_forgive (quality);
      self->row = MAX (self->row, i + 1);
      count_outcomes (self, now, quality);
      return TRUE;
    }
  return FALSE;
}

void
ics_probe_log_skip (IcsProbeLog *self)
{
  self->counted = self->end;
}

const IcsLoggedProbe *
ics_probe_log_row (const IcsProbeLog *self, gint64 since, guint nth)
{
  guint64 first = MAX (self->row, oldest (self));

  while (first < self->end && at (self, first)->sent_at < since)
    first++;
  return first + nth < self->end ? at (self, first + nth) : NULL;
}
