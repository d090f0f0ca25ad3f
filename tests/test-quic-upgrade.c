/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/quic-bulk.h"
#include "tests/suite.h"

/* A move in the middle of a transfer, by a virtual clock: what the new path gets to see, and what the reader
 * gets meanwhile.
 *
 * Path 1 is the old one, path 3 the new one. In a hidden move the packets of path 1 travel over path 3 and
 * QUIC is not told: its congestion state is carried over. That is how it would be without RFC 9000 §9.4, and
 * shows that the measure of a test can tell. */

#define MBIT (1000000 / 8)
#define MS 1000
#define ENDLESS 4000000000

typedef enum
{
  VALIDATED,
  IMMEDIATE,
  HIDDEN
} How;

typedef struct
{
  guint mbit;
  guint rtt; /* ms */
} Wire;

typedef struct
{
  Wire old, new;
  guint before; /* ms of transfer on the old one */
} Case;

typedef struct
{
  Sim sim;
  Bulk bulk;
  guint side;
} Transfer;

/* A queue of twice what the wire holds. */
static void
make_path (SimPath *path, Wire wire)
{
  path->rate = wire.mbit * MBIT;
  path->delay_us = wire.rtt * MS / 2;
  path->queue = (gsize)MAX (2 * path->rate * wire.rtt / 1000, 20000);
}

static gboolean
never (Sim *sim, gpointer user_data)
{
  bulk_done (sim, &((Transfer *)user_data)->bulk);
  return FALSE;
}

static gboolean
sender_moved (Sim *sim, gpointer user_data)
{
  Transfer *t = user_data;

  bulk_done (sim, &t->bulk);
  return sim->moved[t->side] > 0;
}

static void
run (Transfer *t, gint64 us)
{
  sim_run (&t->sim, us, never, t);
}

static void
begin (Transfer *t, const Case *c, guint side)
{
  sim_init (&t->sim, sim_seed (), -1);
  make_path (&t->sim.paths[1], c->old);
  make_path (&t->sim.paths[3], c->new);
  t->side = side;
  sim_connect (&t->sim);
  bulk_start (&t->sim, &t->bulk, side, ENDLESS);
  run (t, c->before * MS);
}

/* Until the sender has moved. */
static void
move (Transfer *t, How how)
{
  if (how == HIDDEN)
    {
      t->sim.detour = 3;
      return;
    }
  ck_assert_int_eq (ics_quic_move (t->sim.quic[0], t->sim.now, 3, how == IMMEDIATE), ICS_QUIC_MOVE_STARTED);
  ck_assert (sim_run (&t->sim, G_USEC_PER_SEC, sender_moved, t));
}

static void
end (Transfer *t)
{
  bulk_clear (&t->bulk);
  sim_clear (&t->sim);
}

/* Bytes on the new path before anything can have come back from there. */
static guint
first_flight (const Case *c, guint side, How how)
{
  Transfer t;
  guint64 before, sent;

  begin (&t, c, side);
  before = t.sim.paths[3].bytes[side];
  move (&t, how);
  run (&t, c->new.rtt *MS - MS);
  sent = t.sim.paths[3].bytes[side] - before;
  end (&t);
  return (guint)sent;
}

/* RFC 9002 §7.2: ten packets, whatever the old path could take; two challenges, their answers,
 * and a packet that looks for the MTU.
 * @_i & 1: which side sends; @_i & 2: whether the client moves at once. */
START_TEST (test_first_flight)
{
  const Case c = { { 100, 80 }, { 100, 20 }, 1500 };
  guint limit = 14 * ICS_QUIC_MAX_PACKET, fresh, carried_over;

  fresh = first_flight (&c, _i & 1, _i & 2 ? IMMEDIATE : VALIDATED);
  carried_over = first_flight (&c, _i & 1, HIDDEN);
  g_print ("first flight: %u bytes, with the old state %u\n", fresh, carried_over);
  ck_assert_uint_le (fresh, limit);
  ck_assert_uint_gt (carried_over, 5 * limit);
}
END_TEST

/* Packets that the new path's queue could not take in the second after the move. */
static guint
overflow (const Case *c, guint side, How how)
{
  Transfer t;
  guint64 packets;

  begin (&t, c, side);
  move (&t, how);
  run (&t, G_USEC_PER_SEC);
  packets = t.sim.paths[3].overflowed[side];
  end (&t);
  return (guint)packets;
}

