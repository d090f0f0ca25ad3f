/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/quic-bulk.h"
#include "tests/suite.h"
#include "transport/quic-conn-private.h"

/* What a move between paths changes, by a virtual clock. */

#define MBIT (1000000 / 8)

/* QUIC begins anew on the path in use: that is a move as well, and has an outcome. */
START_TEST (test_move_to_the_path_in_use)
{
  Sim sim;
  Bulk b;

  sim_init (&sim, sim_seed (), -1);
  sim_connect (&sim);
  ck_assert_uint_eq (ics_quic_get_move (sim.quic[0]), 0);
  ck_assert_int_eq (ics_quic_move (sim.quic[0], sim.now, 1, TRUE), ICS_QUIC_MOVE_STARTED);
  ck_assert_uint_eq (ics_quic_get_move (sim.quic[0]), 1);
  bulk_start (&sim, &b, (guint)_i, 1000000);
  ck_assert (sim_run (&sim, 10 * G_USEC_PER_SEC, bulk_done, &b));
  ck_assert_uint_eq (sim.moved[0], 1);
  ck_assert_uint_eq (sim.last_path[0], 1);
  ck_assert_uint_eq (ics_quic_get_move (sim.quic[0]), 0);
  ck_assert_uint_eq (sim.moved[1], 0); /* for the peer the path is the same */
  bulk_clear (&b);
  sim_clear (&sim);
}
END_TEST

static gboolean
half_done (Sim *sim, gpointer user_data)
{
  Bulk *b = user_data;

  return bulk_done (sim, b) || b->read > b->size / 2;
}

/* Where @side sends now, how much it may have in flight, and the round-trip time it reckons with. */
static void
get_state (Sim *sim, guint side, ngtcp2_conn_info *info)
{
  ngtcp2_conn_get_conn_info (sim->quic[side]->conn, info);
}

static gboolean
has_followed (Sim *sim, gpointer user_data)
{
  bulk_done (sim, user_data);
  return sim->moved[0] > 0 && sim->moved[1] > 0;
}

/* @_i & 1: which side sends; @_i & 2: whether the client moves at once. RFC 9000 §9.4 */
START_TEST (test_congestion_state_is_fresh)
{
  guint side = (guint)_i & 1;
  ngtcp2_conn_info start, old, fresh;
  Sim sim;
  Bulk b;

  sim_init (&sim, sim_seed (), -1);
  sim.paths[1].rate = 100 * MBIT;
  sim.paths[1].delay_us = 40000;
  sim.paths[3].rate = 20 * MBIT;
  sim.paths[3].delay_us = 10000;
  get_state (&sim, 0, &start);
  sim_connect (&sim);
  bulk_start (&sim, &b, side, 40000000);
  ck_assert (sim_run (&sim, 20 * G_USEC_PER_SEC, half_done, &b));
  get_state (&sim, side, &old);
  ck_assert_uint_gt (old.cwnd, 20 * start.cwnd);
  ck_assert_uint_ge (old.min_rtt, 80 * NGTCP2_MILLISECONDS);
  ck_assert_int_eq (ics_quic_move (sim.quic[0], sim.now, 3, (_i & 2) != 0), ICS_QUIC_MOVE_STARTED);
  ck_assert (sim_run (&sim, G_USEC_PER_SEC, has_followed, &b));
  get_state (&sim, side, &fresh);
  ck_assert_uint_le (fresh.cwnd, 2 * start.cwnd);
  ck_assert (sim_run (&sim, 60 * G_USEC_PER_SEC, bulk_done, &b));
  get_state (&sim, side, &fresh);
  g_print ("window %u -> %u bytes, least round trip %u -> %u ms\n", (guint)old.cwnd, (guint)fresh.cwnd,
           (guint)(old.min_rtt / NGTCP2_MILLISECONDS), (guint)(fresh.min_rtt / NGTCP2_MILLISECONDS));
  ck_assert_uint_lt (fresh.min_rtt, 40 * NGTCP2_MILLISECONDS);
  bulk_clear (&b);
  sim_clear (&sim);
}
END_TEST

/* Data both ways as fast as it goes, to a listener that reads in bursts, and moves between paths that fail
 * one way, again and again: the client is often blocked by the stream's window when the listener may send but
 * little (RFC 9000 §8.1), and then MAX_STREAM_DATA does not fit into its packets. */
typedef struct
{
  Bulk both[2];
  gint64 next, next_read;
  guint path;
} Trouble;

static void
make_trouble (Sim *sim, Trouble *t)
{
  gboolean immediate = g_rand_boolean (sim->rand);

  t->next = sim->now + g_rand_int_range (sim->rand, 200000, 600000);
  for (guint i = 0; i < SIM_PATHS; i++)
    sim->paths[i].dead[0] = sim->paths[i].dead[1] = FALSE;
  if (g_rand_int_range (sim->rand, 0, 3) == 0)
    sim->paths[t->path].dead[g_rand_int_range (sim->rand, 0, 2)] = TRUE;
  else if (ics_quic_move (sim->quic[0], sim->now, 4 - t->path, immediate) == ICS_QUIC_MOVE_STARTED)
    t->path = 4 - t->path;
}

static gboolean
in_trouble (Sim *sim, gpointer user_data)
{
  Trouble *t = user_data;
  gboolean done = bulk_done (sim, &t->both[1]);

  bulk_write (&t->both[0]);
  if (sim->now >= t->next_read)
    {
      done = bulk_done (sim, &t->both[0]) && done;
      t->next_read = sim->now + g_rand_int_range (sim->rand, 0, 500000);
    }
  else
    done = FALSE;
  done = done || sim->closed[0] || sim->closed[1];
  if (sim->now >= t->next && !done)
    make_trouble (sim, t);
  return done;
}

