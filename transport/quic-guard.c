/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/quic-conn-private.h"

/* Congestion state after a move (RFC 9000 §9.4: packets of the old path must not count on the new one).
 *
 * Before 1.11 (its commit 137f02df) ngtcp2 takes an acknowledgement that is still under way from the old path
 * for one of the new path. "Delivered so far" was set to 0 at the move, and what that packet remembers of it
 * was not: the difference is negative, in unsigned numbers a rate of some Tbit/s. BBR believes it until as
 * much was delivered on the new path as on the old one, and longer, and has neither window nor pace: every
 * second packet found the queue full (50 Mbit/s, 40 ms).
 *
 * As long as that rate is absurd, what is under way is bounded here, as BBR does it: by one and a half
 * times the highest rate of late, times the least round-trip time; while the rate still grows, by enough for
 * ngtcp2's window to double. New data waits then; what ngtcp2 repeats does not, but is paced.
 * Acknowledgements go as ever. */

/* What no path of ours has: 100 Gbit/s, or under way 16 times what flow control allows. What such a
 * difference comes to is a matter of chance, and of how much time it is divided by: on a short path the rate
 * tells, on a long one the product. */
#define SPOILT_RATE 12.5 /* bytes per nanosecond */
#define SPOILT_PRODUCT (16.0 * ICS_QUIC_CONN_WINDOW)
#define IN_FLIGHT_GAIN 1.5
#define GROWTH_GAIN 4
/* The rate of the best round, and what is left of it with each other one: half after 23 */
#define KEPT_RATE 0.97
#define GROWTH 1.25
/* What a limit allows shows in the rate of the next round but one. */
#define GROWTH_ROUNDS 1
/* ngtcp2's own window, which doubles, is bound enough for so long. */
#define FREE_ROUNDS 2
/* Timers, and acknowledgements that come together. */
#define JITTER_US 2000
/* So far above the limit, by what is repeated, it is paced. */
#define OVERSHOOT 1.25
#define DRAIN_PACE 0.5
#define INITIAL_WINDOW (10 * ICS_QUIC_MAX_PACKET) /* RFC 9002 §7.2 */

static guint64
count_all_losses (IcsQuic *self)
{
  GHashTableIter iter;
  gpointer value;
  guint64 losses = 0;

  g_hash_table_iter_init (&iter, self->streams);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    losses += ngtcp2_conn_get_stream_loss_count (self->conn, ((StreamEntry *)value)->id);
  return losses;
}

static gboolean
is_spoilt (const ngtcp2_conn_info *info)
{
  double rate = ics_quic_pacing_rate (info);

  return ICS_QUIC_HAS_RTT (info)
         && (rate > SPOILT_RATE || rate * (double)info->smoothed_rtt > SPOILT_PRODUCT);
}

static void
end_round (IcsGuard *guard, gint64 now)
{
  double rate = (double)guard->round_delivered / (double)(now - guard->round_since);

  if (rate > GROWTH * guard->rate)
    guard->grown = guard->rounds;
  guard->rate = MAX (rate, KEPT_RATE * guard->rate);
  guard->rounds++;
  guard->round_since = now;
  guard->round_delivered = 0;
}

/* What left the network by being delivered. More losses than packets that left are losses of the old path. */
static void
count_delivered (IcsQuic *self, const ngtcp2_conn_info *info)
{
  IcsGuard *guard = &self->guard;
  guint64 before = self->in_flight + self->sent_since_acks, losses = count_all_losses (self), lost;
  guint64 left = before > info->bytes_in_flight ? before - info->bytes_in_flight : 0;

  lost = (losses - MIN (losses, guard->losses)) * self->packet_size;
  guard->losses = losses;
  if (left == 0)
    return;
  guard->round_delivered += lost < left ? left - lost : left;
  guard->min_rtt_us = MIN (guard->min_rtt_us, (gint64)(info->latest_rtt / NGTCP2_MICROSECONDS));
}

static guint64
get_limit (const IcsGuard *guard)
{
  double gain = guard->rounds - guard->grown <= GROWTH_ROUNDS ? GROWTH_GAIN : IN_FLIGHT_GAIN;

  if (guard->rounds < FREE_ROUNDS || guard->min_rtt_us == G_MAXINT64)
    return 0;
  return MAX ((guint64)(gain * guard->rate * (double)(guard->min_rtt_us + JITTER_US)), INITIAL_WINDOW);
}

/* At each acknowledgement, before @self takes note of what is in flight. */
void
ics_quic_guard_acks (IcsQuic *self, const ngtcp2_conn_info *info)
{
  IcsPathTag tag = ics_synthetic_path_tag (ngtcp2_conn_get_path (self->conn));
  IcsGuard *guard = &self->guard;

  guard->limit = 0;
  if (!ics_path_tag_equal (tag, guard->tag))
    *guard = (IcsGuard){ .tag = tag, .min_rtt_us = G_MAXINT64, .round_since = self->now };
  else if (is_spoilt (info))
    {
      count_delivered (self, info);
      if (self->now - guard->round_since
          >= MAX (JITTER_US, (gint64)(info->smoothed_rtt / NGTCP2_MICROSECONDS)))
        end_round (guard, self->now);
      guard->limit = get_limit (guard);
    }
}

gboolean
ics_quic_guard_holds (IcsQuic *self)
{
  return self->guard.limit > 0 && self->in_flight + self->sent_since_acks >= self->guard.limit;
}

double
ics_quic_guard_pace (IcsQuic *self)
{
  const IcsGuard *guard = &self->guard;

  if (guard->limit == 0
      || (double)(self->in_flight + self->sent_since_acks) < OVERSHOOT * (double)guard->limit)
    return 0;
  /* not by the rate, which may be next to nothing in the first rounds */
  return DRAIN_PACE * (double)guard->limit / (double)(guard->min_rtt_us + JITTER_US);
}
