/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/quic-bulk.h"
#include "tests/suite.h"

/* Streams that all have much to send take turns: how far the one gets ahead of the other. By a virtual clock.
 */

#define MBIT (1000000 / 8)

static const struct
{
  guint64 rate, size;
  gint64 delay_us;
  guint64 least, most; /* bytes by which one is ahead at times, and never is */
} cases[] = {
  /* What one packet's burst and the queue of the peer's reader add to a turn of 16 KiB is about as much
     again. */
  { 20 * MBIT, 10000000, 20000, 0, 64 * 1024 },
  { 10000 * (guint64)MBIT, 200000000, 200, 100 * 1024, 4 * 512 * 1024 },
};

typedef struct
{
  Bulk bulk[2];
  guint64 lead;
  guint64 after; /* bytes of both from which on it counts: the start is another matter */
} Race;

static gboolean
both_done (Sim *sim, gpointer user_data)
{
  Race *race = user_data;
  gboolean done[2];

  for (guint i = 0; i < 2; i++)
    done[i] = bulk_done (sim, &race->bulk[i]);
  if (race->bulk[0].read + race->bulk[1].read > race->after && !race->bulk[0].ended && !race->bulk[1].ended)
    race->lead = MAX (race->lead, (guint64)ABS ((gint64)(race->bulk[0].read - race->bulk[1].read)));
  return done[0] && done[1];
}

START_TEST (test_streams_take_turns)
{
  Race race = { 0 };
  IcsQuicStream *control = NULL;
  Sim sim;

  sim_init (&sim, sim_seed (), -1);
  sim.paths[1].rate = cases[_i / 2].rate;
  sim.paths[1].delay_us = cases[_i / 2].delay_us;
  sim.paths[1].queue = 1000000;
  sim_connect (&sim);
  race.after = cases[_i / 2].size / 2;
  if ((_i & 1) == 0) /* the client's first one is the control stream, which comes before all others */
    control = ics_quic_open_stream (sim.quic[0]);
  for (guint i = 0; i < 2; i++)
    bulk_start (&sim, &race.bulk[i], (guint)_i & 1, cases[_i / 2].size);
  ck_assert (sim_run (&sim, 120 * G_USEC_PER_SEC, both_done, &race));
  g_print ("one stream is ahead by up to %d kB\n", (int)(race.lead / 1000));
  ck_assert_uint_ge (race.lead, cases[_i / 2].least);
  ck_assert_uint_le (race.lead, cases[_i / 2].most);
  for (guint i = 0; i < 2; i++)
    bulk_clear (&race.bulk[i]);
  g_clear_pointer (&control, ics_quic_stream_unref);
  sim_clear (&sim);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { test_streams_take_turns, 2 * (int)G_N_ELEMENTS (cases) },
  };

  return run_loops ("quic-turns", tests, G_N_ELEMENTS (tests));
}