START_TEST (test_both_ways_through_trouble)
{
  guint32 seed = sim_seed () + (guint32)_i;
  Trouble t = { .path = 1 };
  Sim sim;

  sim_init (&sim, seed, -1);
  for (guint i = 1; i < SIM_PATHS; i++)
    {
      sim.paths[i].rate = 200 * MBIT;
      sim.paths[i].delay_us = g_rand_int_range (sim.rand, 5000, 40000);
      sim.paths[i].loss = 0.01;
      sim.paths[i].queue = 500000;
    }
  sim_connect (&sim);
  t.next = sim.now + 100000;
  ics_quic_stream_unref (ics_quic_open_stream (sim.quic[0]));
  bulk_start (&sim, &t.both[0], 0, 40000000);
  bulk_start (&sim, &t.both[1], 1, 60000000);
  ck_assert_msg (sim_run (&sim, 300 * G_USEC_PER_SEC, in_trouble, &t), "stuck, seed %u", seed);
  for (guint i = 0; i < 2; i++)
    ck_assert_msg (!sim.closed[i], "seed %u: %s", seed,
                   sim.error[i] != NULL ? sim.error[i]->message : "closed");
  bulk_clear (&t.both[0]);
  bulk_clear (&t.both[1]);
  sim_clear (&sim);
}
END_TEST

static gboolean
reading (Sim *sim, gpointer user_data)
{
  bulk_done (sim, user_data);
  return FALSE;
}

/* The client has moved; all that the listener sends to the new path before it has validated it is lost, for
 * so long that the client has nothing more to say. When three times what came from there just filled the
 * window, ngtcp2 had taken its timer back and did not try the path any more, and both waited for ever. @_i:
 * what came. */
START_TEST (test_all_is_lost_before_validation)
{
  g_autofree guint8 *nothing = g_malloc0 (ICS_QUIC_MAX_DATAGRAM);
  Sim sim;
  Bulk b;

  sim_init (&sim, sim_seed (), -1);
  sim_connect (&sim);
  bulk_start (&sim, &b, 1, 40000000);
  ck_assert (sim_run (&sim, 20 * G_USEC_PER_SEC, half_done, &b));
  sim.paths[3].dead[1] = TRUE;
  ck_assert_int_eq (ics_quic_move (sim.quic[0], sim.now, 3, TRUE), ICS_QUIC_MOVE_STARTED);
  for (guint i = 0; i < 5; i++)
    {
      g_autoptr (GBytes) datagram = g_bytes_new (nothing, (gsize)_i * 20);

      ics_quic_send_datagram (sim.quic[0], datagram);
      sim_run (&sim, 20000, reading, &b);
    }
  sim_run (&sim, 20 * G_USEC_PER_SEC, reading, &b);
  ck_assert_uint_ge (sim.moved[1], 1);
  sim.paths[3].dead[1] = FALSE;
  ck_assert (sim_run (&sim, 100 * G_USEC_PER_SEC, bulk_done, &b));
  bulk_clear (&b);
  sim_clear (&sim);
}
END_TEST

/* What the limit of RFC 9000 §8.1 leaves a listener after a move: packets that hold one small frame. */
static void
write_small_packets (Sim *sim)
{
  guint8 buf[ICS_QUIC_MAX_PACKET];
  ngtcp2_path_storage ps;
  ngtcp2_pkt_info pi;

  ics_quic_serve_streams (sim->quic[1]);
  ngtcp2_path_storage_zero (&ps);
  for (gsize cap = 30; cap < 36; cap++)
    {
      ngtcp2_ssize n = ngtcp2_conn_writev_stream (sim->quic[1]->conn, &ps.path, &pi, buf, cap, NULL, 0, -1,
                                                  NULL, 0, ics_quic_ts (sim->now));

      ck_assert_int_ge (n, 0);
      if (n > 0)
        ics_quic_read (sim->quic[0], sim->now, 1, buf, (gsize)n);
    }
}

static gboolean
write_only (Sim *sim, gpointer user_data)
{
  bulk_write (user_data);
  return FALSE;
}

/* The sender has used up its window, then all of it is read at once: see ICS_ERROR_IS_DOUBTFUL. */
START_TEST (test_window_told_in_small_packets)
{
  Sim sim;
  Bulk b;

  sim_init (&sim, sim_seed (), -1);
  sim_connect (&sim);
  bulk_start (&sim, &b, 0, 8000000);
  sim_run (&sim, G_USEC_PER_SEC, write_only, &b);
  for (guint i = 0; i < 5; i++)
    {
      bulk_read (&sim, &b);
      write_small_packets (&sim);
      /* The client sends what it may now, before the listener writes anything else. */
      for (IcsQuicBatch batch; ics_quic_write (sim.quic[0], sim.now, ICS_QUIC_BATCH_SIZE, &batch);)
        for (gsize at = 0, n; at < batch.len; at += n)
          {
            n = ics_quic_batch_packet (&batch, at);
            ics_quic_read (sim.quic[1], sim.now, 1, batch.data + at, n);
          }
      sim_run (&sim, 200000, write_only, &b);
      ck_assert_msg (!sim.closed[1], "%s", sim.error[1] != NULL ? sim.error[1]->message : "closed");
    }
  ck_assert (sim_run (&sim, 60 * G_USEC_PER_SEC, bulk_done, &b));
  bulk_clear (&b);
  sim_clear (&sim);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { test_move_to_the_path_in_use, 2 },      { test_congestion_state_is_fresh, 4 },
    { test_both_ways_through_trouble, 8 },    { test_all_is_lost_before_validation, 20 },
    { test_window_told_in_small_packets, 1 },
  };

  return run_loops ("quic-move", tests, G_N_ELEMENTS (tests));
}
