/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/quic-conn-private.h"

#include <string.h>

/* Making packets. */

/* How soon to look again at a timer that is due and makes no packet. */
#define UNSERVED_WAIT_US 1000
/* Timers are late, those of poll() by up to a millisecond: what could have been sent meanwhile may go at
 * once, so that the mean is kept. */
#define PACING_CREDIT_US 2000
/* RFC 9002 §7.7: the initial window, and no more than a millisecond's worth above it */
#define MIN_BURST (10 * ICS_QUIC_MAX_PACKET)
#define BURST_US 1000

gboolean
ics_quic_send_datagram (IcsQuic *self, GBytes *payload)
{
  if (self->closed || g_queue_get_length (&self->datagrams) >= ICS_MAX_QUEUED_DATAGRAMS
      || g_bytes_get_size (payload) > ICS_QUIC_MAX_DATAGRAM)
    return FALSE;
  g_queue_push_tail (&self->datagrams, g_bytes_ref (payload));
  return TRUE;
}

static ngtcp2_ssize
write_datagram (IcsQuic *self, IcsQuicPacket *packet, GBytes *payload)
{
  gsize len;
  const guint8 *data = g_bytes_get_data (payload, &len);
  ngtcp2_vec vec = { (uint8_t *)data, len };
  int accepted = 0;
  /* An empty piece fails an assertion of ngtcp2's; an empty datagram does not (RFC 9221 §4). */
  ngtcp2_ssize n = ngtcp2_conn_writev_datagram (
      self->conn, &self->write_pair.path, &self->write_info, packet->buf, packet->cap, &accepted,
      NGTCP2_WRITE_DATAGRAM_FLAG_NONE, 0, &vec, len > 0 ? 1 : 0, ics_quic_ts (self->now));

  /* A peer that takes none, or not that large: it is unreliable anyway. */
  if (accepted || n == NGTCP2_ERR_INVALID_STATE || n == NGTCP2_ERR_INVALID_ARGUMENT)
    g_bytes_unref (g_queue_pop_head (&self->datagrams));
  return n == NGTCP2_ERR_INVALID_STATE || n == NGTCP2_ERR_INVALID_ARGUMENT ? NGTCP2_ERR_WRITE_MORE : n;
}

/* All that was sent is acknowledged: so are the FINs, also those whose acknowledgement ngtcp2 merged with
 * data. */
static void
settle_fins (IcsQuic *self)
{
  ngtcp2_conn_info info;
  GHashTableIter iter;
  gpointer value;

  ngtcp2_conn_get_conn_info (self->conn, &info);
  if (info.bytes_in_flight > 0 || !g_queue_is_empty (&self->ready))
    return;
  g_hash_table_iter_init (&iter, self->streams);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    ics_quic_stream_fin_acked (((StreamEntry *)value)->stream);
}

static double
pacing_rate (IcsQuic *self, const ngtcp2_conn_info *info) /* bytes per microsecond */
{
  double guarded = ics_quic_guard_pace (self), rate = ics_quic_pacing_rate (info);

  if (guarded > 0)
    return guarded;
  if (rate > 0)
    return rate * NGTCP2_MICROSECONDS;
  /* RFC 9002 §7.7 */
  return 1.25 * (double)info->cwnd / (double)MAX (info->smoothed_rtt, 1) * NGTCP2_MICROSECONDS;
}

/* What the streams keep for sending follows what the path holds: enough for the next round trip. */
static void
look_at_acks (IcsQuic *self)
{
  ngtcp2_conn_info info;

  self->has_read = FALSE;
  self->trickling = FALSE;
  ics_quic_retry_blocked (self);
  ngtcp2_conn_get_conn_info (self->conn, &info);
  ics_quic_guard_acks (self, &info);
  self->in_flight = info.bytes_in_flight;
  self->sent_since_acks = 0;
  self->tx_room = (IcsStreamRoom){
    .unsent = MAX (2 * (gsize)info.cwnd / MAX (self->busy_streams, 1), ICS_STREAM_TX_MIN),
    .total = ICS_STREAM_TX_MAX / MAX (self->busy_streams, 1),
  };
  ics_quic_set_pace (self, pacing_rate (self, &info));
}

/* One packet; 0 when there is none now. */
static gsize
write_packet (IcsQuic *self, guint8 *buf, guint *path)
{
  IcsQuicPacket packet = { .buf = buf, .cap = ics_quic_packet_limit (self) };
  ngtcp2_ssize n;

  if (!g_queue_is_empty (&self->datagrams) && !self->hold && ngtcp2_conn_get_handshake_completed (self->conn))
    n = write_datagram (self, &packet, g_queue_peek_head (&self->datagrams));
  else
    n = NGTCP2_ERR_WRITE_MORE;
  while (n == NGTCP2_ERR_WRITE_MORE)
    n = ics_quic_write_stream (self, &packet);
  if (n < 0)
    {
      ics_quic_fail (self, (int)n);
      return 0;
    }
  if (n == 0)
    {
      self->not_before
          = ngtcp2_conn_get_expiry (self->conn) <= ics_quic_ts (self->now) ? self->now + UNSERVED_WAIT_US : 0;
      settle_fins (self);
      return 0;
    }
  self->sent_since_acks += (guint64)n;
  self->packet_size = (7 * self->packet_size + (gsize)n) / 8;
  *path = ics_synthetic_path_tag (&self->write_pair.path).path;
  return (gsize)n;
}

