/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path-world.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>

#define ALL_KINDS ((1u << ICS_N_PATH_KINDS) - 1)

static World *world;
static int channel, turn, direct;

static void
open_world (guint32 seed, gint64 turn_delay, gint64 direct_delay)
{
  world = world_new (seed);
  channel = world_add (world, ICS_PATH_CHANNEL, 50 * MS);
  world_start (world, channel);
  turn = world_add (world, ICS_PATH_TURN, turn_delay);
  direct = world_add (world, ICS_PATH_DIRECT, direct_delay);
}

static void
close_world (void)
{
  world_free (world);
}

static void
run_for (gint64 time)
{
  world_run (world, world->now + time);
}

static int
active (int host)
{
  return world_index (world, host, ics_path_engine_get_active (world->hosts[host].engine));
}

static void
cut (int path, gboolean cut)
{
  world->paths[path].cut[0] = world->paths[path].cut[1] = cut;
}

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

START_TEST (climbs_to_direct)
{
  open_world (1, 30 * MS, 10 * MS);
  run_for (SEC);
  ck_assert_int_eq (active (0), direct);
  ck_assert_int_eq (active (1), direct);
  ck_assert_int_eq (world->last_move.reason, ICS_PATH_REASON_BETTER);
  ck_assert (!world->last_move.immediate);
  ck_assert_uint_le (world->moves, 2);
  ck_assert_int_eq (world_info (world, 0, direct).srtt_us, 20 * MS);
  ck_assert_int_eq (world_info (world, 1, direct).min_rtt_us, 20 * MS);
  close_world ();
}
END_TEST

/* One reply may be luck: the upgrade waits for two. */
START_TEST (upgrade_needs_two_replies)
{
  IcsPathEngineConfig config = { .decider = TRUE, .allowed = ALL_KINDS };
  g_autoptr (IcsPathEngine) engine = ics_path_engine_new (&config);
  IcsPathAction action;
  gint64 now = SEC;
  guint first = ics_path_engine_add (engine, now, ICS_PATH_CHANNEL);
  guint second = ics_path_engine_add (engine, now, ICS_PATH_DIRECT);
  guint replies = 0;
  gboolean moved = FALSE;

  ics_path_engine_set_active (engine, now, first);
  now += SEC / 10;
  while (replies < 3 && !moved)
    {
      while (ics_path_engine_poll (engine, now, &action))
        {
          moved |= action.type == ICS_PATH_ACTION_MOVE;
          if (action.type == ICS_PATH_ACTION_PROBE && action.path == second)
            {
              now += MS;
              ics_path_engine_on_probe_reply (engine, now, second, action.seq);
              replies++;
            }
          if (moved)
            break;
        }
    }
  ck_assert (moved);
  ck_assert_uint_eq (replies, 2);
}
END_TEST

static gint64
busy_bound (gint64 rtt)
{
  return MAX (3 * rtt + 100 * MS, 300 * MS);
}

