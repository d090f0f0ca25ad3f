/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/quic-stream-private.h"

#include "base/ics-error.h"

/* The application's side. */

/* What was read is returned to flow control in steps of this size, well below the smallest window. */
#define CREDIT_STEP (32u * 1024)

/* What is less is copied: many small pieces, each with a place of its own, cost more. */
#define LEND_MIN (8u * 1024)

IcsQuicStream *
ics_quic_stream_new (gint64 id, IcsStreamHub *hub)
{
  IcsQuicStream *self = g_new0 (IcsQuicStream, 1);

  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  ics_stream_waiters_init (&self->waiters);
  ics_chunk_queue_init (&self->tx);
  ics_chunk_queue_init (&self->rx);
  self->hub = ics_stream_hub_ref (hub);
  self->id = id;
  self->tx_room = (IcsStreamRoom){ ICS_STREAM_TX_MIN, ICS_STREAM_TX_MAX };
  self->tx_max = ICS_STREAM_TX_MIN;
  return self;
}

IcsQuicStream *
ics_quic_stream_ref (IcsQuicStream *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
ics_quic_stream_unref (IcsQuicStream *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  ics_chunk_queue_clear (&self->tx);
  g_slist_free_full (self->tx.spent, (GDestroyNotify)g_bytes_unref);
  self->rx.held = FALSE;
  ics_chunk_queue_clear (&self->rx);
  ics_stream_waiters_clear (&self->waiters);
  ics_stream_hub_unref (self->hub);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static void
set_end_error (GError **error, IcsStreamEnd end)
{
  switch (end)
    {
    case ICS_STREAM_REFUSED:
      g_set_error_literal (error, ICS_ERROR, ICS_ERROR_REFUSED, "the peer gave the stream up");
      break;
    case ICS_STREAM_LOST:
      g_set_error_literal (error, ICS_ERROR, ICS_ERROR_CLOSED, "the link is closed");
      break;
    case ICS_STREAM_CANCELLED:
    case ICS_STREAM_ENDED:
    case ICS_STREAM_OPEN:
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "the stream is closed");
      break;
    }
}

void
ics_quic_stream_wake_io (IcsQuicStream *self)
{
  ics_stream_hub_push (self->hub, self);
}

gboolean
ics_quic_stream_all_acked (IcsQuicStream *self)
{
  if (self->tx_end != ICS_STREAM_OPEN && self->tx_end != ICS_STREAM_ENDED)
    return TRUE;
  /* The FIN may be acknowledged before data that came before it. */
  return ics_chunk_queue_size (&self->tx) == 0 && (self->tx_end == ICS_STREAM_OPEN || self->fin_acked);
}

/* Those of @condition that have come, where @room is enough for a writer. */
static GIOCondition
ready_of (IcsQuicStream *self, GIOCondition condition, gsize room)
{
  GIOCondition ready = 0;

  if (condition & G_IO_IN
      && (ics_chunk_queue_size (&self->rx) > 0 || self->reader.filled > 0 || self->rx_end != ICS_STREAM_OPEN))
    ready |= G_IO_IN;
  if (condition & G_IO_OUT
      && (self->tx_end != ICS_STREAM_OPEN
          || (self->writer.buf != NULL ? self->writer.taken == self->writer.len
                                       : ics_chunk_queue_size (&self->tx) + room <= self->tx_max)))
    ready |= G_IO_OUT;
  if (condition & G_IO_HUP && ics_quic_stream_all_acked (self))
    ready |= G_IO_HUP;
  return ready;
}

/* Who is told FALSE is woken when it changes. */
static gboolean
is_ready (IcsQuicStream *self, GIOCondition condition)
{
  if (ready_of (self, condition, 1) != 0)
    return TRUE;
  self->wanted |= condition;
  return FALSE;
}

/* A waiting writer is woken once there is room for more than a few packets: each time costs two switches
 * between threads. */
void
ics_quic_stream_changed (IcsQuicStream *self)
{
  GIOCondition come = ready_of (self, self->wanted, MIN (self->tx_max, self->tx_room.unsent) / 4);

  if (come == 0)
    return;
  self->wanted &= ~come;
  g_cond_broadcast (&self->changed);
  ics_stream_waiters_wake (&self->waiters);
}

gboolean
ics_quic_stream_is_ready (IcsQuicStream *self, GIOCondition condition)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return is_ready (self, condition);
}

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  IcsQuicStream *self = user_data;

  g_mutex_lock (&self->lock);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

