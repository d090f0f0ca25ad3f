/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path-trio.h"
#include "suite.h"

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

/* A path that dies each time traffic comes to it is left alone for longer and longer; only the first time,
 * and when the carrier says that the reason is over, not at all. */
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
            ck_assert_int_ge (world->now - left, visits == 1 ? 0 : MIN (2 * SEC << (visits - 1), 20 * SEC));
          if (visits == 1)
            ck_assert_int_le (world->now - left, 200 * MS);
        }
      ck_assert_uint_le (world->moves, moves + 2);
    }
  /* 0 + 4 + 8 + 16 + 13 * 20 s */
  ck_assert_uint_ge (visits, 16);
  ck_assert_uint_le (visits, 18);
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
  /* Nobody says that it is up again, but it answers. */
  run_for (1200 * MS);
  ck_assert_int_eq (world_info (world, 0, direct).state, ICS_PATH_STATE_ALIVE);
  ck_assert_int_eq (active (0), turn);
  cut (turn, TRUE);
  cut (channel, TRUE);
  world_set_sends (world, 0, TRUE);
  run_for (1300 * MS);
  ck_assert_int_eq (active (0), direct);
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
  /* The dead one like a living one that waits. */
  ck_assert_uint_ge (n, 120 + 24 + 120 - 4);
  ck_assert_uint_le (n, 120 + 24 + 120 + 4);
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

int
main (void)
{
  const SuiteLoop tests[] = {
    { climbs_to_direct, 1 },
    { upgrade_needs_two_replies, 1 },
    { hard_error_moves_in_the_same_poll, 1 },
    { removed_active_path, 1 },
    { flapping_is_held_down, 1 },
    { hold_down_is_lifted_when_alone, 1 },
    { unreported_move_times_out, 1 },
    { failed_moves_are_retried_with_backoff, 1 },
    { active_path_that_quic_cannot_use, 1 },
    { fallback_interrupts_an_upgrade, 1 },
    { pacing, 1 },
    { replayed_probes, 1 },
    { table_is_bounded, 1 },
    { follower_follows, 1 },
  };

  return run_loops ("path-engine", tests, G_N_ELEMENTS (tests));
}
