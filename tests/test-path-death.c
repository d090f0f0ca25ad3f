/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is taken for a death, how soon, and what is not. */
#include "path-trio.h"
#include "suite.h"
#include <math.h>

/* Runs until the decider asks for one more move; how long that took, or @limit. */
static gint64
until_move (gint64 limit)
{
  gint64 begin = world->now;
  guint64 moves = world->moves;

  while (world->moves == moves && world->now < begin + limit)
    run_for (MS);
  return world->now - begin;
}

static gint64
busy_bound (gint64 rtt)
{
  return MAX (3 * rtt + 100 * MS, 300 * MS);
}

static gint64
idle_bound (gint64 rtt)
{
  return 1500 * MS - rtt / 2;
}

/* Either direction busy, cut either way or both ways, any phase of the probes. */
static void
blackhole (guint32 seed, gboolean busy)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  gint64 rtt = (gint64)exp (g_rand_double_range (rand, log (200), log (600 * MS)));
  gint64 bound = busy ? busy_bound (rtt) : idle_bound (rtt);
  int way = g_rand_int_range (rand, 0, 3);
  gint64 took;

  open_world (seed, 40 * MS, rtt / 2);
  if (busy)
    world_set_sends (world, g_rand_int_range (rand, 0, 2), TRUE);
  run_for ((busy ? 8 : 20) * SEC + g_rand_int_range (rand, 0, 2 * SEC));
  ck_assert_int_eq (active (0), direct);
  world->paths[direct].cut[0] = way != 1;
  world->paths[direct].cut[1] = way != 0;
  took = until_move (10 * SEC);
  ck_assert_msg (took <= bound + MS,
                 "seed %u: %s, RTT %" G_GINT64_FORMAT " ms, cut %d: %" G_GINT64_FORMAT
                 " ms, allowed %" G_GINT64_FORMAT,
                 seed, busy ? "busy" : "idle", rtt / MS, way, took / MS, bound / MS);
  ck_assert (world->last_move.immediate);
  ck_assert_int_eq (world->last_move.reason, ICS_PATH_REASON_LOST);
  ck_assert_int_eq (active (0), turn);
  close_world ();
}

START_TEST (busy_blackhole)
{
  for (guint32 i = 0; i < 20; i++)
    blackhole (1000 + 20 * (guint32)_i + i, TRUE);
}
END_TEST

START_TEST (idle_blackhole)
{
  for (guint32 i = 0; i < 20; i++)
    blackhole (5000 + 20 * (guint32)_i + i, FALSE);
}
END_TEST

/* A fall-back target that died unnoticed is found out when the active path is in doubt, unless it answered
 * just before. */
START_TEST (fallback_skips_a_dead_standby)
{
  guint64 visits = 0;

  for (guint phase = 0; phase < 20; phase++)
    {
      open_world (4, 20 * MS, 50 * MS);
      world_set_sends (world, 0, TRUE);
      run_for (10 * SEC + phase * 50 * MS);
      visits -= world->moves + 1;
      cut (direct, TRUE);
      cut (turn, TRUE);
      run_for (2 * SEC);
      ck_assert_int_eq (active (0), channel);
      visits += world->moves;
      close_world ();
    }
  ck_assert_uint_le (visits, 6);
}
END_TEST

START_TEST (nothing_lives)
{
  gint64 since = 0;
  gint64 before;

  open_world (5, 30 * MS, 10 * MS);
  run_for (2 * SEC);
  ck_assert (!ics_path_engine_is_lost (world->hosts[0].engine, NULL));
  for (int i = 0; i < 3; i++)
    cut (i, TRUE);
  before = world->now;
  run_for (60 * SEC);
  ck_assert (ics_path_engine_is_lost (world->hosts[0].engine, &since));
  ck_assert (ics_path_engine_is_lost (world->hosts[1].engine, NULL));
  ck_assert_int_gt (since, before);
  ck_assert_int_lt (since, before + 15 * SEC);
  cut (turn, FALSE);
  run_for (2 * SEC);
  ck_assert (!ics_path_engine_is_lost (world->hosts[0].engine, NULL));
  ck_assert_int_eq (active (0), turn);
  ck_assert_int_eq (active (1), turn);
  close_world ();
}
END_TEST

/* Two minutes of 30 % loss each way that sets in suddenly, half of the probes unanswered. A verdict by odds
 * may err: measured, one run in 300 sees a death. */
