/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How long a shift held up what the application receives: the longest pause between two deliveries around it.
 * Pure. */
typedef struct
{
  gint64 last_delivery; /* 0 = none yet */
  gint64 shift;         /* when the traffic moved; 0 = nothing is being watched */
  gint64 window_end;
  gint64 longest;
} IcsStall;

/* A shift counts only if data was flowing this recently, and is watched this long after it: longer, when
 * nothing has come since, but then without end only if the sender had nothing more to send. */
#define ICS_STALL_FLOWING_US (1 * G_USEC_PER_SEC)
#define ICS_STALL_WINDOW_US (2 * G_USEC_PER_SEC)
#define ICS_STALL_LIMIT_US (60 * G_USEC_PER_SEC)

void ics_stall_on_shift (IcsStall *self, gint64 now);
void ics_stall_on_delivery (IcsStall *self, gint64 now);

/* When the watch of a shift is over: its longest pause in ms, else -1. */
int ics_stall_poll (IcsStall *self, gint64 now);
gint64 ics_stall_next_timeout (const IcsStall *self);

G_END_DECLS
