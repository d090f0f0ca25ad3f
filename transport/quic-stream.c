/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/quic-stream.h"

#include "base/ics-error.h"
#include "transport/stream-source.h"

struct _IcsQuicStream
{
  gatomicrefcount refs;
  GMutex lock;
  GCond changed;
  IcsStreamWaiters waiters;
  IcsStreamHub *hub;
  gint64 id;

  IcsChunkQueue tx;
  guint64 tx_sent;
  gboolean fin_sent;
  gboolean fin_with_data; /* in one frame with the last byte */
  gboolean fin_acked;
  IcsStreamEnd tx_end;

  IcsChunkQueue rx;
  gsize rx_consumed;
  IcsStreamEnd rx_end;

  gboolean open, stop, reset;
  guint64 reset_code;
  guint64 sent[ICS_N_PATH_KINDS];
  guint64 received[ICS_N_PATH_KINDS];
};

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
  ics_chunk_queue_clear (&self->rx);
  ics_stream_waiters_clear (&self->waiters);
  ics_stream_hub_unref (self->hub);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static void
changed (IcsQuicStream *self)
{
  g_cond_broadcast (&self->changed);
  ics_stream_waiters_wake (&self->waiters);
}

static void
wake_io (IcsQuicStream *self)
{
  ics_stream_hub_push (self->hub, self);
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

static gboolean
can_read (IcsQuicStream *self)
{
  return ics_chunk_queue_size (&self->rx) > 0 || self->rx_end != ICS_STREAM_OPEN;
}

static gboolean
can_write (IcsQuicStream *self)
{
  return self->tx_end != ICS_STREAM_OPEN || ics_chunk_queue_size (&self->tx) < ICS_STREAM_TX_MAX;
}

static gboolean
is_flushed (IcsQuicStream *self)
{
  if (self->tx_end != ICS_STREAM_OPEN && self->tx_end != ICS_STREAM_ENDED)
    return TRUE;
  /* The FIN may be acknowledged before data that came before it. */
  return ics_chunk_queue_size (&self->tx) == 0 && (self->tx_end == ICS_STREAM_OPEN || self->fin_acked);
}

gboolean
ics_quic_stream_is_ready (IcsQuicStream *self, GIOCondition condition)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return (condition & G_IO_IN && can_read (self)) || (condition & G_IO_OUT && can_write (self))
         || (condition & G_IO_HUP && is_flushed (self));
}

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  IcsQuicStream *self = user_data;

  g_mutex_lock (&self->lock);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

/* Waits, with the lock held, until @ready or cancelled. */
static gboolean
wait_ready (IcsQuicStream *self, gboolean (*ready) (IcsQuicStream *), gboolean blocking,
            GCancellable *cancellable, GError **error)
{
  gulong handler = 0;

  if (ready (self))
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
  while (!ready (self) && !g_cancellable_is_cancelled (cancellable))
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
  if (cancellable != NULL)
    g_cancellable_disconnect (cancellable, handler);
  g_mutex_lock (&self->lock);
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

gssize
ics_quic_stream_read (IcsQuicStream *self, void *buf, gsize len, gboolean blocking, GCancellable *cancellable,
                      GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  gsize taken;

  if (!wait_ready (self, can_read, blocking, cancellable, error))
    return -1;
  taken = ics_chunk_queue_take (&self->rx, buf, len);
  if (taken > 0)
    {
      self->rx_consumed += taken;
      wake_io (self);
      return (gssize)taken;
    }
  if (self->rx_end == ICS_STREAM_ENDED || len == 0)
    return 0;
  set_end_error (error, self->rx_end);
  return -1;
}

gssize
ics_quic_stream_write (IcsQuicStream *self, const void *buf, gsize len, gboolean blocking,
                       GCancellable *cancellable, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (!wait_ready (self, can_write, blocking, cancellable, error))
    return -1;
  if (self->tx_end != ICS_STREAM_OPEN)
    {
      set_end_error (error, self->tx_end);
      return -1;
    }
  len = MIN (len, ICS_STREAM_TX_MAX - ics_chunk_queue_size (&self->tx));
  ics_chunk_queue_append (&self->tx, buf, len);
  wake_io (self);
  return (gssize)len;
}

void
ics_quic_stream_finish_write (IcsQuicStream *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->tx_end != ICS_STREAM_OPEN)
    return;
  self->tx_end = ICS_STREAM_ENDED;
  changed (self);
  wake_io (self);
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
  changed (self);
  wake_io (self);
}

