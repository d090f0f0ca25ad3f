/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/quic-conn-private.h"

#define NEWS_WAIT_US 1000
/* Bytes per microsecond from which on it is worth while: 1 Gbit/s, for some time */
#define BULK_RATE 125
#define BULK_US 200

/* The streams of a connection: opening, closing, and serving what the application's threads did with them. */

StreamEntry *
ics_quic_add_stream (IcsQuic *self, gint64 id, IcsQuicStream *stream)
{
  StreamEntry *entry = g_new0 (StreamEntry, 1);

  entry->stream = ics_quic_stream_ref (stream);
  entry->link.data = entry;
  entry->window = ICS_QUIC_STREAM_WINDOW;
  entry->id = id;
  g_hash_table_insert (self->streams, &entry->id, entry);
  return entry;
}

static void
report_acked (IcsQuic *self, StreamEntry *entry)
{
  entry->acked_news = FALSE;
  /* A writer may wait for room, not for the peer's window. */
  if (ics_quic_stream_acked (entry->stream, entry->acked, &self->tx_room) && !entry->blocked)
    ics_quic_queue_stream (self, entry);
}

void
ics_quic_remove_stream (IcsQuic *self, StreamEntry *entry, gboolean lost)
{
  if (entry->news && g_ptr_array_remove_fast (self->news, entry))
    ics_quic_stream_tell (entry->stream);
  if (entry->acked_news && g_ptr_array_remove_fast (self->acked_news, entry))
    report_acked (self, entry);
  if (!lost)
    ics_quic_stream_fin_acked (entry->stream);
  ics_quic_stream_end_tx (entry->stream, lost ? ICS_STREAM_LOST : ICS_STREAM_REFUSED);
  ics_quic_stream_end_rx (entry->stream, lost ? ICS_STREAM_LOST : ICS_STREAM_REFUSED);
  ics_quic_unqueue_stream (self, entry);
  self->busy_streams -= entry->acked < entry->sent;
  g_hash_table_remove (self->streams, &entry->id);
  ics_quic_stream_unref (entry->stream);
  g_free (entry);
}

/* The first stream of the client carries the control messages; they do not wait behind bulk data. */
void
ics_quic_queue_stream (IcsQuic *self, StreamEntry *entry)
{
  if (entry->queued)
    return;
  entry->queued = TRUE;
  entry->turn = 0;
  if (entry->id == 0)
    g_queue_push_head_link (&self->ready, &entry->link);
  else
    g_queue_push_tail_link (&self->ready, &entry->link);
}

void
ics_quic_unqueue_stream (IcsQuic *self, StreamEntry *entry)
{
  if (entry->unreported > 0)
    ics_quic_report_sent (self, entry, FALSE);
  if (entry->queued)
    g_queue_unlink (&self->ready, &entry->link);
  entry->queued = FALSE;
}

/* ngtcp2 tells of a received STOP_SENDING only when one writes, and a stream that is blocked is not written.
 */
void
ics_quic_retry_blocked (IcsQuic *self)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->streams);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      StreamEntry *entry = value;

      entry->trickling = FALSE;
      entry->uncounted = 0;
      if (entry->blocked)
        ics_quic_queue_stream (self, entry);
    }
}

static void
lose (IcsQuicStream *stream)
{
  ics_quic_stream_end_tx (stream, ICS_STREAM_LOST);
  ics_quic_stream_end_rx (stream, ICS_STREAM_LOST);
}

/* The window doubles while the application keeps up with what comes, as often as the sender makes use of it.
 * ngtcp2 compares with the round-trip time instead, and stays small when losses hold the data up. */
static gsize
grow_window (StreamEntry *entry, const IcsStreamWork *work)
{
  gsize growth = work->keeps_up ? MIN (work->consumed, ICS_QUIC_STREAM_WINDOW_MAX - entry->window) : 0;

  entry->window += growth;
  return work->consumed + growth;
}

