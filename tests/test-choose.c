/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path/choose.h"
#include <check.h>
#include <stdlib.h>

#define MS G_TIME_SPAN_MILLISECOND
#define SEC G_TIME_SPAN_SECOND
#define ALL_KINDS ((1u << ICS_N_PATH_KINDS) - 1)

enum
{
  CHANNEL,
  TURN,
  DIRECT,
  SECOND,
  N_PATHS
};

static IcsPathFacts facts[N_PATHS];
static IcsChooseInput input;

/* On the channel for long, and the TURN path alone is ready to take over. */
static void
setup (void)
{
  for (guint i = 0; i < N_PATHS; i++)
    facts[i] = (IcsPathFacts){
      .id = i + 1, .kind = MIN (i, ICS_PATH_DIRECT), .living = i <= TURN, .proven = i <= TURN, .srtt = 40 * MS
    };
  input = (IcsChooseInput){ .now = 100 * SEC, .allowed = ALL_KINDS, .active = CHANNEL + 1 };
}

static void
live (guint path)
{
  facts[path].living = facts[path].proven = TRUE;
}

static IcsChoice
ask (void)
{
  IcsChoice choice = ics_choose (facts, N_PATHS, &input);

  input.memory = choice.memory;
  return choice;
}

static guint
chosen (void)
{
  return ask ().path;
}

START_TEST (tier_goes_first)
{
  IcsChoice choice = ask ();

  ck_assert_uint_eq (choice.path, TURN + 1);
  ck_assert (!choice.immediate);
  ck_assert_int_eq (choice.reason, ICS_PATH_REASON_BETTER);
  live (DIRECT);
  facts[DIRECT].srtt = 400 * MS;
  facts[DIRECT].loss = 0.3;
  ck_assert_uint_eq (chosen (), DIRECT + 1);
  input.active = DIRECT + 1;
  ck_assert_uint_eq (chosen (), 0);
}
END_TEST

/* Of two direct paths the one over datagrams, however slow; and a direct stream before a TURN path. */
START_TEST (datagrams_before_streams)
{
  live (DIRECT);
  facts[DIRECT].streamed = TRUE;
  facts[DIRECT].srtt = 10 * MS;
  ck_assert_uint_eq (chosen (), DIRECT + 1);
  input.active = DIRECT + 1;
  ck_assert_uint_eq (chosen (), 0);
  live (SECOND);
  facts[SECOND].srtt = 400 * MS;
  ck_assert_uint_eq (chosen (), SECOND + 1);
  input.active = SECOND + 1;
  ck_assert_uint_eq (chosen (), 0);
  facts[SECOND].living = FALSE;
  ck_assert_uint_eq (chosen (), DIRECT + 1);
}
END_TEST

START_TEST (only_the_fit_are_moved_to)
{
  facts[TURN].proven = FALSE;
  ck_assert_uint_eq (chosen (), 0);
  facts[TURN].proven = TRUE;
  facts[TURN].suspect = TRUE;
  ck_assert_uint_eq (chosen (), 0);
  facts[TURN].suspect = FALSE;
  facts[TURN].living = FALSE;
  ck_assert_uint_eq (chosen (), 0);
  facts[TURN].living = TRUE;
  ck_assert_uint_eq (chosen (), TURN + 1);
}
END_TEST

START_TEST (a_round_trip_between_moves)
{
  IcsChoice choice;

  facts[CHANNEL].srtt = 200 * MS;
  input.last_move = input.now - 199 * MS;
  choice = ask ();
  ck_assert_uint_eq (choice.path, 0);
  ck_assert_int_eq (choice.wake, input.now + 1 * MS);
  input.now = choice.wake;
  ck_assert_uint_eq (chosen (), TURN + 1);
  facts[CHANNEL].srtt = 1 * MS;
  input.last_move = input.now - 49 * MS;
  ck_assert_uint_eq (chosen (), 0);
}
END_TEST

/* Two direct paths; the second is the challenger. */
static void
two_direct (gint64 active_rtt, gint64 challenger_rtt)
{
  live (DIRECT);
  live (SECOND);
  facts[DIRECT].srtt = active_rtt;
  facts[SECOND].srtt = challenger_rtt;
  input.active = DIRECT + 1;
}

static gboolean
wins_in_time (void)
{
  input.memory = (IcsChooseMemory){ 0 };
  if (ask ().path != 0)
    return FALSE;
  input.now += ICS_CHOOSE_DWELL;
  return ask ().path == SECOND + 1;
}