/* From a fat path to a narrow one, that carries 430 packets in that time: slow start overshoots once. The old
 * path held 2,000 packets, which ngtcp2 repeats. The old state is that of a second's transfer: later, BBR may
 * have left its start-up or not. */
START_TEST (test_move_to_a_narrow_path)
{
  const Case c = { { 100, 80 }, { 5, 20 }, 1000 };
  guint fresh = overflow (&c, (guint)_i, VALIDATED), carried_over = overflow (&c, (guint)_i, HIDDEN);

  g_print ("found the queue full: %u packets, with the old state %u\n", fresh, carried_over);
  ck_assert_uint_le (fresh, 500);
  ck_assert_uint_gt (carried_over, 5 * 500);
}
END_TEST

static guint
mbit_after (const Case *c, guint side, How how, guint rounds)
{
  Transfer t;
  guint64 read;

  begin (&t, c, side);
  move (&t, how);
  run (&t, rounds * c->new.rtt *MS);
  read = t.bulk.read;
  run (&t, 5 * c->new.rtt *MS);
  read = t.bulk.read - read;
  end (&t);
  return (guint)(read / MBIT * 1000 / (5 * c->new.rtt));
}

/* From a narrow path to a fat one: 14 kB are doubled in each round trip, 50 Mbit/s are 125 kB. */
START_TEST (test_move_to_a_fat_path)
{
  const Case c = { { 1, 100 }, { 100, 20 }, 1500 };
  guint fresh = mbit_after (&c, (guint)_i, VALIDATED, 10),
        carried_over = mbit_after (&c, (guint)_i, HIDDEN, 10);

  g_print ("ten round trips after the move: %u Mbit/s, with the old state %u\n", fresh, carried_over);
  ck_assert_uint_ge (fresh, 50);
  ck_assert_uint_lt (carried_over, 10);
}
END_TEST

/* What was acknowledged late, from the old path, must not spoil what is known of the new one: with ngtcp2
 * before 1.11 and without quic-guard.c, every second packet found the queue full. */
START_TEST (test_new_path_is_not_flooded)
{
  static const int rtts[] = { 40, 10, 4 };
  const Case c = { { 20, 40 }, { 50, rtts[_i / 2] }, 2000 };
  guint64 sent, lost, read;
  guint side = (guint)_i & 1;
  Transfer t;

  begin (&t, &c, side);
  move (&t, VALIDATED);
  run (&t, 1500 * MS);
  sent = t.sim.packets[side][3];
  lost = t.sim.paths[3].overflowed[side];
  read = t.bulk.read;
  run (&t, 3000 * MS);
  sent = t.sim.packets[side][3] - sent;
  lost = t.sim.paths[3].overflowed[side] - lost;
  read = t.bulk.read - read;
  g_print ("round trip %d ms on the new path: %u of %u packets found the queue full, %.2f of it used\n",
           rtts[_i / 2], (guint)lost, (guint)sent, (double)read / (3.0 * 50 * MBIT));
  ck_assert_uint_le (lost, sent / 100);
  ck_assert_uint_ge (read, 3 * 50 * MBIT * 9 / 10);
  end (&t);
}
END_TEST

/* What the reader has got, each millisecond. */
#define SAMPLES 4000

typedef struct
{
  Transfer t;
  gint64 start;
  guint n;
  guint64 read[SAMPLES];
} Record;

static gboolean
recording (Sim *sim, gpointer user_data)
{
  Record *r = user_data;

  bulk_done (sim, &r->t.bulk);
  while (r->n < SAMPLES && sim->now >= r->start + r->n * MS)
    r->read[r->n++] = r->t.bulk.read;
  return r->n == SAMPLES;
}

/* The least that arrived in @window ms, between two points of time. */
static guint64
least (const Record *r, guint window, guint from, guint to)
{
  guint64 found = G_MAXUINT64;

  for (guint i = from; i + window <= to; i++)
    found = MIN (found, r->read[i + window] - r->read[i]);
  return found;
}