static gint64
idle_bound (gint64 rtt)
{
  return MAX (1500 * MS - rtt, busy_bound (rtt));
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

static void
down (int path, gboolean is_down)
{
  ics_path_engine_set_down (world->hosts[0].engine, world->now, world->paths[path].id[0], is_down);
}

START_TEST (hard_error_moves_in_the_same_poll)
{
  open_world (2, 30 * MS, 10 * MS);
  run_for (2 * SEC);
  down (direct, TRUE);
  world_drain (world, 0);
  ck_assert_int_eq (active (0), turn);
  ck_assert (world->last_move.immediate);
  close_world ();
}
END_TEST

START_TEST (removed_active_path)
{
  open_world (3, 30 * MS, 10 * MS);
  run_for (2 * SEC);
  world_remove (world, direct);
  ck_assert_int_eq (active (0), turn);
  ck_assert_int_eq (world->last_move.reason, ICS_PATH_REASON_LOST);
  run_for (SEC);
  ck_assert_int_eq (active (1), turn);
  close_world ();
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

/* A path that dies each time traffic comes to it is left alone for longer and longer. */
START_TEST (flapping_is_held_down)
{
  guint visits = 0;
  guint64 moves;

  open_world (6, 30 * MS, 10 * MS);
  run_for (2 * SEC);
  for (gint64 end = world->now + 300 * SEC; world->now < end;)
    {
      moves = world->moves;
      if (active (0) == direct)
        {
          gint64 left = world->now;

          visits++;
          down (direct, TRUE);
          world_drain (world, 0);
          ck_assert_int_eq (active (0), turn);
          down (direct, FALSE);
          while (active (0) != direct && world->now < end)
            run_for (10 * MS);
          if (world->now < end)
            ck_assert_int_ge (world->now - left, MIN (2 * SEC << (visits - 1), 60 * SEC));
        }
      ck_assert_uint_le (world->moves, moves + 2);
    }
  /* 2 + 4 + 8 + 16 + 32 + 60 + 60 + 60 s */
  ck_assert_uint_ge (visits, 7);
  ck_assert_uint_le (visits, 9);
  close_world ();
}
END_TEST

START_TEST (hold_down_is_lifted_when_alone)
{
  open_world (7, 30 * MS, 10 * MS);
  run_for (2 * SEC);
  down (direct, TRUE);
  world_drain (world, 0);
  ck_assert_int_eq (active (0), turn);
  down (direct, FALSE);
  run_for (500 * MS);
  ck_assert_int_eq (active (0), turn);
  cut (turn, TRUE);
  cut (channel, TRUE);
  world_set_sends (world, 0, TRUE);
  run_for (1300 * MS);
  ck_assert_int_eq (active (0), direct);
  close_world ();
}
END_TEST

START_TEST (policy)
{
  open_world (8, 30 * MS, 10 * MS);
  run_for (2 * SEC);
  world_set_allowed (world, 1u << ICS_PATH_TURN | 1u << ICS_PATH_CHANNEL);
  run_for (SEC);
  ck_assert_int_eq (active (0), turn);
  ck_assert_int_eq (world->last_move.reason, ICS_PATH_REASON_POLICY);
  ck_assert (!world->last_move.immediate);
  world_set_allowed (world, 1u << ICS_PATH_DIRECT);
  run_for (SEC);
  ck_assert_int_eq (active (0), direct);
  cut (direct, TRUE);
  run_for (20 * SEC);
  /* Strictly nothing else, but the others stay warm. */
  ck_assert_int_eq (active (0), direct);
  ck_assert_int_eq (world_info (world, 0, channel).state, ICS_PATH_STATE_ALIVE);
  world_set_allowed (world, ALL_KINDS);
  ck_assert_int_eq (active (0), turn);
  close_world ();
}
END_TEST

/* A driver that never tells what became of a move must not stop the engine. */
START_TEST (unreported_move_times_out)
{
  guint64 moves;

  open_world (9, 30 * MS, 10 * MS);
  world->move_unreported = 1.0;
  run_for (SEC);
  moves = world->moves;
  ck_assert_uint_eq (moves, 1);
  run_for (1500 * MS);
  ck_assert_uint_eq (world->moves, moves);
  world->move_unreported = 0;
  run_for (2 * SEC);
  ck_assert_int_eq (active (0), direct);
  close_world ();
}
END_TEST

START_TEST (failed_moves_are_retried_with_backoff)
{
  open_world (10, 30 * MS, 10 * MS);
  world->move_fails = 1.0;
  run_for (60 * SEC);
  ck_assert_int_eq (active (0), channel);
  ck_assert_uint_ge (world->moves, 8);
  ck_assert_uint_le (world->moves, 40);
  world->move_fails = 0;
  run_for (11 * SEC);
  ck_assert_int_eq (active (0), direct);
  close_world ();
}
END_TEST

/* QUIC's validation fails after an immediate move was reported done: move again. */
START_TEST (active_path_that_quic_cannot_use)
{
  open_world (11, 30 * MS, 10 * MS);
  run_for (2 * SEC);
  ics_path_engine_on_move_failed (world->hosts[0].engine, world->now, world->paths[direct].id[0]);
  world_drain (world, 0);
  ck_assert_int_eq (active (0), turn);
  ck_assert (world->last_move.immediate);
  close_world ();
}
END_TEST

START_TEST (fallback_interrupts_an_upgrade)
{
  open_world (12, 30 * MS, 2000 * MS);
  while (world->target != direct && world->now < 1100 * SEC)
    run_for (MS);
  ck_assert (!world->immediate);
  ck_assert_int_eq (active (0), turn);
  down (turn, TRUE);
  world_drain (world, 0);
  ck_assert (world->last_move.immediate);
  ck_assert_int_ne (active (0), turn);
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

static guint64
probes_in (gint64 time)
{
  guint64 before = world->hosts[0].probes;

  run_for (time);
  return world->hosts[0].probes - before;
}

START_TEST (pacing)
{
  guint64 n;

  open_world (30, 30 * MS, 20 * MS);
  run_for (20 * SEC);
  n = probes_in (60 * SEC);
  ck_assert_uint_ge (n, 60 + 60 + 12 - 4);
  ck_assert_uint_le (n, 60 + 60 + 12 + 4);
  world_set_sends (world, 0, TRUE);
  run_for (SEC);
  n = probes_in (10 * SEC);
  ck_assert_uint_ge (n, 500 + 10);
  ck_assert_uint_le (n, 500 + 16);
  world_set_sends (world, 0, FALSE);
  cut (turn, TRUE);
  run_for (120 * SEC);
  n = probes_in (120 * SEC);
  ck_assert_uint_ge (n, 120 + 24 + 3);
  ck_assert_uint_le (n, 120 + 24 + 6);
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

START_TEST (replayed_probes)
{
  IcsPathEngineConfig config = { .decider = TRUE, .allowed = ALL_KINDS };
  g_autoptr (IcsPathEngine) engine = ics_path_engine_new (&config);
  guint path = ics_path_engine_add (engine, SEC, ICS_PATH_DIRECT);
  IcsPathStatus info;
  IcsPathAction action;

  ck_assert (ics_path_engine_poll (engine, SEC, &action));
  ck_assert_int_eq (action.type, ICS_PATH_ACTION_PROBE);
  ics_path_engine_on_probe_reply (engine, SEC, path, action.seq + 1);
  ics_path_engine_on_probe_reply (engine, SEC, path + 1, action.seq);
  ics_path_engine_get_info (engine, path, &info);
  ck_assert_int_eq (info.state, ICS_PATH_STATE_NEW);
  ics_path_engine_on_probe_reply (engine, SEC + 5 * MS, path, action.seq);
  ics_path_engine_on_probe_reply (engine, SEC + 90 * MS, path, action.seq);
  ics_path_engine_get_info (engine, path, &info);
  ck_assert_int_eq (info.srtt_us, 5 * MS);
  ck_assert_int_eq (info.state, ICS_PATH_STATE_ALIVE);

  ck_assert (ics_path_engine_on_ping (engine, SEC, path, 7));
  ck_assert (!ics_path_engine_on_ping (engine, SEC, path, 7));
  ck_assert (ics_path_engine_on_ping (engine, SEC, path, 6));
  ck_assert (ics_path_engine_on_ping (engine, SEC, path, 7000));
  ck_assert (!ics_path_engine_on_ping (engine, SEC, path, 6));
  ck_assert (!ics_path_engine_on_ping (engine, SEC, path, 0));
  ck_assert (!ics_path_engine_on_ping (engine, SEC, path + 1, 8));
}
END_TEST

START_TEST (table_is_bounded)
{
  IcsPathEngineConfig config = { .decider = TRUE, .allowed = ALL_KINDS };
  g_autoptr (IcsPathEngine) engine = ics_path_engine_new (&config);

  for (guint i = 1; i <= 32; i++)
    ck_assert_uint_eq (ics_path_engine_add (engine, SEC, ICS_PATH_DIRECT), i);
  ck_assert_uint_eq (ics_path_engine_add (engine, SEC, ICS_PATH_DIRECT), 0);
  ics_path_engine_remove (engine, SEC, 5);
  ck_assert_uint_eq (ics_path_engine_add (engine, SEC, ICS_PATH_DIRECT), 33);
}
END_TEST

/* The follower never moves anything; it follows and knows when all is lost. */
START_TEST (follower_follows)
{
  IcsPathEngineConfig config = { .decider = FALSE, .allowed = ALL_KINDS };
  g_autoptr (IcsPathEngine) engine = ics_path_engine_new (&config);
  guint first = ics_path_engine_add (engine, SEC, ICS_PATH_CHANNEL);
  guint second = ics_path_engine_add (engine, SEC, ICS_PATH_DIRECT);
  IcsPathAction action;

  ck_assert (ics_path_engine_is_lost (engine, NULL));
  ics_path_engine_set_active (engine, SEC, first);
  ck_assert (!ics_path_engine_is_lost (engine, NULL));
  ics_path_engine_set_down (engine, SEC, first, TRUE);
  for (gint64 now = SEC; now < 60 * SEC; now += 10 * MS)
    {
      ics_path_engine_handle_timeout (engine, now);
      while (ics_path_engine_poll (engine, now, &action))
        {
          ck_assert_int_ne (action.type, ICS_PATH_ACTION_MOVE);
          if (action.type == ICS_PATH_ACTION_PROBE && action.path == second)
            ics_path_engine_on_probe_reply (engine, now, second, action.seq);
        }
    }
  ck_assert_uint_eq (ics_path_engine_get_active (engine), first);
  ics_path_engine_on_moved (engine, 60 * SEC, second);
  ck_assert_uint_eq (ics_path_engine_get_active (engine), second);
}
END_TEST

static Suite *
suite (void)
{
  Suite *s = suite_create ("path-engine");
  TCase *t = tcase_create ("engine");

  tcase_set_timeout (t, 120);
  tcase_add_test (t, climbs_to_direct);
  tcase_add_test (t, upgrade_needs_two_replies);
  tcase_add_loop_test (t, busy_blackhole, 0, 10);
  tcase_add_loop_test (t, idle_blackhole, 0, 10);
  tcase_add_test (t, hard_error_moves_in_the_same_poll);
  tcase_add_test (t, removed_active_path);
  tcase_add_test (t, fallback_skips_a_dead_standby);
  tcase_add_test (t, nothing_lives);
  tcase_add_test (t, heavy_loss_is_not_death);
  tcase_add_loop_test (t, jitter_is_not_death, 0, 8);
  tcase_add_test (t, flapping_is_held_down);
  tcase_add_test (t, hold_down_is_lifted_when_alone);
  tcase_add_test (t, policy);
  tcase_add_test (t, unreported_move_times_out);
  tcase_add_test (t, failed_moves_are_retried_with_backoff);
  tcase_add_test (t, active_path_that_quic_cannot_use);
  tcase_add_test (t, fallback_interrupts_an_upgrade);
  tcase_add_loop_test (t, sleep_is_not_death, 0, 10);
  tcase_add_test (t, pacing);
  tcase_add_loop_test (t, traffic_after_silence, 0, 10);
  tcase_add_test (t, replayed_probes);
  tcase_add_test (t, table_is_bounded);
  tcase_add_test (t, follower_follows);
  suite_add_tcase (s, t);
  return s;
}

int
main (void)
{
  SRunner *runner = srunner_create (suite ());
  int failed;

  srunner_run_all (runner, CK_ENV);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