START_TEST (rtt_with_hysteresis)
{
  two_direct (20 * MS, 15 * MS);
  ck_assert (wins_in_time ());
  two_direct (20 * MS, 16 * MS);
  ck_assert (!wins_in_time ());
  two_direct (200 * MS, 180 * MS);
  ck_assert (wins_in_time ());
  two_direct (200 * MS, 181 * MS);
  ck_assert (!wins_in_time ());
}
END_TEST

START_TEST (a_moment_ahead_is_not_enough)
{
  IcsChoice choice;

  two_direct (40 * MS, 20 * MS);
  choice = ask ();
  ck_assert_uint_eq (choice.path, 0);
  ck_assert_int_eq (choice.wake, input.now + ICS_CHOOSE_DWELL);
  input.now += ICS_CHOOSE_DWELL - 1;
  facts[SECOND].srtt = 38 * MS;
  ck_assert_uint_eq (chosen (), 0);
  facts[SECOND].srtt = 20 * MS;
  input.now += 1;
  ck_assert_uint_eq (chosen (), 0);
  input.now += ICS_CHOOSE_DWELL;
  ck_assert_uint_eq (chosen (), SECOND + 1);
}
END_TEST

START_TEST (sideways_moves_are_rare)
{
  two_direct (40 * MS, 20 * MS);
  input.last_move = input.now;
  ck_assert_uint_eq (chosen (), 0);
  input.now += ICS_CHOOSE_SIDEWAYS_GAP - 1;
  ck_assert_uint_eq (chosen (), 0);
  input.now += 1;
  ck_assert_uint_eq (chosen (), SECOND + 1);
}
END_TEST

START_TEST (loss_decides_between_like_rtts)
{
  two_direct (40 * MS, 40 * MS);
  facts[DIRECT].loss = 0.10;
  facts[SECOND].loss = 0.04;
  ck_assert (wins_in_time ());
  facts[SECOND].loss = 0.06;
  ck_assert (!wins_in_time ());
  facts[SECOND].loss = 0.0;
  facts[SECOND].srtt = 60 * MS;
  ck_assert (!wins_in_time ());
}
END_TEST

START_TEST (rescue_takes_the_best_that_lives)
{
  IcsChoice choice;

  live (DIRECT);
  input.active = DIRECT + 1;
  input.last_move = input.now;
  facts[DIRECT].living = FALSE;
  choice = ask ();
  ck_assert_uint_eq (choice.path, TURN + 1);
  ck_assert (choice.immediate);
  ck_assert_int_eq (choice.reason, ICS_PATH_REASON_LOST);
  facts[TURN].suspect = TRUE;
  ck_assert_uint_eq (chosen (), CHANNEL + 1);
  facts[CHANNEL].living = FALSE;
  ck_assert_uint_eq (chosen (), TURN + 1);
  facts[TURN].living = FALSE;
  ck_assert_uint_eq (chosen (), 0);
  /* The first to answer, proven or not. */
  facts[SECOND].living = TRUE;
  ck_assert_uint_eq (chosen (), SECOND + 1);
  /* The active path is gone altogether. */
  input.active = 0;
  ck_assert_uint_eq (chosen (), SECOND + 1);
}
END_TEST

START_TEST (hold_down)
{
  IcsChoice choice;

  facts[TURN].held_until = input.now + SEC;
  choice = ask ();
  ck_assert_uint_eq (choice.path, 0);
  ck_assert_int_eq (choice.wake, input.now + SEC);
  /* Lifted when there is no other. */
  facts[CHANNEL].living = FALSE;
  ck_assert_uint_eq (chosen (), TURN + 1);
  facts[SECOND].living = TRUE;
  ck_assert_uint_eq (chosen (), SECOND + 1);
  setup ();
  facts[TURN].held_until = input.now;
  ck_assert_uint_eq (chosen (), TURN + 1);
}
END_TEST

START_TEST (policy_does_not_lift_a_hold_down)
{
  live (DIRECT);
  input.allowed = 1u << ICS_PATH_TURN | 1u << ICS_PATH_DIRECT;
  facts[DIRECT].held_until = input.now + SEC;
  facts[TURN].suspect = TRUE;
  ck_assert_uint_eq (chosen (), 0);
  facts[TURN].living = FALSE;
  ck_assert_uint_eq (chosen (), DIRECT + 1);
}
END_TEST

