/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/quic-conn-private.h"

/* The streams' part of a packet. What a stream has to send is looked at a run at a time, and what was sent of
 * it is told when its turn is over: its lock is shared with the application's threads. */

/* Streams take turns of what leaves in half a millisecond: fewer switches, a burst of losses makes one gap
 * instead of many, and few readers wake for much instead of many for little. */
#define TURN_US 500
#define TURN_MIN (16u * 1024)
#define TURN_MAX (512u * 1024)

void
ics_quic_set_pace (IcsQuic *self, double bytes_per_us)
{
  self->turn = (gsize)CLAMP (bytes_per_us * TURN_US, TURN_MIN, TURN_MAX);
}

void
ics_quic_set_hold (IcsQuic *self, gboolean hold)
{
  self->hold = hold;
}

gboolean
ics_quic_report_sent (IcsQuic *self, StreamEntry *entry, gboolean fin)
{
  gsize sent = entry->unreported;

  entry->unreported = 0;
  return ics_quic_stream_sent (entry->stream, sent, fin, ics_quic_kind_of (self, ics_quic_get_path (self)));
}

void
ics_quic_report_head (IcsQuic *self)
{
  StreamEntry *entry = g_queue_peek_head (&self->ready);

  if (entry != NULL && entry->unreported > 0)
    ics_quic_report_sent (self, entry, FALSE);
}

/* FALSE when there is nothing to send. */
static gboolean
look_ahead (IcsQuic *self, StreamEntry *entry)
{
  IcsStreamRun *run = &entry->run;

  if (run->len > 0)
    return TRUE;
  if (entry->unreported > 0)
    ics_quic_report_sent (self, entry, FALSE);
  run->data = ics_quic_stream_peek_tx (entry->stream, &run->len, &run->fin);
  return run->len > 0 || run->fin;
}

static void
end_turn (IcsQuic *self, StreamEntry *entry, gboolean more)
{
  ics_quic_unqueue_stream (self, entry);
  if (more)
    ics_quic_queue_stream (self, entry);
}

static void
account (IcsQuic *self, StreamEntry *entry, gsize taken)
{
  IcsStreamRun *run = &entry->run;
  gboolean fin, more = TRUE;

  ics_quic_stream_progress (self, entry, entry->sent + taken, entry->acked);
  run->data += taken;
  run->len -= taken;
  fin = run->fin && run->len == 0;
  entry->unreported += taken;
  entry->turn += taken;
  if (run->len == 0)
    more = ics_quic_report_sent (self, entry, fin);
  if (!more || entry->turn >= self->turn)
    end_turn (self, entry, more);
}

static StreamEntry *
next_stream (IcsQuic *self)
{
  StreamEntry *entry = g_queue_peek_head (&self->ready);

  if (entry == NULL || ics_quic_guard_holds (self))
    return NULL;
  return self->hold && entry->id != ICS_CONTROL_STREAM ? NULL : entry;
}

static ngtcp2_ssize
write_nothing (IcsQuic *self, IcsQuicPacket *packet)
{
  if (self->trickling && !packet->begun)
    return 0;
  return ngtcp2_conn_writev_stream (self->conn, &self->write_pair.path, &self->write_info, packet->buf,
                                    packet->cap, NULL, NGTCP2_WRITE_STREAM_FLAG_NONE, -1, NULL, 0,
                                    ics_quic_ts (self->now));
}

/* What came of writing; the result is the packet's. */
static ngtcp2_ssize
settle (IcsQuic *self, StreamEntry *entry, ngtcp2_ssize n, ngtcp2_ssize taken)
{
  if (n == NGTCP2_ERR_STREAM_SHUT_WR)
    ics_quic_stream_end_tx (entry->stream, ICS_STREAM_REFUSED);
  entry->blocked = n == NGTCP2_ERR_STREAM_DATA_BLOCKED;
  if (n == NGTCP2_ERR_STREAM_DATA_BLOCKED || n == NGTCP2_ERR_STREAM_SHUT_WR
      || n == NGTCP2_ERR_STREAM_NOT_FOUND)
    {
      /* Blocked: on_extend_stream_data() queues it again. */
      end_turn (self, entry, FALSE);
      return NGTCP2_ERR_WRITE_MORE;
    }
  if (taken >= 0)
    account (self, entry, (gsize)taken);
  return n;
}

ngtcp2_ssize
ics_quic_write_stream (IcsQuic *self, IcsQuicPacket *packet)
{
  StreamEntry *entry = next_stream (self);
  IcsFragments fragments;
  ngtcp2_ssize taken = -1, n;
  ngtcp2_vec vec;
  guint32 flags;

  if (entry == NULL)
    return write_nothing (self, packet);
  if (!look_ahead (self, entry))
    {
      end_turn (self, entry, FALSE);
      return NGTCP2_ERR_WRITE_MORE;
    }
  fragments = entry->run.len > 0 ? ics_quic_count_fragments (self, entry) : ICS_FRAGMENTS_FEW;
  if (fragments == ICS_FRAGMENTS_TOO_MANY || (fragments == ICS_FRAGMENTS_MANY && entry->trickling))
    {
      entry->blocked = TRUE;
      end_turn (self, entry, FALSE);
      return NGTCP2_ERR_WRITE_MORE;
    }
  flags = fragments == ICS_FRAGMENTS_MANY ? NGTCP2_WRITE_STREAM_FLAG_NONE : NGTCP2_WRITE_STREAM_FLAG_MORE;
  vec = (ngtcp2_vec){ (uint8_t *)entry->run.data, entry->run.len };
  n = ngtcp2_conn_writev_stream (self->conn, &self->write_pair.path, &self->write_info, packet->buf,
                                 packet->cap, &taken,
                                 flags | (entry->run.fin ? NGTCP2_WRITE_STREAM_FLAG_FIN : 0), entry->id, &vec,
                                 vec.len > 0 ? 1 : 0, ics_quic_ts (self->now));
  packet->begun = packet->begun || n == NGTCP2_ERR_WRITE_MORE;
  if (fragments == ICS_FRAGMENTS_MANY && taken >= 0)
    entry->trickling = self->trickling = TRUE;
  return settle (self, entry, n, taken);
}
