/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/quic-stream-private.h"

/* The I/O thread's side. */

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
  work->pending = ics_quic_stream_unsent (self);
  work->fin_pending = self->tx_end == ICS_STREAM_ENDED && !self->fin_sent;
  work->consumed = self->rx_consumed;
  work->keeps_up = ics_chunk_queue_size (&self->rx) <= self->rx_consumed;
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

gsize
ics_quic_stream_unsent (IcsQuicStream *self)
{
  return (gsize)(self->tx.end - self->tx_sent) + self->writer.len - self->writer.taken;
}

/* A chunk of the waiting writer's, or all when little is left: while that is sent, the writer comes with
 * more. */
static void
take_from_writer (IcsQuicStream *self)
{
  IcsWaitingWriter *writer = &self->writer;
  gsize left = writer->len - writer->taken, kept = ics_chunk_queue_size (&self->tx);
  gsize room = self->tx_room.total > kept ? self->tx_room.total - kept : 0;
  gsize n = MIN (left > ICS_STREAM_WRITE_AHEAD ? ICS_CHUNK_SIZE : left, MAX (room, kept == 0 ? left : 0));

  ics_chunk_queue_append (&self->tx, writer->buf + writer->taken, n);
  writer->taken += n;
  if (writer->taken == writer->len)
    ics_quic_stream_changed (self);
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
  /* Nothing comes after the FIN: a writer that is overtaken by it gets what it wrote so far. */
  if (self->tx_sent == self->tx.end && self->writer.buf != NULL && self->tx_end == ICS_STREAM_OPEN)
    take_from_writer (self);
  data = ics_chunk_queue_peek (&self->tx, self->tx_sent, len);
  *fin = self->tx_end == ICS_STREAM_ENDED && self->tx_sent + *len == self->tx.end;
  return data;
}

/* A byte that is lost again and again keeps all that follows it: the writer must not wait for it while the
 * path has room. */
static void
make_room (IcsQuicStream *self)
{
  gsize kept = (gsize)(self->tx_sent - self->tx.start);

  self->tx_max = MAX (MIN (kept + self->tx_room.unsent, self->tx_room.total), ICS_STREAM_TX_MIN);
  if (self->tx.end - self->tx_sent < self->tx_room.unsent / 2)
    ics_quic_stream_changed (self);
}

gboolean
ics_quic_stream_sent (IcsQuicStream *self, gsize len, gboolean fin, IcsPathKind kind)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->tx_sent += len;
  make_room (self);
  self->sent[kind] += len;
  self->fin_sent = self->fin_sent || fin;
  self->fin_with_data = self->fin_with_data || (fin && len > 0);
  if (self->tx_end != ICS_STREAM_OPEN && self->tx_end != ICS_STREAM_ENDED)
    return FALSE;
  return ics_quic_stream_unsent (self) > 0 || (self->tx_end == ICS_STREAM_ENDED && !self->fin_sent);
}

gboolean
ics_quic_stream_acked (IcsQuicStream *self, guint64 offset, const IcsStreamRoom *room)
{
  GSList *spent;
  gboolean more;

  g_mutex_lock (&self->lock);
  self->tx_room = *room;
  ics_chunk_queue_trim (&self->tx, offset);
  spent = g_steal_pointer (&self->tx.spent);
  make_room (self);
  if (self->fin_with_data && ics_chunk_queue_size (&self->tx) == 0)
    self->fin_acked = TRUE;
  ics_quic_stream_changed (self);
  more = ics_quic_stream_unsent (self) > 0;
  g_mutex_unlock (&self->lock);
  /* Calls the application's functions. */
  g_slist_free_full (spent, (GDestroyNotify)g_bytes_unref);
  return more;
}

void
ics_quic_stream_fin_acked (IcsQuicStream *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (!self->fin_sent || self->fin_acked)
    return;
  self->fin_acked = TRUE;
  ics_quic_stream_changed (self);
}

/* A finished direction that was not acknowledged yet can still be refused or lost. */
void
ics_quic_stream_end_tx (IcsQuicStream *self, IcsStreamEnd how)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->tx_end != ICS_STREAM_OPEN && ics_quic_stream_all_acked (self))
    return;
  self->tx_end = how;
  ics_quic_stream_changed (self);
}
