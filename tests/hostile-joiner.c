/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/hostile-joiner.h"

#include "base/identity.h"
#include "path/channel-batch.h"
#include "signaling/handshake.h"

#include <check.h>
#include <string.h>

#define TICK_MS 5
#define PATH 1

struct _HostileJoiner
{
  IcsChannel *channel;
  IcsIdentity *identity;
  IcsHandshake *handshake;
  IcsQuic *quic;
  IcsQuicStream *control;
  IcsControlReader reader;
  GByteArray *to_say;
  guint answered;
  guint tick;
};

static void
on_wake (gpointer user_data)
{
  /* The tick serves what is to be done. */
}

static void
write_packets (HostileJoiner *self, gint64 now)
{
  IcsQuicBatch packet;

  /* One at a time. */
  while (ics_quic_write (self->quic, now, ICS_QUIC_MAX_PACKET, &packet))
    {
      g_autoptr (GByteArray) batch = g_byte_array_new ();
      g_autoptr (GBytes) message = NULL;

      ics_batch_append (batch, packet.data, packet.len);
      message = g_bytes_new (batch->data, batch->len);
      ics_channel_send (self->channel, ICS_CHANNEL_DATA, message);
    }
}

static void
talk (HostileJoiner *self)
{
  guint8 buf[4096];
  gssize n;

  while (
      self->to_say->len > 0
      && (n = ics_quic_stream_write (self->control, self->to_say->data, self->to_say->len, FALSE, NULL, NULL))
             > 0)
    g_byte_array_remove_range (self->to_say, 0, (guint)n);
  while ((n = ics_quic_stream_read (self->control, buf, sizeof buf, FALSE, NULL, NULL)) > 0)
    {
      IcsControl message = { 0 };

      ics_control_reader_feed (&self->reader, buf, (gsize)n);
      while (ics_control_reader_next (&self->reader, &message) == ICS_CONTROL_MESSAGE)
        {
          self->answered = MAX (self->answered, message.attempt);
          ics_control_clear (&message);
        }
    }
}

static void
pump (HostileJoiner *self)
{
  gint64 now = g_get_monotonic_time ();
  IcsQuicEvent event;

  if (self->quic == NULL)
    return;
  ics_quic_handle_timeout (self->quic, now);
  ics_quic_tell_readers (self->quic);
  ics_quic_serve_streams (self->quic);
  write_packets (self, now);
  while (ics_quic_poll_event (self->quic, &event))
    {
      if (event.type == ICS_QUIC_EVENT_READY)
        self->control = ics_quic_open_stream (self->quic);
      ics_quic_event_clear (&event);
    }
  if (self->control != NULL)
    talk (self);
}

static gboolean
on_tick (gpointer user_data)
{
  pump (user_data);
  return G_SOURCE_CONTINUE;
}

static void
start_quic (HostileJoiner *self)
{
  IcsQuicConfig config = { .client = TRUE,
                           .credentials = ics_identity_get_credentials (self->identity),
                           .peer_fingerprint = ics_handshake_get_peer_fingerprint (self->handshake),
                           .path = PATH,
                           .kind = ICS_PATH_CHANNEL,
                           .wake = on_wake };

  self->quic = ics_quic_new (&config, g_get_monotonic_time (), NULL);
  ck_assert_ptr_nonnull (self->quic);
}

static void
shake_hands (HostileJoiner *self)
{
  GBytes *message;

  while ((message = ics_handshake_poll_message (self->handshake)) != NULL)
    {
      ics_channel_send (self->channel, ICS_CHANNEL_SIGNAL, message);
      g_bytes_unref (message);
    }
  if (self->quic == NULL && ics_handshake_get_state (self->handshake) == ICS_HANDSHAKE_DONE)
    start_quic (self);
}

static void
on_message (IcsChannel *channel, IcsChannelKind kind, GBytes *message, gpointer user_data)
{
  HostileJoiner *self = user_data;
  gsize left, len;
  const guint8 *cursor = g_bytes_get_data (message, &left), *data;
  gboolean malformed = FALSE;

  if (kind == ICS_CHANNEL_SIGNAL)
    {
      ics_handshake_handle_message (self->handshake, cursor, left);
      shake_hands (self);
    }
  else if (self->quic != NULL)
    while (ics_batch_next (&cursor, &left, &data, &len, &malformed))
      if ((data[0] & 0x40) != 0)
        ics_quic_read (self->quic, g_get_monotonic_time (), PATH, data, len);
  pump (self);
}

static void
on_state (IcsChannel *channel, IcsChannelState state, gpointer user_data)
{
  if (state == ICS_CHANNEL_OPEN)
    shake_hands (user_data);
}

HostileJoiner *
hostile_joiner_new (MemoryChannel *channel, const char *code)
{
  HostileJoiner *self = g_new0 (HostileJoiner, 1);
  IcsHandshakeConfig config = { .joiner = TRUE, .code = code, .application = "test/1" };

  self->channel = ICS_CHANNEL (channel);
  self->identity = ics_identity_new (NULL);
  self->to_say = g_byte_array_new ();
  ics_control_reader_init (&self->reader);
  memcpy (config.fingerprint, ics_identity_get_fingerprint (self->identity), sizeof config.fingerprint);
  self->handshake = ics_handshake_new (&config);
  g_signal_connect (channel, "message", G_CALLBACK (on_message), self);
  g_signal_connect (channel, "state-changed", G_CALLBACK (on_state), self);
  ics_channel_start (self->channel);
  self->tick = g_timeout_add (TICK_MS, on_tick, self);
  return self;
}

void
hostile_joiner_free (HostileJoiner *self)
{
  g_source_remove (self->tick);
  g_signal_handlers_disconnect_by_data (self->channel, self);
  ics_channel_close (self->channel);
  g_clear_pointer (&self->control, ics_quic_stream_unref);
  g_clear_pointer (&self->quic, ics_quic_free);
  ics_handshake_free (self->handshake);
  ics_identity_free (self->identity);
  ics_control_reader_clear (&self->reader);
  g_byte_array_unref (self->to_say);
  g_free (self);
}

gboolean
hostile_joiner_is_ready (HostileJoiner *self)
{
  return self->control != NULL;
}

void
hostile_joiner_say (HostileJoiner *self, const IcsControl *message)
{
  g_autoptr (GBytes) frame = ics_control_encode (message);
  gsize len;
  const guint8 *data = g_bytes_get_data (frame, &len);

  g_byte_array_append (self->to_say, data, (guint)len);
}

IcsQuicStream *
hostile_joiner_open (HostileJoiner *self)
{
  return ics_quic_open_stream (self->quic);
}

guint
hostile_joiner_get_answered (HostileJoiner *self)
{
  return self->answered;
}
