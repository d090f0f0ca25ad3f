/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policies, consent, new addresses, and more than one path of a kind. */
#include "path-trio.h"
#include "suite.h"

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

/* A better path that was there all the time is moved to because of the policy, one found later because it is
 * better. A move that is under way ends when its target is no longer allowed. */
START_TEST (policy_at_run_time)
{
  open_world (8, 30 * MS, 10 * MS);
  world_set_allowed (world, 1u << ICS_PATH_TURN | 1u << ICS_PATH_CHANNEL);
  run_for (2 * SEC);
  ck_assert_int_eq (active (0), turn);
  ck_assert_int_eq (world->last_move.reason, ICS_PATH_REASON_BETTER);
  world_set_allowed (world, ALL_KINDS);
  run_for (200 * MS);
  ck_assert_int_eq (active (0), direct);
  ck_assert_int_eq (active (1), direct);
  ck_assert_int_eq (world->last_move.reason, ICS_PATH_REASON_POLICY);
  ck_assert (!world->last_move.immediate);
  world_set_allowed (world, 1u << ICS_PATH_CHANNEL);
  run_for (300 * MS);
  ck_assert_int_eq (active (0), channel);
  world_set_allowed (world, ALL_KINDS);
  ck_assert_int_eq (world->target, direct);
  world_set_allowed (world, 1u << ICS_PATH_TURN | 1u << ICS_PATH_CHANNEL);
  /* The transport has begun and may finish it; then the traffic leaves again. */
  run_for (300 * MS);
  ck_assert_int_eq (active (0), turn);
  ck_assert_int_eq (world->last_move.reason, ICS_PATH_REASON_POLICY);
  /* The direct path was not left because it died: it is taken back at once. */
  world_set_allowed (world, ALL_KINDS);
  run_for (100 * MS);
  ck_assert_int_eq (active (0), direct);
  close_world ();
}
END_TEST

/* An application that cannot make up its mind moves the traffic no oftener than QUIC likes. */
START_TEST (restless_policy)
{
  guint64 moves;

  open_world (8, 30 * MS, 10 * MS);
  run_for (2 * SEC);
  moves = world->moves;
  for (guint i = 0; i < 2000; i++)
    {
      world_set_allowed (world, i % 2 != 0 ? ALL_KINDS : 1u << ICS_PATH_TURN);
      run_for (MS);
    }
  ck_assert_uint_le (world->moves - moves, 2 * 2000 / 50 + 1);
  run_for (SEC);
  ck_assert_int_eq (active (0), direct);
  ck_assert_int_eq (active (1), direct);
  close_world ();
}
END_TEST

/* RFC 7675 §5.1: who does not answer for 30 s gets nothing but probes. */
START_TEST (consent)
{
  IcsPathEngine *engine;

  open_world (14, 30 * MS, 10 * MS);
  engine = world->hosts[0].engine;
  ck_assert (ics_path_engine_has_consent (engine, world->now, world->paths[channel].id[0]));
  ck_assert (ics_path_engine_has_consent (engine, world->now, world->paths[direct].id[0]));
  run_for (20 * SEC);
  world_set_sends (world, 0, TRUE);
  for (int i = 0; i < 3; i++)
    {
      ck_assert (ics_path_engine_has_consent (engine, world->now, world->paths[i].id[0]));
      /* The peer's probes alone do not say that it wants ours. */
      world->paths[i].cut[0] = TRUE;
    }
  run_for (24 * SEC);
  ck_assert (ics_path_engine_has_consent (engine, world->now, world->paths[direct].id[0]));
  run_for (7 * SEC);
  for (int i = 0; i < 3; i++)
    ck_assert (!ics_path_engine_has_consent (engine, world->now, world->paths[i].id[0]));
  world->paths[turn].cut[0] = FALSE;
  run_for (1100 * MS);
  ck_assert (ics_path_engine_has_consent (engine, world->now, world->paths[turn].id[0]));
  ck_assert_int_eq (active (0), turn);
  close_world ();
}
END_TEST