static void
serve (IcsQuic *self, IcsQuicStream *stream)
{
  IcsStreamWork work;
  StreamEntry *entry;

  ics_quic_stream_get_work (stream, &work);
  if (self->conn == NULL || self->closed)
    {
      lose (stream);
      return;
    }
  if (work.open)
    {
      g_queue_push_tail (&self->unopened, ics_quic_stream_ref (stream));
      ics_quic_open_waiting (self);
      return;
    }
  /* What was read of a stream that QUIC has forgotten still counts for the connection's window. */
  if (work.consumed > 0)
    ngtcp2_conn_extend_max_offset (self->conn, work.consumed);
  entry = g_hash_table_lookup (self->streams, &work.id);
  if (entry == NULL)
    return;
  if (work.consumed > 0)
    ngtcp2_conn_extend_max_stream_offset (self->conn, work.id, grow_window (entry, &work));
  if (work.reset)
    ngtcp2_conn_shutdown_stream (self->conn, 0, work.id, work.reset_code);
  else if (work.stop)
    ngtcp2_conn_shutdown_stream_read (self->conn, 0, work.id, 0);
  if (work.pending > 0 || work.fin_pending)
    ics_quic_queue_stream (self, entry);
}

static gboolean
open_one (IcsQuic *self, IcsQuicStream *stream)
{
  int64_t id;
  StreamEntry *entry;

  if (self->conn == NULL || ngtcp2_conn_open_bidi_stream (self->conn, &id, NULL) != 0)
    return FALSE;
  ics_quic_stream_set_id (stream, id);
  entry = ics_quic_add_stream (self, id, stream);
  ngtcp2_conn_set_stream_user_data (self->conn, id, entry);
  /* It may have been finished or given up while it waited. */
  serve (self, stream);
  return TRUE;
}

void
ics_quic_open_waiting (IcsQuic *self)
{
  while (!g_queue_is_empty (&self->unopened) && open_one (self, g_queue_peek_head (&self->unopened)))
    ics_quic_stream_unref (g_queue_pop_head (&self->unopened));
}

IcsQuicStream *
ics_quic_open_stream (IcsQuic *self)
{
  IcsQuicStream *stream = ics_quic_stream_new (-1, self->hub);

  ics_quic_stream_open (stream);
  ics_quic_serve_streams (self);
  return stream;
}

/* To wake a thread takes as long as to receive a few packets. While more come at once readers are left to
 * sleep, unless there is much for one of them, or it was some time ago that the first came. When what came of
 * late came fast, more is expected even if there is none just now. */
gboolean
ics_quic_news_can_wait (IcsQuic *self, gint64 now, gint64 *until)
{
  gboolean fresh = self->news_fresh,
           bulk = self->news_is_bulk && self->news_since - self->told_at < NEWS_WAIT_US;

  *until = bulk ? self->news_since + NEWS_WAIT_US : now;
  self->news_fresh = FALSE;
  if (self->news->len == 0)
    return FALSE;
  if (!self->news_urgent && now - self->news_since < NEWS_WAIT_US && (fresh || bulk))
    return TRUE;
  self->news_is_bulk = self->news_size >= (guint64)MAX (now - self->told_at, BULK_US) * BULK_RATE;
  self->told_at = now;
  return FALSE;
}

void
ics_quic_tell_readers (IcsQuic *self)
{
  for (guint i = 0; i < self->news->len; i++)
    {
      StreamEntry *entry = g_ptr_array_index (self->news, i);

      entry->news = FALSE;
      entry->untold = 0;
      ics_quic_stream_tell (entry->stream);
    }
  g_ptr_array_set_size (self->news, 0);
  self->news_urgent = FALSE;
  self->news_size = 0;
}

static void
tell_writers (IcsQuic *self)
{
  for (guint i = 0; i < self->acked_news->len; i++)
    report_acked (self, g_ptr_array_index (self->acked_news, i));
  g_ptr_array_set_size (self->acked_news, 0);
}

void
ics_quic_serve_streams (IcsQuic *self)
{
  IcsQuicStream *stream;

  tell_writers (self);
  while ((stream = ics_stream_hub_pop (self->hub)) != NULL)
    {
      serve (self, stream);
      ics_quic_stream_unref (stream);
    }
}

static void
lose_unopened (IcsQuicStream *stream)
{
  lose (stream);
  ics_quic_stream_unref (stream);
}

void
ics_quic_abandon (IcsQuic *self)
{
  g_autoptr (GList) entries = g_hash_table_get_values (self->streams);

  self->closed = TRUE;
  ics_quic_tell_readers (self);
  tell_writers (self);
  ics_stream_hub_detach (self->hub);
  for (GList *l = entries; l != NULL; l = l->next)
    {
      StreamEntry *entry = l->data;

      ngtcp2_conn_set_stream_user_data (self->conn, entry->id, NULL);
      ics_quic_remove_stream (self, entry, TRUE);
    }
  g_queue_clear_full (&self->unopened, (GDestroyNotify)lose_unopened);
}
