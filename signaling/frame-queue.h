/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What waits for one member: signals before data, each bounded, let out as far as the member's window allows.
 */
typedef struct
{
  GQueue signals; /* (element-type GBytes) */
  GQueue data;    /* (element-type GBytes) */
  gsize signal_bytes;
  gsize data_cost;
  gsize outstanding; /* let out and not yet credited */
  gsize window;
} IcsFrameQueue;

void ics_frame_queue_init (IcsFrameQueue *self, gsize window);
void ics_frame_queue_clear (IcsFrameQueue *self);

/* FALSE when the signal queue is full: the frame was not taken. */
gboolean ics_frame_queue_push_signal (IcsFrameQueue *self, GBytes *frame);
/* FALSE when the data queue holds a whole window: the frame was not taken. */
gboolean ics_frame_queue_push_data (IcsFrameQueue *self, GBytes *frame);

/* The next frame that the window allows, or NULL. (transfer full) */
GBytes *ics_frame_queue_pop (IcsFrameQueue *self);
/* The next frame regardless of the window. (transfer full) */
GBytes *ics_frame_queue_pop_any (IcsFrameQueue *self);

/* The member has processed @amount; FALSE when it never got that much. */
gboolean ics_frame_queue_credit (IcsFrameQueue *self, gsize amount);

/* The member's connection is gone: waiting data is dropped, signals stay, the next connection starts with a
 * whole window. Returns the cost of the dropped data. */
gsize ics_frame_queue_interrupt (IcsFrameQueue *self);

G_END_DECLS
