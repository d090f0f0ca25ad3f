/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/stall.h"

void
ics_stall_on_shift (IcsStall *self, gint64 now)
{
  if (self->last_delivery == 0 || now - self->last_delivery > ICS_STALL_FLOWING_US)
    return;
  self->window_end = now + ICS_STALL_WINDOW_US;
}

void
ics_stall_on_delivery (IcsStall *self, gint64 now)
{
  /* The pause that spans the end of the window counts whole: it may be the one the shift made. */
  if (self->window_end != 0)
    self->longest = MAX (self->longest, now - self->last_delivery);
  self->last_delivery = now;
}

int
ics_stall_poll (IcsStall *self, gint64 now)
{
  gint64 longest = self->longest;

  if (self->window_end == 0 || now < self->window_end)
    return -1;
  self->window_end = 0;
  self->longest = 0;
  return longest > 0 ? (int)MIN (longest / 1000, G_MAXINT) : -1;
}

gint64
ics_stall_next_timeout (const IcsStall *self)
{
  return self->window_end != 0 ? self->window_end : G_MAXINT64;
}