/* Waits, with the lock held, until @condition has come or cancelled. */
static gboolean
wait_ready (IcsQuicStream *self, GIOCondition condition, gboolean blocking, GCancellable *cancellable,
            GError **error)
{
  gulong handler = 0;

  if (is_ready (self, condition))
    return TRUE;
  if (!blocking)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "the stream would block");
      return FALSE;
    }
  g_mutex_unlock (&self->lock);
  if (cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), self, NULL);
  g_mutex_lock (&self->lock);
  while (!is_ready (self, condition) && !g_cancellable_is_cancelled (cancellable))
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
  if (cancellable != NULL)
    g_cancellable_disconnect (cancellable, handler);
  g_mutex_lock (&self->lock);
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

/* Waits for something to read; of that, what came into @buf meanwhile is in @filled. FALSE: nothing. */
static gboolean
wait_to_read (IcsQuicStream *self, void *buf, gsize len, GCancellable *cancellable, gsize *filled,
              GError **error)
{
  gboolean ready;

  self->reader = (IcsWaitingReader){ .buf = buf, .len = len };
  ready = wait_ready (self, G_IO_IN, TRUE, cancellable, error);
  self->reader.leaving = TRUE;
  /* The I/O thread gives the buffer back when it has read what is there: it waits for nobody. */
  while (self->reader.claimed)
    g_cond_wait (&self->changed, &self->lock);
  *filled = self->reader.filled;
  self->reader = (IcsWaitingReader){ NULL };
  if (!ready && *filled > 0)
    g_clear_error (error);
  return ready || *filled > 0;
}

gssize
ics_quic_stream_read (IcsQuicStream *self, void *buf, gsize len, gboolean blocking, GCancellable *cancellable,
                      GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  gsize taken = 0;

  /* A second reader waits like anybody, with nothing but the queue. */
  if (blocking && self->reader.buf == NULL && len > 0)
    {
      if (!wait_to_read (self, buf, len, cancellable, &taken, error))
        return -1;
    }
  else if (!wait_ready (self, G_IO_IN, blocking, cancellable, error))
    return -1;
  taken += ics_chunk_queue_take (&self->rx, (guint8 *)buf + taken, len - taken);
  if (taken > 0)
    {
      self->rx_consumed += taken;
      if (self->rx_consumed >= CREDIT_STEP || self->rx_end != ICS_STREAM_OPEN)
        ics_quic_stream_wake_io (self);
      return (gssize)taken;
    }
  if (self->rx_end == ICS_STREAM_ENDED || len == 0)
    return 0;
  set_end_error (error, self->rx_end);
  return -1;
}

/* While something is left to send the I/O thread comes back for it. */
static gboolean
is_idle (IcsQuicStream *self)
{
  return self->tx_end == ICS_STREAM_OPEN && ics_quic_stream_unsent (self) == 0;
}

/* Until all of it is taken, or no more will be. */
static gssize
write_directly (IcsQuicStream *self, const void *buf, gsize len, GCancellable *cancellable, GError **error)
{
  gsize taken;

  if (is_idle (self))
    ics_quic_stream_wake_io (self);
  self->writer = (IcsWaitingWriter){ .buf = buf, .len = len };
  if (wait_ready (self, G_IO_OUT, TRUE, cancellable, error) && self->tx_end != ICS_STREAM_OPEN
      && self->writer.taken == 0)
    set_end_error (error, self->tx_end);
  taken = self->writer.taken;
  self->writer = (IcsWaitingWriter){ NULL };
  if (taken > 0)
    g_clear_error (error);
  return taken > 0 ? (gssize)taken : -1;
}

