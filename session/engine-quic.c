/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fingerprint.h"
#include "session/engine-private.h"

/* Packets between QUIC and the paths, and what QUIC reports. */

/* So much is sent before the I/O thread looks at what arrived. */
#define MAX_BATCHES 16
/* The clock is read once for so much of data, a few packets, but for each acknowledgement: one time for many
 * would make the path look faster than it is. */
#define TIMED_BYTES 8192
#define PROBE_LABEL "EXPORTER-ice-session-probe"
/* RFC 9443 §3, RFC 9000 §17: the fixed bit of QUIC; 128 to 191 is RTP's. */
#define IS_QUIC(byte) ((byte) >= 64 && ((byte) < 128 || (byte) >= 192))

static void
on_quic_wake (gpointer user_data)
{
  ics_engine_wake (user_data);
}

void
ics_engine_start_quic (IcsEngine *self)
{
  GError *error = NULL;
  gint64 now = g_get_monotonic_time ();
  IcsPathEngineConfig paths = { .decider = self->joiner, .allowed = ics_engine_allowed (self) };
  IcsQuicConfig config = {
    .client = self->joiner,
    .credentials = ics_identity_get_credentials (self->identity),
    .peer_fingerprint = ics_handshake_get_peer_fingerprint (self->handshake),
    .kind = ICS_PATH_CHANNEL,
    .wake = on_quic_wake,
    .user_data = self,
  };

  self->paths = ics_path_engine_new (&paths);
  self->channel_path = ics_engine_add_path (self, ICS_PATH_CHANNEL, NULL)->id;
  config.path = self->channel_path;
  self->quic = ics_quic_new (&config, now, &error);
  if (self->quic == NULL)
    ics_engine_fail (self, error);
  ics_engine_wake (self);
}

/* --- in --- */

/* TRUE when it is an authentic packet of the peer's traffic. */
static gboolean
receive_one (IcsEngine *self, gint64 now, IcsCarrier *path, const guint8 *data, gsize len)
{
  if (IS_QUIC (data[0]))
    return ics_quic_read (self->quic, now, path->id, data, len);
  if (ics_rtp_matches (data[0]))
    return ics_media_receive (self, now, path, data, len);
  if (ics_probe_matches (data, len))
    ics_engine_receive_probe (self, path, data, len);
  else if (ics_sealed_matches (data, len) && path->id == self->channel_path)
    ics_sealed_receive (self, data, len);
  else
    self->strays++;
  return FALSE;
}

static void
note_received (IcsEngine *self, gint64 now, IcsCarrier *path, gsize len)
{
  guint64 delivered = ics_quic_get_delivered (self->quic);

  ics_path_engine_on_received (self->paths, now, path->id, len);
  ics_tally_add_received (self->tally, path->kind, len);
  if (delivered != self->delivered)
    ics_stall_on_delivery (&self->stall, now);
  self->delivered = delivered;
}

void
ics_engine_receive (IcsEngine *self, IcsCarrier *path, const guint8 *data, gsize len, gsize segment)
{
  gboolean authentic = FALSE;
  gint64 now = 0;
  gsize timed = 0;

  for (gsize at = 0; at < len && !ics_engine_is_over (self); at += segment)
    {
      if (at >= timed)
        {
          now = g_get_monotonic_time ();
          timed = segment < TIMED_BYTES / 8 ? 0 : at + TIMED_BYTES;
        }
      if (receive_one (self, now, path, data + at, MIN (segment, len - at)))
        authentic = TRUE;
    }
  if (authentic)
    note_received (self, now, path, len);
  else
    ics_tally_set_packets_dropped (self->tally, self->strays + ics_quic_get_dropped (self->quic));
  ics_engine_wake (self);
}

/* --- out --- */

/* RFC 7675 §5.1: without consent nothing but probes is sent. An answer to one of them gives it back. */
static gboolean
is_mute (IcsEngine *self, gint64 now, const IcsCarrier *path)
{
  return self->probe_keys && path != NULL && !ics_path_engine_has_consent (self->paths, now, path->id);
}

