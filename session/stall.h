/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How long a shift held up what the application receives: the longest pause between two deliveries around it.
 * Pure.
 *
 * A receiver does not know whether the peer had anything to send. So a pause counts only when data was
 * flowing right before it (several deliveries, one soon after the other), and when it ended soon after the
 * traffic had a path again: what comes later than that was not waiting. */
typedef struct
{
  gint64 last_delivery;
  guint run;    /* deliveries in a row, each within ICS_STALL_GAP_US of the one before */
  gint64 pause; /* the longest one of late, */
  gint64 pause_end;
  gboolean pause_counts; /* which a run came before */
  gboolean active;       /* a shift is being watched */
  gboolean cut;          /* there is no path: the pause lasts as long as it takes */
  gint64 shift;          /* the last one */
  gint64 longest;
} IcsStall;

#define ICS_STALL_RUN 5
#define ICS_STALL_GAP_US (250 * 1000)
/* From the last delivery on the old path to the shift: what it takes to find a path dead. */
#define ICS_STALL_FLOWING_US (2 * G_USEC_PER_SEC)
/* Who follows the peer to another path sees the data first and the shift right after it. */
#define ICS_STALL_LATE_US (100 * 1000)
/* A pause that begins later than this after a shift is not the shift's, */
#define ICS_STALL_AFTER_US (500 * 1000)
/* and neither is one that ends later than this: the recovery of lost data takes a few round trips. */
#define ICS_STALL_SETTLE_US (5 * G_USEC_PER_SEC)
/* Once data flows, the shift is watched until this long after it. */
#define ICS_STALL_WINDOW_US (2 * G_USEC_PER_SEC)

/* The traffic moved. */
void ics_stall_on_shift (IcsStall *self, gint64 now);
/* Its path lives: of interest only after a cut. */
void ics_stall_on_revival (IcsStall *self, gint64 now);
/* The path of the traffic died. */
void ics_stall_on_cut (IcsStall *self, gint64 now);
/* Data of the application's streams was delivered. */
void ics_stall_on_delivery (IcsStall *self, gint64 now);

/* When the watch of a shift is over: its longest pause in ms, else -1. */
int ics_stall_poll (IcsStall *self, gint64 now);
gint64 ics_stall_next_timeout (const IcsStall *self);

G_END_DECLS
