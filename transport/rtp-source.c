/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/rtp-source.h"

void
ics_rtp_source_received (IcsRtpSource *self, guint16 sequence, guint wraps)
{
  gint16 ahead = (gint16)(guint16)(sequence - (guint16)self->highest);

  if (!self->begun)
    {
      self->begun = TRUE;
      self->base = sequence;
      self->highest = sequence;
      self->received = 1;
      return;
    }
  if (wraps > 0)
    self->highest = ((self->highest >> 16) + wraps) << 16 | sequence;
  else if (ahead > 0)
    self->highest += (guint64)ahead;
  self->received++;
}

guint64
ics_rtp_source_lost (const IcsRtpSource *self)
{
  guint64 expected = self->begun ? self->highest - self->base + 1 : 0;

  /* Late packets from before the first one make more than was expected. */
  return expected > self->received ? expected - self->received : 0;
}