/* Before QUIC: media does not wait for bulk. */
static void
write_media (IcsEngine *self)
{
  gint64 now = g_get_monotonic_time ();
  IcsCarrier *path = ics_engine_find_path (self, ics_quic_get_path (self->quic));

  if (path != NULL && (is_mute (self, now, path) || (ics_engine_allowed (self) & 1u << path->kind) == 0))
    path = NULL;
  ics_media_send (self, now, path);
}

static void
write_packets (IcsEngine *self)
{
  for (guint i = 0; i < MAX_BATCHES; i++)
    {
      gint64 now = g_get_monotonic_time ();
      IcsCarrier *path = ics_engine_find_path (self, ics_quic_get_path (self->quic));
      gsize max = path != NULL ? ics_carrier_get_max_batch (path) : ICS_QUIC_BATCH_SIZE;
      IcsQuicBatch batch;

      self->mute = is_mute (self, now, path);
      self->blocked = path != NULL && !ics_carrier_can_send (path);
      if (self->mute || self->blocked || !ics_quic_write (self->quic, now, max, &batch))
        return;
      path = ics_engine_find_path (self, batch.path);
      if (path == NULL)
        continue;
      ics_carrier_send_batch (path, &batch);
      ics_path_engine_on_sent (self->paths, now, batch.path, batch.len);
      ics_tally_add_sent (self->tally, path->kind, batch.len);
    }
  /* What arrived meanwhile is read first. */
  ics_engine_wake (self);
}

static void
flush_paths (IcsEngine *self)
{
  GHashTableIter iter;
  gpointer path;

  g_hash_table_iter_init (&iter, self->path_table);
  while (g_hash_table_iter_next (&iter, NULL, &path))
    ics_carrier_flush (path);
}

/* --- events --- */

static void
make_probe_keys (IcsEngine *self)
{
  const char *own = self->joiner ? "client" : "server", *other = self->joiner ? "server" : "client";

  self->probe_keys
      = ics_quic_export (self->quic, PROBE_LABEL, own, self->probe_key_tx, sizeof self->probe_key_tx)
        && ics_quic_export (self->quic, PROBE_LABEL, other, self->probe_key_rx, sizeof self->probe_key_rx);
}

void
ics_engine_tell_connected (IcsEngine *self)
{
  g_autofree char *own = ics_fingerprint_to_hex (ics_identity_get_fingerprint (self->identity));
  g_autofree char *peer = ics_fingerprint_to_hex (ics_handshake_get_peer_fingerprint (self->handshake));

  self->connected = TRUE;
  self->callbacks.connected (ics_quic_get_hub (self->quic), own, peer, self->active, self->user_data);
}

static void
on_ready (IcsEngine *self)
{
  gint64 now = g_get_monotonic_time ();

  if (self->state != ICS_ENGINE_SECURING)
    return;
  make_probe_keys (self);
  ics_sealed_start (self);
  ics_pairing_forget_code (self);
  ics_engine_set_state (self, ICS_ENGINE_UP);
  ics_path_engine_set_active (self->paths, now, self->channel_path);
  if (self->joiner)
    self->control = ics_quic_open_stream (self->quic);
  ics_policy_start (self);
  ics_legs_start (self);
}

/* The client's first stream is the control stream (docs/protocol.md); all others are the application's. */
static void
on_stream (IcsEngine *self, IcsQuicStream *stream)
{
  if (ics_quic_stream_get_id (stream) != 0)
    self->callbacks.stream (stream, self->user_data);
  else if (self->control == NULL)
    {
      self->control = ics_quic_stream_ref (stream);
      ics_engine_flush_control (self);
    }
}

/* To the path that the traffic is on already: QUIC began anew there. */
static void
on_moved (IcsEngine *self, guint path)
{
  if (path == ics_path_engine_get_active (self->paths))
    ics_engine_traffic_renewed (self, path);
  else
    ics_engine_traffic_moved (self, path);
}