/* By how much, at most, the reader falls behind a steady @rate (bytes per ms). */
static gint64
most_behind (const Record *r, double rate, guint from, guint to)
{
  gint64 behind = 0;

  for (guint i = from; i < to; i++)
    behind = MAX (behind, (gint64)(rate * (i - from)) - (gint64)(r->read[i] - r->read[from]));
  return behind;
}

/* The end of the first window, after the move began, that has four fifths of a faster path's rate. */
static guint
when_reached (const Record *r, guint window, const Case *c)
{
  guint64 enough = (guint64)c->new.mbit *MBIT *window / 1000 * 4 / 5;
  guint i = c->new.mbit > c->old.mbit ? 1000 : SAMPLES;

  while (i + window < SAMPLES - 1 && r->read[i + window] - r->read[i] < enough)
    i++;
  return MIN (i + window, SAMPLES - 1);
}

static void
record_upgrade (Record *r, const Case *c, guint side)
{
  begin (&r->t, c, side);
  r->start = r->t.sim.now;
  r->n = 0;
  sim_run (&r->t.sim, 1000 * MS, recording, r);
  ck_assert_int_eq (ics_quic_move (r->t.sim.quic[0], r->t.sim.now, 3, FALSE), ICS_QUIC_MOVE_STARTED);
  ck_assert (sim_run (&r->t.sim, SAMPLES * MS, recording, r));
  ck_assert_uint_eq (r->t.sim.moved[side], 1);
  end (&r->t);
}

/* Goodput while a better path comes, in each window of the relay's round-trip time or 100 ms; without random
 * losses, so that it is steady.
 *
 * It does not fall as long as the new path has caught up before the relay has run dry: QUIC sends on one path
 * at a time, and begins with 14 kB per round trip there, while what the relay holds still arrives. With a
 * round trip of an eighth of the relay's it has. With a longer one it can not have, whatever QUIC does. And
 * ngtcp2 repeats first what the relay holds, as soon as something sent later is acknowledged. How far the
 * reader then falls behind is bounded: by as much as the relay held, times the round trips of the new path in
 * one of the relay's, and that once more. */
static const struct
{
  Wire old, new;
  gboolean never_falls;
} upgrades[] = {
  { { 20, 80 }, { 100, 10 }, TRUE },  { { 10, 80 }, { 40, 10 }, TRUE },  { { 20, 40 }, { 100, 20 }, FALSE },
  { { 20, 40 }, { 100, 40 }, FALSE }, { { 20, 40 }, { 20, 40 }, FALSE }, { { 20, 40 }, { 100, 80 }, FALSE },
};

START_TEST (test_goodput_while_a_better_path_comes)
{
  const Case c = { upgrades[_i >> 1].old, upgrades[_i >> 1].new, 2000 };
  guint window = MAX (100, c.old.rtt), held;
  static Record r;
  guint64 steady, worst;
  gint64 behind;

  record_upgrade (&r, &c, _i & 1);
  steady = least (&r, window, 0, 1000);
  worst = least (&r, window, 1000 - window, when_reached (&r, window, &c));
  behind = most_behind (&r, (double)(r.read[1000] - r.read[0]) / 1000, 1000, SAMPLES);
  held = 3 * c.old.mbit * MBIT / 1000 * c.old.rtt; /* the wire and its queue */
  g_print (
      "relay %u Mbit/s %u ms, direct %u Mbit/s %u ms: least in %u ms %.2f of the relay's, behind %d kB\n",
      c.old.mbit, c.old.rtt, c.new.mbit, c.new.rtt, window, (double)worst / (double)steady,
      (int)behind / 1000);
  if (upgrades[_i >> 1].never_falls)
    ck_assert_uint_ge (worst, steady - 2 * ICS_QUIC_MAX_PACKET);
  ck_assert_int_le (behind, held + held * c.new.rtt / c.old.rtt);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { test_first_flight, 4 },
    { test_move_to_a_narrow_path, 2 },
    { test_move_to_a_fat_path, 2 },
    { test_new_path_is_not_flooded, 6 },
    { test_goodput_while_a_better_path_comes, 2 * (int)G_N_ELEMENTS (upgrades) },
  };

  return run_loops ("quic-upgrade", tests, G_N_ELEMENTS (tests));
}