START_TEST (a_failed_move_is_not_repeated_at_once)
{
  IcsChoice choice;

  facts[CHANNEL].living = FALSE;
  facts[TURN].blocked_until = input.now + SEC;
  choice = ask ();
  ck_assert_uint_eq (choice.path, 0);
  ck_assert_int_eq (choice.wake, input.now + SEC);
  input.now += SEC;
  ck_assert_uint_eq (chosen (), TURN + 1);
}
END_TEST

START_TEST (broken_active_path)
{
  input.active = TURN + 1;
  ck_assert_uint_eq (chosen (), 0);
  input.broken = TRUE;
  facts[TURN].blocked_until = input.now + SEC;
  ck_assert_uint_eq (chosen (), CHANNEL + 1);
  facts[CHANNEL].living = FALSE;
  ck_assert_uint_eq (chosen (), 0);
  input.now += SEC;
  ck_assert_uint_eq (chosen (), TURN + 1);
}
END_TEST

START_TEST (policy_is_strict)
{
  IcsChoice choice;

  live (DIRECT);
  input.active = DIRECT + 1;
  input.allowed = 1u << ICS_PATH_TURN | 1u << ICS_PATH_CHANNEL;
  choice = ask ();
  ck_assert_uint_eq (choice.path, TURN + 1);
  ck_assert (!choice.immediate);
  ck_assert_int_eq (choice.reason, ICS_PATH_REASON_POLICY);
  facts[DIRECT].living = FALSE;
  input.allowed = 1u << ICS_PATH_DIRECT;
  ck_assert_uint_eq (chosen (), 0);
  input.active = 0;
  ck_assert_uint_eq (chosen (), 0);
}
END_TEST

/* Random facts: what is chosen is always allowed, alive, not blocked, and fit unless it is a rescue. */
START_TEST (random_facts)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed ((guint32)_i);

  for (guint round = 0; round < 20000; round++)
    {
      IcsChoice choice;
      IcsPathFacts *f;

      for (guint i = 0; i < N_PATHS; i++)
        facts[i] = (IcsPathFacts){
          .id = i + 1,
          .kind = (IcsPathKind)g_rand_int_range (rand, 0, ICS_N_PATH_KINDS),
          .living = g_rand_boolean (rand),
          .suspect = g_rand_int_range (rand, 0, 4) == 0,
          .proven = g_rand_boolean (rand),
          .held_until = g_rand_int_range (rand, 0, 3) == 0 ? 101 * SEC : 0,
          .blocked_until = g_rand_int_range (rand, 0, 3) == 0 ? 102 * SEC : 0,
          .srtt = g_rand_int_range (rand, 0, 5) * 20 * MS,
          .loss = g_rand_double (rand),
        };
      input = (IcsChooseInput){ .now = 100 * SEC,
                                .allowed = (guint)g_rand_int_range (rand, 0, 8),
                                .active = (guint)g_rand_int_range (rand, 0, N_PATHS + 1) };
      choice = ask ();
      ck_assert_int_gt (choice.wake, input.now);
      if (choice.path == 0)
        continue;
      f = &facts[choice.path - 1];
      ck_assert (f->living && f->blocked_until <= input.now);
      ck_assert ((input.allowed & 1u << f->kind) != 0);
      ck_assert (choice.immediate || (f->proven && !f->suspect && choice.path != input.active));
      ck_assert_int_eq (choice.immediate, input.active == 0 || !facts[input.active - 1].living);
    }
}
END_TEST

static Suite *
suite (void)
{
  Suite *s = suite_create ("choose");
  TCase *t = tcase_create ("rule");

  tcase_add_checked_fixture (t, setup, NULL);
  tcase_add_test (t, tier_goes_first);
  tcase_add_test (t, datagrams_before_streams);
  tcase_add_test (t, only_the_fit_are_moved_to);
  tcase_add_test (t, a_round_trip_between_moves);
  tcase_add_test (t, rtt_with_hysteresis);
  tcase_add_test (t, a_moment_ahead_is_not_enough);
  tcase_add_test (t, sideways_moves_are_rare);
  tcase_add_test (t, loss_decides_between_like_rtts);
  tcase_add_test (t, rescue_takes_the_best_that_lives);
  tcase_add_test (t, hold_down);
  tcase_add_test (t, policy_does_not_lift_a_hold_down);
  tcase_add_test (t, a_failed_move_is_not_repeated_at_once);
  tcase_add_test (t, broken_active_path);
  tcase_add_test (t, policy_is_strict);
  tcase_add_loop_test (t, random_facts, 0, 4);
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