static void
on_move_failed (IcsEngine *self, guint path)
{
  ics_engine_note (self, "the move to path %u failed", path);
  ics_path_engine_on_move_failed (self->paths, g_get_monotonic_time (), path);
}

/* Takes the error out of the event. Of a goodbye of the peer only its code counts, which came with it; to a
 * host that says goodbye itself, only that the peer ended the link with another code than 0: an error beats a
 * clean end, and whoever ends with an error hears of the other's. */
static void
on_quic_closed (IcsEngine *self, IcsQuicEvent *event)
{
  GError *error = g_steal_pointer (&event->error);
  gboolean refused = g_error_matches (error, ICS_ERROR, ICS_ERROR_REFUSED);

  if (self->bye_received || (self->state == ICS_ENGINE_CLOSING && !refused))
    g_clear_error (&error);
  ics_engine_fail (self, error);
}

static void
handle_event (IcsEngine *self, IcsQuicEvent *event)
{
  switch (event->type)
    {
    case ICS_QUIC_EVENT_READY:
      on_ready (self);
      break;
    case ICS_QUIC_EVENT_CONFIRMED:
      break;
    case ICS_QUIC_EVENT_STREAM:
      on_stream (self, event->stream);
      break;
    case ICS_QUIC_EVENT_DATAGRAM:
      ics_tally_add_datagram (self->tally, ICS_TALLY_RECEIVED);
      self->callbacks.datagram (event->datagram, self->user_data);
      break;
    case ICS_QUIC_EVENT_MOVED:
      on_moved (self, event->path);
      break;
    case ICS_QUIC_EVENT_MOVE_FAILED:
      on_move_failed (self, event->path);
      break;
    case ICS_QUIC_EVENT_CLOSED:
      on_quic_closed (self, event);
      break;
    }
}

static void
handle_events (IcsEngine *self)
{
  IcsQuicEvent event;

  while (ics_quic_poll_event (self->quic, &event))
    {
      if (!ics_engine_is_over (self) || event.type == ICS_QUIC_EVENT_CLOSED)
        handle_event (self, &event);
      ics_quic_event_clear (&event);
      ics_engine_wake (self);
    }
}

void
ics_engine_pump (IcsEngine *self, gint64 now)
{
  if (!ics_quic_news_can_wait (self->quic, now, &self->news_at))
    {
      self->news_at = G_MAXINT64;
      ics_quic_tell_readers (self->quic);
    }
  ics_quic_serve_streams (self->quic);
  /* Before anything is sent: a goodbye is not acknowledged but answered, so that the peer, whose wait an
   * acknowledgement ends, hears how this host ends. It may be the first that comes on the control stream. */
  handle_events (self);
  ics_engine_read_control (self);
  if (ics_engine_is_over (self))
    return;
  ics_engine_flush_control (self);
  write_media (self);
  write_packets (self);
  flush_paths (self);
  handle_events (self);
  ics_engine_read_control (self);
}

/* The last packet, on every path: one of them may live. */
void
ics_engine_say_goodbye (IcsEngine *self, gint64 now)
{
  guint8 packet[ICS_QUIC_MAX_PACKET];
  gsize n = ics_quic_write_error (self->quic, now, packet, sizeof packet);
  GHashTableIter iter;
  gpointer path;

  if (n == 0)
    n = ics_quic_write_close (self->quic, now, self->bye_code, self->bye_reason, packet, sizeof packet);
  if (n == 0)
    return;
  g_hash_table_iter_init (&iter, self->path_table);
  while (g_hash_table_iter_next (&iter, NULL, &path))
    ics_carrier_send (path, packet, n);
  flush_paths (self);
}

gboolean
ics_engine_goodbye_arrived (IcsEngine *self)
{
  /* A listener that closes before the joiner's control stream came has to wait for it, as long as a goodbye
   * may take. */
  return self->control != NULL && g_queue_is_empty (&self->control_out)
         && ics_quic_stream_is_flushed (self->control, NULL);
}