/* A new address keeps the path unless it is dead there; what was lost on the way to the old one is no
 * witness. */
START_TEST (roaming)
{
  guint64 moves, probes;

  open_world (15 + (guint32)_i, 30 * MS, 10 * MS);
  run_for (5 * SEC);
  world_set_sends (world, 0, TRUE);
  run_for (SEC);
  moves = world->moves;
  cut (direct, TRUE);
  run_for (250 * MS);
  probes = world->hosts[0].probes;
  ics_path_engine_on_roamed (world->hosts[0].engine, world->now, world->paths[direct].id[0]);
  world_drain (world, 0);
  ck_assert_uint_ge (world->hosts[0].probes, probes + 1);
  run_for (100 * MS);
  cut (direct, FALSE);
  run_for (5 * SEC);
  ck_assert_uint_eq (world->moves, moves);
  ck_assert_int_eq (active (0), direct);
  ics_path_engine_on_roamed (world->hosts[0].engine, world->now, world->paths[direct].id[0]);
  cut (direct, TRUE);
  run_for (320 * MS);
  ck_assert_int_eq (active (0), turn);
  close_world ();
}
END_TEST

/* The best of the relays that are known to live takes over, then the next one. */
START_TEST (several_relays)
{
  int near;

  open_world (16, 40 * MS, 5 * MS);
  near = world_add (world, ICS_PATH_TURN, 15 * MS);
  world_add (world, ICS_PATH_TURN, 60 * MS);
  run_for (5 * SEC);
  world_set_sends (world, 1, TRUE);
  run_for (SEC);
  ck_assert_int_eq (active (0), direct);
  cut (direct, TRUE);
  run_for (310 * MS);
  ck_assert_int_eq (active (0), near);
  run_for (SEC);
  cut (near, TRUE);
  run_for (310 * MS);
  ck_assert_int_eq (active (0), turn);
  ck_assert_int_eq (active (1), turn);
  /* Both back: the hold-down keeps the near one out for a while, not for good. */
  cut (near, FALSE);
  run_for (20 * SEC);
  ck_assert_int_eq (active (0), near);
  close_world ();
}
END_TEST

/* A fresh direct attempt proves itself beside the old one, which then goes. */
START_TEST (several_direct_paths)
{
  int fresh;
  guint64 moves;

  open_world (17, 40 * MS, 5 * MS);
  run_for (5 * SEC);
  ck_assert_int_eq (active (0), direct);
  fresh = world_add (world, ICS_PATH_DIRECT, 5 * MS);
  moves = world->moves;
  run_for (15 * SEC);
  ck_assert_uint_eq (world->moves, moves);
  world_set_sends (world, 0, TRUE);
  run_for (SEC);
  cut (direct, TRUE);
  run_for (300 * MS);
  ck_assert_int_eq (active (0), fresh);
  world_remove (world, direct);
  run_for (SEC);
  ck_assert_int_eq (active (1), fresh);
  close_world ();
}
END_TEST

/* What comes back without a word is noticed within a second. */
START_TEST (revival_is_noticed)
{
  gint64 begin;

  open_world (18, 30 * MS, 10 * MS);
  run_for (5 * SEC);
  cut (direct, TRUE);
  run_for (60 * SEC + _i * 130 * MS);
  ck_assert_int_eq (active (0), turn);
  cut (direct, FALSE);
  begin = world->now;
  while (active (0) != direct && world->now < begin + 5 * SEC)
    run_for (MS);
  ck_assert_int_le (world->now - begin, SEC + 100 * MS);
  close_world ();
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { policy, 1 },  { policy_at_run_time, 1 }, { restless_policy, 1 },      { consent, 1 },
    { roaming, 3 }, { several_relays, 1 },     { several_direct_paths, 1 }, { revival_is_noticed, 8 },
  };

  return run_loops ("path-rules", tests, G_N_ELEMENTS (tests));
}