void
ics_quic_stream_reset (IcsQuicStream *self, guint64 code)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->reset = TRUE;
  self->reset_code = code;
  drop_rx (self, ICS_STREAM_CANCELLED);
  self->tx_end = ICS_STREAM_CANCELLED;
  changed (self);
  wake_io (self);
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
  return is_flushed (self);
}

GSource *
ics_quic_stream_create_source (IcsQuicStream *self, GIOCondition condition)
{
  return ics_stream_source_new (self, condition, &self->lock, &self->waiters);
}

/* --- the I/O side --- */

void
ics_quic_stream_set_id (IcsQuicStream *self, gint64 id)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->id = id;
}

void
ics_quic_stream_get_work (IcsQuicStream *self, IcsStreamWork *work)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  work->id = self->id;
  work->pending = (gsize)(self->tx.end - self->tx_sent);
  work->fin_pending = self->tx_end == ICS_STREAM_ENDED && !self->fin_sent;
  work->consumed = self->rx_consumed;
  work->open = self->open;
  work->stop = self->stop;
  work->reset = self->reset;
  work->reset_code = self->reset_code;
  self->rx_consumed = 0;
  self->open = FALSE;
  if (self->id < 0)
    return; /* QUIC can not be asked yet: it is reported again */
  self->stop = FALSE;
  self->reset = FALSE;
}

const guint8 *
ics_quic_stream_peek_tx (IcsQuicStream *self, gsize *len, gboolean *fin)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  const guint8 *data;

  *len = 0;
  *fin = FALSE;
  if (self->tx_end != ICS_STREAM_OPEN && self->tx_end != ICS_STREAM_ENDED)
    return NULL;
  data = ics_chunk_queue_peek (&self->tx, self->tx_sent, len);
  *fin = self->tx_end == ICS_STREAM_ENDED && self->tx_sent + *len == self->tx.end;
  return data;
}

void
ics_quic_stream_sent (IcsQuicStream *self, gsize len, gboolean fin, IcsPathKind kind)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->tx_sent += len;
  self->sent[kind] += len;
  self->fin_sent = self->fin_sent || fin;
  self->fin_with_data = self->fin_with_data || (fin && len > 0);
}

void
ics_quic_stream_acked (IcsQuicStream *self, guint64 offset)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  ics_chunk_queue_trim (&self->tx, offset);
  if (self->fin_with_data && ics_chunk_queue_size (&self->tx) == 0)
    self->fin_acked = TRUE;
  changed (self);
}

void
ics_quic_stream_fin_acked (IcsQuicStream *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (!self->fin_sent || self->fin_acked)
    return;
  self->fin_acked = TRUE;
  changed (self);
}

void
ics_quic_stream_received (IcsQuicStream *self, const guint8 *data, gsize len, gboolean fin, IcsPathKind kind)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->rx_end != ICS_STREAM_OPEN)
    {
      self->rx_consumed += len;
      wake_io (self);
      return;
    }
  ics_chunk_queue_append (&self->rx, data, len);
  self->received[kind] += len;
  if (fin)
    self->rx_end = ICS_STREAM_ENDED;
  changed (self);
}

void
ics_quic_stream_end_rx (IcsQuicStream *self, IcsStreamEnd how)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->rx_end != ICS_STREAM_OPEN)
    return;
  self->rx_end = how;
  changed (self);
}

/* A finished direction that was not acknowledged yet can still be refused or lost. */
void
ics_quic_stream_end_tx (IcsQuicStream *self, IcsStreamEnd how)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->tx_end != ICS_STREAM_OPEN && is_flushed (self))
    return;
  self->tx_end = how;
  changed (self);
}
