/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signaling/frame-queue.h"
#include "signaling/rendezvous.h"

void
ics_frame_queue_init (IcsFrameQueue *self, gsize window)
{
  *self = (IcsFrameQueue){ .window = window };
  g_queue_init (&self->signals);
  g_queue_init (&self->data);
}

void
ics_frame_queue_clear (IcsFrameQueue *self)
{
  g_queue_clear_full (&self->signals, (GDestroyNotify)g_bytes_unref);
  g_queue_clear_full (&self->data, (GDestroyNotify)g_bytes_unref);
  self->signal_bytes = self->data_cost = self->outstanding = 0;
}

gboolean
ics_frame_queue_push_signal (IcsFrameQueue *self, GBytes *frame)
{
  gsize size = g_bytes_get_size (frame);

  if (self->signals.length >= ICS_RV_SIGNAL_QUEUE_MAX || self->signal_bytes + size > ICS_RV_SIGNAL_ALLOWANCE)
    return FALSE;
  g_queue_push_tail (&self->signals, g_bytes_ref (frame));
  self->signal_bytes += size;
  return TRUE;
}

gboolean
ics_frame_queue_push_data (IcsFrameQueue *self, GBytes *frame)
{
  gsize cost = ics_rv_frame_cost (frame);

  if (self->data_cost + cost > self->window)
    return FALSE;
  g_queue_push_tail (&self->data, g_bytes_ref (frame));
  self->data_cost += cost;
  return TRUE;
}

static GBytes *
pop_signal (IcsFrameQueue *self)
{
  GBytes *frame = g_queue_pop_head (&self->signals);

  self->signal_bytes -= g_bytes_get_size (frame);
  self->outstanding += ics_rv_frame_cost (frame);
  return frame;
}

static GBytes *
pop_data (IcsFrameQueue *self)
{
  GBytes *frame = g_queue_pop_head (&self->data);

  self->data_cost -= ics_rv_frame_cost (frame);
  self->outstanding += ics_rv_frame_cost (frame);
  return frame;
}

static gboolean
fits (const IcsFrameQueue *self, GBytes *frame, gsize limit)
{
  return frame != NULL && self->outstanding + ics_rv_frame_cost (frame) <= limit;
}

GBytes *
ics_frame_queue_pop (IcsFrameQueue *self)
{
  if (fits (self, g_queue_peek_head (&self->signals), self->window + ICS_RV_SIGNAL_ALLOWANCE))
    return pop_signal (self);
  if (fits (self, g_queue_peek_head (&self->data), self->window))
    return pop_data (self);
  return NULL;
}

GBytes *
ics_frame_queue_pop_any (IcsFrameQueue *self)
{
  if (!g_queue_is_empty (&self->signals))
    return pop_signal (self);
  if (!g_queue_is_empty (&self->data))
    return pop_data (self);
  return NULL;
}

gboolean
ics_frame_queue_credit (IcsFrameQueue *self, gsize amount)
{
  if (amount > self->outstanding)
    return FALSE;
  self->outstanding -= amount;
  return TRUE;
}

gsize
ics_frame_queue_interrupt (IcsFrameQueue *self)
{
  gsize dropped = self->data_cost;

  g_queue_clear_full (&self->data, (GDestroyNotify)g_bytes_unref);
  self->data_cost = self->outstanding = 0;
  return dropped;
}
