/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/stall.h"

static gboolean
is_late (const IcsStall *self, gint64 now)
{
  return self->pause_counts && now - self->pause_end <= ICS_STALL_LATE_US;
}

static gboolean
begin (IcsStall *self, gint64 now)
{
  gboolean late = is_late (self, now);

  if (!self->active)
    self->active = late || (self->run >= ICS_STALL_RUN && now - self->last_delivery <= ICS_STALL_FLOWING_US);
  if (late)
    self->longest = MAX (self->longest, self->pause);
  return self->active;
}

static void
remember_pause (IcsStall *self, gint64 now, gint64 pause)
{
  if (pause < self->pause && now - self->pause_end <= ICS_STALL_LATE_US)
    return;
  self->pause = pause;
  self->pause_end = now;
  self->pause_counts = self->run >= ICS_STALL_RUN && pause <= ICS_STALL_FLOWING_US;
}

void
ics_stall_on_shift (IcsStall *self, gint64 now)
{
  if (!begin (self, now))
    return;
  self->cut = FALSE;
  self->shift = now;
}

void
ics_stall_on_revival (IcsStall *self, gint64 now)
{
  if (self->active && self->cut)
    ics_stall_on_shift (self, now);
}

void
ics_stall_on_cut (IcsStall *self, gint64 now)
{
  if (!begin (self, now))
    return;
  self->cut = TRUE;
  self->shift = now;
}

void
ics_stall_on_delivery (IcsStall *self, gint64 now)
{
  gint64 pause = now - self->last_delivery;
  gboolean waited = self->last_delivery <= self->shift + ICS_STALL_AFTER_US
                    && (self->cut || now <= self->shift + ICS_STALL_SETTLE_US);

  if (self->active && waited)
    self->longest = MAX (self->longest, pause);
  remember_pause (self, now, pause);
  self->run = pause <= ICS_STALL_GAP_US ? MIN (self->run + 1, ICS_STALL_RUN) : 1;
  self->last_delivery = now;
}

int
ics_stall_poll (IcsStall *self, gint64 now)
{
  gint64 longest = self->longest;

  if (now < ics_stall_next_timeout (self))
    return -1;
  self->active = FALSE;
  self->longest = 0;
  return longest > 0 ? (int)MIN (longest / 1000, G_MAXINT) : -1;
}

gint64
ics_stall_next_timeout (const IcsStall *self)
{
  if (!self->active || self->cut)
    return G_MAXINT64;
  return self->shift + (self->last_delivery > self->shift ? ICS_STALL_WINDOW_US : ICS_STALL_SETTLE_US);
}
