/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/quic-conn-private.h"

#include <string.h>

/* ngtcp2 0.12 closes a connection in which one stream waits for 1,000 pieces (its ngtcp2_rob), as happens
 * when a queue overflows at a high rate. The sender prevents it: a piece is missing where a packet was lost,
 * and the losses are those known since the receiver's last complete byte, and at most every other packet of
 * what is in flight.
 *
 * A stream that just stopped would look to congestion control as if the application had no more to send:
 * BBR takes nothing it measures then for the path's rate, does not leave its start-up, and overflows the
 * queue again and again. So a stream that may have many pieces goes on with a packet for each
 * acknowledgement. */

#define MANY_PIECES 750
#define TOO_MANY_PIECES 900
#define SMALLEST_PACKET 256
/* So many packets of a stream that has few pieces go without a new count, which costs as much as to look at
 * a packet. */
#define UNCOUNTED ICS_QUIC_BATCH_PACKETS
/* Below this not even packets of the smallest size make many pieces. */
#define COUNTED_RANGE (32u * 1024)

/* Losses since the receiver's last complete byte: those of a range that is complete now do not count. */
static guint64
count_losses (IcsQuic *self, StreamEntry *entry)
{
  IcsLossMarks *marks = &entry->losses;
  guint64 losses = ngtcp2_conn_get_stream_loss_count (self->conn, entry->id);

  if (marks->idle)
    *marks = (IcsLossMarks){ .mended = losses };
  while (marks->n > 0 && marks->marks[0].sent <= entry->acked)
    {
      marks->mended = marks->marks[0].losses;
      marks->n--;
      memmove (marks->marks, marks->marks + 1, marks->n * sizeof marks->marks[0]);
    }
  if (losses > (marks->n > 0 ? marks->marks[marks->n - 1].losses : marks->mended))
    {
      /* Without a free mark the last one is moved: it ends later then than it must. */
      marks->n = MIN (marks->n + 1, ICS_LOSS_MARKS);
      marks->marks[marks->n - 1] = (IcsLossMark){ .sent = entry->sent, .losses = losses };
    }
  return losses - marks->mended;
}

IcsFragments
ics_quic_count_fragments (IcsQuic *self, StreamEntry *entry)
{
  guint64 range = entry->sent - entry->acked, packet = MAX (self->packet_size, SMALLEST_PACKET), pieces;

  if (entry->uncounted > 0)
    {
      entry->uncounted--;
      return ICS_FRAGMENTS_FEW;
    }
  if (range < COUNTED_RANGE)
    {
      entry->losses.idle = TRUE;
      return ICS_FRAGMENTS_FEW;
    }
  pieces = MIN (range, self->in_flight + self->sent_since_acks) / packet / 2 + count_losses (self, entry);
  if (pieces < MANY_PIECES)
    {
      entry->uncounted = (guint)MIN (MANY_PIECES - pieces, UNCOUNTED);
      return ICS_FRAGMENTS_FEW;
    }
  return pieces < TOO_MANY_PIECES ? ICS_FRAGMENTS_MANY : ICS_FRAGMENTS_TOO_MANY;
}
