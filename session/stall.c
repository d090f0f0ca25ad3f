/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/stall.h"

void
ics_stall_on_shift (IcsStall *self, gint64 now)
{
  if (self->last_delivery == 0 || now - self->last_delivery > ICS_STALL_FLOWING_US)
    return;
  self->shift = now;
  self->window_end = now + ICS_STALL_WINDOW_US;
}

void
ics_stall_on_delivery (IcsStall *self, gint64 now)
{
  /* The pause that spans the end of the window counts whole: it may be the one the shift made. */
  if (self->shift != 0)
    self->longest = MAX (self->longest, now - self->last_delivery);
  self->last_delivery = now;
}

static gboolean
is_over (const IcsStall *self, gint64 now)
{
  return self->last_delivery > self->shift ? now >= self->window_end
                                           : now >= self->shift + ICS_STALL_LIMIT_US;
}

int
ics_stall_poll (IcsStall *self, gint64 now)
{
  gint64 longest = self->longest;

  if (self->shift == 0 || !is_over (self, now))
    return -1;
  self->shift = 0;
  self->longest = 0;
  return longest > 0 ? (int)MIN (longest / 1000, G_MAXINT) : -1;
}

gint64
ics_stall_next_timeout (const IcsStall *self)
{
  if (self->shift == 0)
    return G_MAXINT64;
  return self->last_delivery > self->shift ? self->window_end : self->shift + ICS_STALL_LIMIT_US;
}
