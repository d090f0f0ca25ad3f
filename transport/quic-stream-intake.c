/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/quic-stream-private.h"

#include <string.h>

/* The I/O thread's side of what is received. All that arrives together is written without the lock, into
 * space that was taken with it, and becomes visible when the reader is told. A reader that waits gets it in
 * its own buffer: one copy less, and the memory stays in the cache of the thread that writes. */

/* Puts what was written where the readers see it. With the lock held. */
static void
settle (IcsQuicStream *self)
{
  IcsStreamIntake *in = &self->intake;

  if (in->space == NULL)
    return;
  for (guint kind = 0; kind < ICS_N_PATH_KINDS; kind++)
    self->received[kind] += in->by_kind[kind];
  if (in->direct)
    {
      self->reader.filled += in->len;
      self->reader.claimed = FALSE;
      /* It may wait for just this, having been cancelled. */
      g_cond_broadcast (&self->changed);
    }
  else
    ics_chunk_queue_release (&self->rx, in->len);
  if (!in->direct && self->rx_end != ICS_STREAM_OPEN)
    {
      /* The reader went away meanwhile. */
      self->rx_consumed += ics_chunk_queue_size (&self->rx);
      ics_chunk_queue_clear (&self->rx);
      ics_quic_stream_wake_io (self);
    }
  *in = (IcsStreamIntake){ .due = in->due };
}

static void
take_space (IcsQuicStream *self)
{
  IcsStreamIntake *in = &self->intake;
  IcsWaitingReader *reader = &self->reader;

  in->direct = reader->buf != NULL && !reader->leaving && reader->filled < reader->len
               && ics_chunk_queue_size (&self->rx) == 0;
  if (in->direct)
    {
      reader->claimed = TRUE;
      in->space = reader->buf + reader->filled;
      in->room = reader->len - reader->filled;
    }
  else
    in->space = ics_chunk_queue_hold (&self->rx, &in->room);
}

/* FALSE when nobody reads any more. */
static gboolean
has_space (IcsQuicStream *self)
{
  g_autoptr (GMutexLocker) locker = NULL;

  if (self->intake.len < self->intake.room)
    return TRUE;
  locker = g_mutex_locker_new (&self->lock);
  settle (self);
  if (self->rx_end != ICS_STREAM_OPEN)
    return FALSE;
  take_space (self);
  return TRUE;
}

static void
drop (IcsQuicStream *self, gsize len)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->rx_consumed += len;
  ics_quic_stream_wake_io (self);
}

gboolean
ics_quic_stream_received (IcsQuicStream *self, const guint8 *data, gsize len, gboolean fin, IcsPathKind kind)
{
  IcsStreamIntake *in = &self->intake;
  gboolean first = !in->due;

  while (len > 0)
    {
      gsize n;

      if (!has_space (self))
        {
          drop (self, len);
          return FALSE;
        }
      n = MIN (len, in->room - in->len);
      memcpy (in->space + in->len, data, n);
      in->len += n;
      in->by_kind[kind] += n;
      data += n;
      len -= n;
    }
  in->due = TRUE;
  if (fin)
    {
      g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

      settle (self);
      if (self->rx_end == ICS_STREAM_OPEN)
        ics_quic_stream_end_rx_locked (self, ICS_STREAM_ENDED);
    }
  return first;
}

void
ics_quic_stream_tell (IcsQuicStream *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  settle (self);
  self->intake.due = FALSE;
  ics_quic_stream_changed (self);
}

/* What was read and not returned to flow control yet is, in case nobody reads again. */
void
ics_quic_stream_end_rx_locked (IcsQuicStream *self, IcsStreamEnd how)
{
  self->rx_end = how;
  if (self->rx_consumed > 0)
    ics_quic_stream_wake_io (self);
}

void
ics_quic_stream_end_rx (IcsQuicStream *self, IcsStreamEnd how)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  settle (self);
  if (self->rx_end != ICS_STREAM_OPEN)
    return;
  ics_quic_stream_end_rx_locked (self, how);
  ics_quic_stream_changed (self);
}
