/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/quic-conn-private.h"

/* A path whose MTU falls while nobody says so (RFC 8899 §4.4): small packets pass, full ones vanish. ngtcp2
 * looks for a larger MTU on a fresh path, never for a smaller one later. */

/* BASE_PLPMTU, RFC 8899 §5.1.2 and RFC 9000 §14.3 */
#define BASE_PACKET 1200
/* ngtcp2 does not say when it is through with its tries on a fresh path. */
#define DISCOVERY_US (5 * G_USEC_PER_SEC)
#define BLACK_HOLE_MIN_US G_USEC_PER_SEC
/* Answers further apart than this do not show that the path lived in between. */
#define ANSWER_GAP_US (1500 * 1000)

void
ics_quic_stream_progress (IcsQuic *self, StreamEntry *entry, guint64 sent, guint64 acked)
{
  if (entry->acked == entry->sent || acked > entry->acked)
    entry->progress = self->now;
  self->busy_streams -= entry->acked < entry->sent;
  entry->sent = sent;
  entry->acked = acked;
  self->busy_streams += entry->acked < entry->sent;
}

static gboolean
is_stuck (IcsQuic *self, gint64 since)
{
  gint64 limit = 3 * (gint64)(ngtcp2_conn_get_pto (self->conn) / NGTCP2_MICROSECONDS);
  GHashTableIter iter;
  gpointer value;

  limit = MAX (limit, BLACK_HOLE_MIN_US);
  g_hash_table_iter_init (&iter, self->streams);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const StreamEntry *entry = value;

      if (entry->acked < entry->sent && self->now - MAX (entry->progress, since) > limit)
        return TRUE;
    }
  return FALSE;
}

static IcsPathTag
current (IcsQuic *self)
{
  return ics_synthetic_path_tag (ngtcp2_conn_get_path (self->conn));
}

static gboolean
is_small (IcsQuic *self)
{
  return self->small_packets && ics_path_tag_equal (current (self), self->small_tag);
}

gsize
ics_quic_packet_limit (IcsQuic *self)
{
  return is_small (self) ? BASE_PACKET : ICS_QUIC_MAX_PACKET;
}

gboolean
ics_quic_path_answered (IcsQuic *self, gint64 now, guint path)
{
  gint64 last = self->last_answer;

  if (self->conn == NULL || self->closed || path != ics_quic_get_path (self))
    return FALSE;
  now = ics_quic_advance (self, now);
  self->last_answer = now;
  if (now - last > ANSWER_GAP_US || self->path_since > last)
    self->answers_since = now;
  if (is_small (self) || !is_stuck (self, self->answers_since))
    return FALSE;
  self->small_packets = TRUE;
  self->small_tag = current (self);
  return TRUE;
}

gsize
ics_quic_get_path_mtu (IcsQuic *self, gint64 now)
{
  gsize found;

  if (is_small (self))
    return BASE_PACKET;
  found = ngtcp2_conn_get_path_max_tx_udp_payload_size (self->conn);
  return now - self->path_since < DISCOVERY_US ? MAX (found, ICS_QUIC_MAX_PACKET) : found;
}