/* The packet that did not fit into the last batch comes first. */
static gsize
next_packet (IcsQuic *self, gsize at, guint *path)
{
  gsize n = self->ahead_len;

  if (n == 0)
    return write_packet (self, self->out + at, path);
  memmove (self->out, self->out + self->out_len, n);
  *path = self->ahead_path;
  self->ahead_len = 0;
  return n;
}

static gsize
get_burst (IcsQuic *self, const ngtcp2_conn_info *info)
{
  gsize burst = (gsize)(pacing_rate (self, info) * BURST_US);

  return CLAMP (MIN (burst, ngtcp2_conn_get_send_quantum (self->conn)), MIN_BURST, ICS_QUIC_BATCH_SIZE);
}

static void
pace (IcsQuic *self, const ngtcp2_conn_info *info, gsize sent)
{
  gint64 start = CLAMP (self->paced_until, self->now - PACING_CREDIT_US, self->now);

  /* ngtcp2 0.12 spreads the first ten packets of a fresh path over the initial RTT guess if it is paced
   * before the first sample. */
  if (!ICS_QUIC_HAS_RTT (info))
    return;
  self->paced_until = start + (gint64)((double)sent / pacing_rate (self, info));
  /* ngtcp2 adds the time that takes at its own rate, which is next to nothing when it is not believed. */
  if (ics_quic_guard_pace (self) > 0)
    start = self->paced_until;
  ngtcp2_conn_update_pkt_tx_time (self->conn, ics_quic_ts (ICS_QUIC_PACED_FROM (start, self->now)));
}

gboolean
ics_quic_write (IcsQuic *self, gint64 now, gsize max, IcsQuicBatch *batch)
{
  ngtcp2_conn_info info;
  gsize n, burst;
  guint path = 0;

  *batch = (IcsQuicBatch){ .data = self->out };
  ics_quic_advance (self, now);
  if (self->conn == NULL || self->closed)
    return FALSE;
  if (self->has_read)
    look_at_acks (self);
  ics_quic_vouch_for_path (self);
  ngtcp2_conn_get_conn_info (self->conn, &info);
  burst = MIN (get_burst (self, &info), max);
  do
    {
      n = next_packet (self, batch->len, &path);
      if (batch->len == 0)
        batch->path = path, batch->segment = n;
      else if (n > 0 && (path != batch->path || n > batch->segment))
        {
          self->ahead_len = n;
          self->ahead_path = path;
          break;
        }
      batch->len += n;
    }
  while (n > 0 && n == batch->segment && batch->len + ICS_QUIC_MAX_PACKET <= burst
         && batch->len < n * ICS_QUIC_BATCH_PACKETS);
  ics_quic_report_head (self);
  self->out_len = batch->len;
  if (self->vouched < G_MAXSIZE)
    self->vouched -= MIN (self->vouched, batch->len);
  if (batch->len > 0)
    pace (self, &info, batch->len);
  return batch->len > 0;
}

static gsize
write_close (IcsQuic *self, gint64 now, const ngtcp2_ccerr *error, guint8 *buf, gsize cap)
{
  ngtcp2_path_storage ps;
  ngtcp2_pkt_info pi;
  ngtcp2_ssize n;

  if (self->conn == NULL || ngtcp2_conn_in_closing_period (self->conn)
      || ngtcp2_conn_in_draining_period (self->conn))
    return 0;
  ngtcp2_path_storage_zero (&ps);
  n = ngtcp2_conn_write_connection_close (self->conn, &ps.path, &pi, buf, cap, error,
                                          ics_quic_ts (ics_quic_advance (self, now)));
  return n > 0 ? (gsize)n : 0;
}

gsize
ics_quic_write_close (IcsQuic *self, gint64 now, guint64 code, const char *reason, guint8 *buf, gsize cap)
{
  ngtcp2_ccerr error;

  ngtcp2_ccerr_default (&error);
  ngtcp2_ccerr_set_application_error (&error, code, (const uint8_t *)reason,
                                      reason != NULL ? strlen (reason) : 0);
  self->closed = TRUE;
  return write_close (self, now, &error, buf, cap);
}

gsize
ics_quic_write_error (IcsQuic *self, gint64 now, guint8 *buf, gsize cap)
{
  ngtcp2_ccerr error;
  int liberr = self->liberr;

  if (liberr == 0 || liberr == NGTCP2_ERR_DROP_CONN || liberr == NGTCP2_ERR_IDLE_CLOSE)
    return 0;
  self->liberr = 0;
  ngtcp2_ccerr_default (&error);
  if (liberr == NGTCP2_ERR_CRYPTO)
    ngtcp2_ccerr_set_tls_alert (&error, ngtcp2_conn_get_tls_alert (self->conn), NULL, 0);
  else
    ngtcp2_ccerr_set_liberr (&error, liberr, NULL, 0);
  return write_close (self, now, &error, buf, cap);
}