/* Waits for room to write; FALSE when there is none, or nothing can be written any more. */
static gboolean
wait_to_write (IcsQuicStream *self, gboolean blocking, GCancellable *cancellable, GError **error)
{
  if (!wait_ready (self, G_IO_OUT, blocking, cancellable, error))
    return FALSE;
  if (self->tx_end != ICS_STREAM_OPEN)
    {
      set_end_error (error, self->tx_end);
      return FALSE;
    }
  if (is_idle (self))
    ics_quic_stream_wake_io (self);
  return TRUE;
}

gssize
ics_quic_stream_write (IcsQuicStream *self, const void *buf, gsize len, gboolean blocking,
                       GCancellable *cancellable, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  /* What is little, and has not much before it, does not wait. */
  if (blocking && self->writer.buf == NULL && ics_quic_stream_unsent (self) + len > ICS_STREAM_WRITE_AHEAD)
    return write_directly (self, buf, len, cancellable, error);
  if (!wait_to_write (self, blocking, cancellable, error))
    return -1;
  len = MIN (len, self->tx_max - ics_chunk_queue_size (&self->tx));
  ics_chunk_queue_append (&self->tx, buf, len);
  return (gssize)len;
}

gboolean
ics_quic_stream_lend (IcsQuicStream *self, GBytes *bytes, gboolean blocking, GCancellable *cancellable,
                      GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  gsize len;
  const guint8 *data = g_bytes_get_data (bytes, &len);

  if (!wait_to_write (self, blocking, cancellable, error))
    return FALSE;
  if (len < LEND_MIN)
    ics_chunk_queue_append (&self->tx, data, len);
  else
    ics_chunk_queue_append_bytes (&self->tx, bytes);
  return TRUE;
}

void
ics_quic_stream_finish_write (IcsQuicStream *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->tx_end != ICS_STREAM_OPEN)
    return;
  self->tx_end = ICS_STREAM_ENDED;
  ics_quic_stream_changed (self);
  ics_quic_stream_wake_io (self);
}

/* The reader goes away: what it has not read is returned to flow control as if it had. */
static void
drop_rx (IcsQuicStream *self, IcsStreamEnd end)
{
  self->rx_consumed += ics_chunk_queue_size (&self->rx);
  ics_chunk_queue_clear (&self->rx);
  self->rx_end = end;
}

void
ics_quic_stream_stop_read (IcsQuicStream *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->stop = self->stop || self->rx_end == ICS_STREAM_OPEN;
  drop_rx (self, ICS_STREAM_CANCELLED);
  ics_quic_stream_changed (self);
  ics_quic_stream_wake_io (self);
}

void
ics_quic_stream_reset (IcsQuicStream *self, guint64 code)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->reset = TRUE;
  self->reset_code = code;
  drop_rx (self, ICS_STREAM_CANCELLED);
  self->tx_end = ICS_STREAM_CANCELLED;
  ics_quic_stream_changed (self);
  ics_quic_stream_wake_io (self);
}

void
ics_quic_stream_open (IcsQuicStream *self)
{
  gboolean attached;

  g_mutex_lock (&self->lock);
  self->open = TRUE;
  attached = ics_stream_hub_push (self->hub, self);
  g_mutex_unlock (&self->lock);
  if (attached)
    return;
  ics_quic_stream_end_tx (self, ICS_STREAM_LOST);
  ics_quic_stream_end_rx (self, ICS_STREAM_LOST);
}

gint64
ics_quic_stream_get_id (IcsQuicStream *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->id;
}

guint64
ics_quic_stream_get_sent (IcsQuicStream *self, IcsPathKind kind)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->sent[kind];
}

guint64
ics_quic_stream_get_received (IcsQuicStream *self, IcsPathKind kind)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->received[kind];
}

gboolean
ics_quic_stream_is_flushed (IcsQuicStream *self, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->tx_end != ICS_STREAM_OPEN && self->tx_end != ICS_STREAM_ENDED)
    {
      set_end_error (error, self->tx_end);
      return FALSE;
    }
  return ics_quic_stream_all_acked (self);
}

GSource *
ics_quic_stream_create_source (IcsQuicStream *self, GIOCondition condition)
{
  return ics_stream_source_new (self, condition, &self->lock, &self->waiters);
}