START_TEST (heavy_loss_is_not_death)
{
  guint runs_with_death = 0;

  for (guint i = 0; i < 24; i++)
    {
      guint64 deaths;

      open_world (100 + i, 40 * MS, (gint64[]){ 1 * MS, 25 * MS, 150 * MS }[i % 3]);
      run_for (5 * SEC);
      world_set_sends (world, i % 2, i < 12);
      for (int path = 0; path < 3; path++)
        world->paths[path].loss = 0.3;
      deaths = world->hosts[0].deaths;
      run_for (120 * SEC);
      runs_with_death += world->hosts[0].deaths != deaths;
      ck_assert_double_eq_tol (world_info (world, 0, direct).loss, 0.51, 0.3);
      close_world ();
    }
  ck_assert_uint_le (runs_with_death, 1);
}
END_TEST

START_TEST (jitter_is_not_death)
{
  guint64 moves, changes;

  open_world (200 + (guint32)_i, 40 * MS, 300 * MS);
  run_for (5 * SEC);
  world_set_sends (world, 0, TRUE);
  world->paths[direct].jitter = 800 * MS;
  moves = world->moves;
  changes = world->hosts[0].state_changes;
  run_for (60 * SEC);
  ck_assert_int_eq (active (0), direct);
  ck_assert_uint_eq (world->moves, moves);
  /* Nor is it doubt, most of the time. */
  ck_assert_uint_le (world->hosts[0].state_changes - changes, 30);
  close_world ();
}
END_TEST

/* After a stop of the process the answers lie in the sockets while the timers are overdue. */
START_TEST (sleep_is_not_death)
{
  guint64 deaths;

  /* Several probes are under way at any time. */
  open_world (13 + (guint32)_i, 30 * MS, 300 * MS);
  world_set_sends (world, 0, TRUE);
  world_set_sends (world, 1, TRUE);
  run_for (10 * SEC + _i * 7 * MS);
  deaths = world->hosts[0].deaths;
  world->hosts[0].asleep_until = world->now + 150 * MS + _i * 500 * MS;
  world->hosts[1].asleep_until = world->hosts[0].asleep_until;
  run_for (150 * MS + _i * 500 * MS + SEC);
  ck_assert_uint_eq (world->hosts[0].deaths, deaths);
  ck_assert_int_eq (active (0), direct);
  close_world ();
}
END_TEST

/* Data on a path that was idle must not wait for the idle pace. */
START_TEST (traffic_after_silence)
{
  open_world (31, 30 * MS, 10 * MS);
  run_for (20 * SEC + _i * 97 * MS);
  cut (direct, TRUE);
  run_for (20 * MS);
  world_set_sends (world, 0, TRUE);
  ck_assert_int_le (until_move (5 * SEC), 310 * MS);
  close_world ();
}
END_TEST

/* Answers that come when they like make an RTO long and the probes of doubt many. */
START_TEST (death_after_jitter)
{
  open_world (400 + (guint32)_i, 40 * MS, MS);
  world->paths[direct].jitter = 600 * MS;
  run_for (20 * SEC);
  ck_assert_int_eq (active (0), direct);
  world->paths[direct].delay = MS;
  world->paths[direct].jitter = 0;
  run_for (3 * SEC + _i * 170 * MS);
  cut (direct, TRUE);
  ck_assert_int_le (until_move (10 * SEC), 4 * SEC);
  close_world ();
}
END_TEST

/* The follower's carrier fails, which only it knows: its probes on the other paths tell. */
START_TEST (follower_is_down)
{
  open_world (500 + (guint32)_i, 30 * MS, 10 * MS);
  run_for (20 * SEC + _i * 97 * MS);
  ck_assert_int_eq (active (0), direct);
  cut (direct, TRUE);
  ics_path_engine_set_down (world->hosts[1].engine, world->now, world->paths[direct].id[1], TRUE);
  world_drain (world, 1);
  ck_assert_int_le (until_move (5 * SEC), 30 * MS + 300 * MS);
  run_for (SEC);
  ck_assert_int_eq (active (1), turn);
  close_world ();
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { busy_blackhole, 10 },     { idle_blackhole, 10 },         { fallback_skips_a_dead_standby, 1 },
    { nothing_lives, 1 },       { heavy_loss_is_not_death, 1 }, { jitter_is_not_death, 8 },
    { sleep_is_not_death, 10 }, { traffic_after_silence, 10 },  { death_after_jitter, 10 },
    { follower_is_down, 10 },
  };

  return run_loops ("path-death", tests, G_N_ELEMENTS (tests));
}
