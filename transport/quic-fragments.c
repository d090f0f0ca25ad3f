/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/quic-conn-private.h"

/* ngtcp2 0.12 closes a connection in which one stream waits for 1,000 pieces (its ngtcp2_rob), as happens
 * when a queue overflows at a high rate. The sender prevents it: a piece is missing where a packet was lost,
 * and the losses are those known since the receiver's last complete byte, and at most every other packet of
 * what is in flight. */

#define MAX_PIECES 900
#define SMALLEST_PACKET 256

/* Losses since @acked passed the mark before the last one: at least those in the range that is not complete.
 */
static guint64
count_losses (IcsQuic *self, StreamEntry *entry)
{
  guint64 losses = ngtcp2_conn_get_stream_loss_count (self->conn, entry->id);

  if (entry->acked >= entry->loss_mark)
    {
      entry->loss_mark = entry->sent;
      entry->losses_before = entry->losses;
      entry->losses = losses;
    }
  return losses - entry->losses_before;
}

gboolean
ics_quic_may_be_fragmented (IcsQuic *self, StreamEntry *entry)
{
  guint64 range = entry->sent - entry->acked, packet = MAX (self->packet_size, SMALLEST_PACKET), unknown;

  if (range < MAX_PIECES * SMALLEST_PACKET)
    return FALSE;
  unknown = MIN (range, self->in_flight + self->sent_since_acks) / packet / 2;
  return unknown + count_losses (self, entry) >= MAX_PIECES;
}
