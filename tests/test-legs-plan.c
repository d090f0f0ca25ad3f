/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plan of a leg's attempts, on a virtual clock. */
#include "tests/legs.h"
#include "tests/suite.h"

static const IcsLegRoutes three_servers = { .items = { { .relays = ICS_RELAYS_JOINER },
                                                       { .relays = ICS_RELAYS_JOINER, .joiner_server = 1 },
                                                       { .relays = ICS_RELAYS_JOINER, .joiner_server = 2 } },
                                            .len = 3 };

/* What the plan wants done: "+1J" starts attempt 1, "-1" ends it. */
static char *
actions (IcsLegPlan *plan)
{
  GString *text = g_string_new (NULL);
  IcsLegPlanAction action;

  while (ics_leg_plan_poll (plan, &action))
    {
      g_string_append (text, text->len > 0 ? " " : "");
      switch (action.type)
        {
        case ICS_LEG_PLAN_START:
          g_string_append_printf (text, "+%u%c", action.number, "-JLB"[action.route.relays]);
          break;
        case ICS_LEG_PLAN_END:
          g_string_append_printf (text, "-%u", action.number);
          break;
        }
    }
  return g_string_free (text, FALSE);
}

static void
expect (IcsLegPlan *plan, const char *what)
{
  g_autofree char *text = actions (plan);

  ck_assert_str_eq (text, what);
}

/* The plan's next time-out is at @at, and then this is done. */
static void
expect_at (IcsLegPlan *plan, gint64 at, const char *what)
{
  ck_assert_int_eq (ics_leg_plan_next_timeout (plan), at);
  ics_leg_plan_handle_timeout (plan, at);
  expect (plan, what);
}

START_TEST (test_ladder_by_time)
{
  g_autoptr (IcsLegPlan) plan = ics_leg_plan_new (&turn_config);

  ck_assert_int_eq (ics_leg_plan_next_timeout (plan), G_MAXINT64);
  ics_leg_plan_set_routes (plan, S, &one_server);
  expect (plan, "+1J");
  expect_at (plan, 2 * S, "+2L");
  expect_at (plan, 3 * S, "+3B");
  ck_assert_int_eq (ics_leg_plan_next_timeout (plan), G_MAXINT64);
  /* One hop was only late: it is waited for, and takes over from two. */
  ics_leg_plan_on_proved (plan, 4 * S, 3, "192.0.2.1");
  ics_leg_plan_set_active (plan, 4 * S, 3);
  expect_at (plan, 7 * S, "");
  ics_leg_plan_on_proved (plan, 8 * S, 2, "192.0.2.1");
  expect_at (plan, 11 * S, "-3 -1");
}
END_TEST

/* No second path over the same relay; what came to nothing in time is given up. */
START_TEST (test_redundant)
{
  g_autoptr (IcsLegPlan) plan = ics_leg_plan_new (&turn_config);

  ics_leg_plan_set_routes (plan, 0, &three_servers);
  expect (plan, "+1J +2J +3J");
  ics_leg_plan_on_proved (plan, MS, 1, "192.0.2.1");
  ics_leg_plan_on_proved (plan, 2 * MS, 2, "192.0.2.1");
  ics_leg_plan_set_rtt (plan, 1, 80 * MS);
  ics_leg_plan_set_rtt (plan, 2, 40 * MS);
  expect_at (plan, 3 * S + MS, "-3 -1");
}
END_TEST

static const IcsLegPlanConfig patient_config = {
  .retry_min = 5 * S, .retry_max = 120 * S, .at_once = TRUE, .patience = 1500 * MS, .keep = 1, .max = 2
};

/* A leg that stands back costs nothing as long as another one serves. */
START_TEST (test_stands_back)
{
  g_autoptr (IcsLegPlan) plan = ics_leg_plan_new (&patient_config);

  ics_leg_plan_set_routes (plan, 0, &direct_route);
  ics_leg_plan_renew (plan, 0);
  expect (plan, "");
  ck_assert_int_eq (ics_leg_plan_next_timeout (plan), G_MAXINT64);
  ics_leg_plan_set_needed (plan, S, TRUE);
  expect_at (plan, 2500 * MS, "+1-");
  ics_leg_plan_set_needed (plan, 3 * S, FALSE);
  expect (plan, "-1");
  ck_assert_int_eq (ics_leg_plan_next_timeout (plan), G_MAXINT64);
  /* Not needed any more before its time came. */
  ics_leg_plan_set_needed (plan, 10 * S, TRUE);
  ics_leg_plan_set_needed (plan, 11 * S, FALSE);
  ck_assert_int_eq (ics_leg_plan_next_timeout (plan), G_MAXINT64);
  expect (plan, "");
}
END_TEST

START_TEST (test_spare_of_one_that_stands_back)
{
  g_autoptr (IcsLegPlan) plan = ics_leg_plan_new (&patient_config);

  ics_leg_plan_set_needed (plan, 0, TRUE);
  ics_leg_plan_set_routes (plan, 0, &direct_route);
  expect_at (plan, 1500 * MS, "+1-");
  ics_leg_plan_on_proved (plan, 2 * S, 1, NULL);
  ck_assert (ics_leg_plan_serves (plan));
  ics_leg_plan_handle_timeout (plan, 2 * S);
  /* What it has found stays; when that dies, it is looked for anew only if it is needed. */
  ics_leg_plan_set_needed (plan, 3 * S, FALSE);
  expect (plan, "");
  ics_leg_plan_on_died (plan, 10 * S, 1);
  ck_assert (!ics_leg_plan_serves (plan));
  ck_assert_int_eq (ics_leg_plan_next_timeout (plan), G_MAXINT64);
  ics_leg_plan_set_needed (plan, 20 * S, TRUE);
  expect_at (plan, 21500 * MS, "+2-");
  ics_leg_plan_on_ended (plan, 25 * S, 2);
  expect_at (plan, 30 * S, "+3-");
}
END_TEST

START_TEST (test_patience_ends)
{
  g_autoptr (IcsLegPlan) plan = ics_leg_plan_new (&patient_config);

  ics_leg_plan_hurry (plan, 0);
  ics_leg_plan_set_routes (plan, 0, &direct_route);
  ics_leg_plan_set_needed (plan, 0, TRUE);
  ics_leg_plan_hurry (plan, 200 * MS);
  expect_at (plan, 200 * MS, "+1-");
  /* The pause after a failure is another thing. */
  ics_leg_plan_on_ended (plan, S, 1);
  ics_leg_plan_hurry (plan, S);
  expect_at (plan, 6 * S, "+2-");
}
END_TEST

START_TEST (test_ladder_by_failure)
{
  g_autoptr (IcsLegPlan) plan = ics_leg_plan_new (&turn_config);

  ics_leg_plan_set_routes (plan, S, &one_server);
  expect (plan, "+1J");
  ics_leg_plan_on_ended (plan, S + 100 * MS, 1);
  expect (plan, "+2L");
  ics_leg_plan_on_ended (plan, S + 200 * MS, 2);
  expect (plan, "+3B");
  /* All failed: again after a pause, which doubles up to its maximum. */
  ics_leg_plan_on_ended (plan, 2 * S, 3);
  expect (plan, "");
  expect_at (plan, 3 * S, "+4J");
  for (guint number = 4, i = 0; i < 12; i++, number += 3)
    {
      gint64 now = (gint64)(i + 1) * 1000 * S;

      for (guint k = 0; k < 3; k++)
        ics_leg_plan_on_ended (plan, now, number + k);
      g_free (actions (plan));
      ck_assert_int_eq (ics_leg_plan_next_timeout (plan), now + MIN ((gint64)2 << MIN (i, 10), 60) * S);
      ics_leg_plan_handle_timeout (plan, now + 60 * S);
      g_free (actions (plan));
    }
}
END_TEST

/* A path that is proved in time: no second rung. */
START_TEST (test_one_suffices)
{
  g_autoptr (IcsLegPlan) plan = ics_leg_plan_new (&turn_config);

  ics_leg_plan_set_routes (plan, S, &one_server);
  expect (plan, "+1J");
  ics_leg_plan_on_proved (plan, S + 300 * MS, 1, "192.0.2.1");
  expect_at (plan, 4 * S + 300 * MS, "");
  ck_assert_int_eq (ics_leg_plan_next_timeout (plan), G_MAXINT64);
}
END_TEST

START_TEST (test_best_and_a_spare)
{
  g_autoptr (IcsLegPlan) plan = ics_leg_plan_new (&turn_config);

  ics_leg_plan_set_routes (plan, 0, &three_servers);
  expect (plan, "+1J +2J +3J");
  for (guint i = 1; i <= 3; i++)
    {
      g_autofree char *relay = g_strdup_printf ("192.0.2.%u", i);

      ics_leg_plan_on_proved (plan, i, i, relay);
      ics_leg_plan_set_rtt (plan, i, (gint64)(10 - i) * MS);
    }
  expect_at (plan, 1 + 3 * S, "-1");
  /* The spare is there when the best one dies; another is looked for. */
  ics_leg_plan_on_died (plan, 10 * S, 3);
  expect_at (plan, 11 * S, "+4J +5J +6J");
  /* The last one dies as well: not after a pause, but not before the search that just began could succeed. */
  ics_leg_plan_on_died (plan, 11 * S + MS, 2);
  expect_at (plan, 12 * S, "+7J +8J +9J");
}
END_TEST

START_TEST (test_at_once)
{
  g_autoptr (IcsLegPlan) plan = ics_leg_plan_new (&turn_config);

  ics_leg_plan_set_routes (plan, 0, &one_server);
  ics_leg_plan_on_proved (plan, S, 1, "192.0.2.1");
  ics_leg_plan_handle_timeout (plan, 4 * S);
  expect (plan, "+1J");
  ics_leg_plan_on_died (plan, 60 * S, 1);
  expect_at (plan, 60 * S, "+2J");
  /* The old one comes back: the new one is a choice all the same. */
  ics_leg_plan_on_proved (plan, 60 * S + MS, 1, "192.0.2.1");
  ics_leg_plan_on_proved (plan, 60 * S + 2 * MS, 2, "192.0.2.1");
  ics_leg_plan_set_active (plan, 60 * S + 3 * MS, 1);
  expect_at (plan, 63 * S + 2 * MS, "-2");
}
END_TEST

/* Attempt 1 of the direct leg is proved and carries the traffic. */
static void
begin_direct (IcsLegPlan *plan)
{
  ics_leg_plan_set_routes (plan, 0, &direct_route);
  expect (plan, "+1-");
  ics_leg_plan_on_proved (plan, MS, 1, NULL);
  ics_leg_plan_set_active (plan, MS, 1);
  ics_leg_plan_handle_timeout (plan, MS);
}

/* Make before break: a path that carries the traffic is never ended, the others are when a new one is proved.
 */
START_TEST (test_renew)
{
  g_autoptr (IcsLegPlan) plan = ics_leg_plan_new (&direct_config);

  begin_direct (plan);
  for (guint i = 0; i < 3; i++)
    ics_leg_plan_renew (plan, 2 * MS);
  expect_at (plan, S, "+2-");
  ics_leg_plan_on_proved (plan, 2 * S, 2, NULL);
  expect_at (plan, 2 * S, "");
  ics_leg_plan_renew (plan, 9 * S);
  expect_at (plan, 9 * S, "+3-");
  ics_leg_plan_on_proved (plan, 10 * S, 3, NULL);
  expect_at (plan, 10 * S, "-2");
  ics_leg_plan_set_active (plan, 11 * S, 3);
  ics_leg_plan_renew (plan, 12 * S);
  ics_leg_plan_handle_timeout (plan, 12 * S);
  expect (plan, "+4-");
  ics_leg_plan_on_proved (plan, 13 * S, 4, NULL);
  expect_at (plan, 13 * S, "-1");
}
END_TEST

/* What shall not last ends when there is something new, and not before, also when the traffic is on it. */
START_TEST (test_replace)
{
  g_autoptr (IcsLegPlan) plan = ics_leg_plan_new (&direct_config);

  begin_direct (plan);
  ics_leg_plan_replace (plan, 2 * S);
  expect_at (plan, 2 * S, "+2-");
  ics_leg_plan_on_ended (plan, 3 * S, 2);
  ics_leg_plan_renew (plan, 4 * S);
  expect_at (plan, 4 * S, "+3-");
  /* What is being tried is to be replaced as well. */
  ics_leg_plan_replace (plan, 4 * S);
  ics_leg_plan_on_proved (plan, 4 * S, 3, NULL);
  expect_at (plan, 4 * S, "");
  expect_at (plan, 5 * S, "+4-");
  ics_leg_plan_on_proved (plan, 6 * S, 4, NULL);
  expect_at (plan, 6 * S, "-3 -1");
}
END_TEST

START_TEST (test_direct_backoff)
{
  g_autoptr (IcsLegPlan) plan = ics_leg_plan_new (&direct_config);

  ics_leg_plan_set_routes (plan, 0, &direct_route);
  ics_leg_plan_on_ended (plan, 30 * S, 1);
  ck_assert_int_eq (ics_leg_plan_next_timeout (plan), 33 * S);
  ics_leg_plan_renew (plan, 31 * S);
  expect_at (plan, 31 * S, "+1- +2-");
  ics_leg_plan_on_proved (plan, 32 * S, 2, NULL);
  ics_leg_plan_handle_timeout (plan, 32 * S);
  ics_leg_plan_on_died (plan, 100 * S, 2);
  expect_at (plan, 103 * S, "+3-");
  ics_leg_plan_on_ended (plan, 133 * S, 3);
  expect_at (plan, 136 * S, "+4-");
  ics_leg_plan_on_ended (plan, 166 * S, 4);
  ck_assert_int_eq (ics_leg_plan_next_timeout (plan), 172 * S);
  /* It came back by itself: no need to search. */
  ics_leg_plan_on_proved (plan, 170 * S, 2, NULL);
  ics_leg_plan_handle_timeout (plan, 172 * S);
  expect (plan, "");
}
END_TEST

/* The listener's list comes after the first attempts have begun. */
START_TEST (test_late_routes)
{
  static const IcsLegRoutes none = { .len = 0 };
  IcsLegRoutes routes = { .items = { { .relays = ICS_RELAYS_JOINER } }, .len = 1 };
  g_autoptr (IcsLegPlan) plan = ics_leg_plan_new (&turn_config);

  ics_leg_plan_set_routes (plan, 0, &none);
  ics_leg_plan_renew (plan, 0);
  ck_assert_int_eq (ics_leg_plan_next_timeout (plan), G_MAXINT64);
  ics_leg_plan_set_routes (plan, 0, &routes);
  expect (plan, "+1J");
  routes = one_server;
  routes.items[routes.len++] = (IcsLegRoute){ .relays = ICS_RELAYS_LISTENER, .listener_server = 1 };
  ics_leg_plan_set_routes (plan, 100 * MS, &routes);
  expect (plan, "+2L");
  expect_at (plan, S, "+3L");
  ics_leg_plan_set_routes (plan, 2 * S, &none);
  ck_assert_int_eq (ics_leg_plan_next_timeout (plan), G_MAXINT64);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { test_ladder_by_time, 1 }, { test_redundant, 1 },        { test_ladder_by_failure, 1 },
    { test_one_suffices, 1 },   { test_best_and_a_spare, 1 }, { test_at_once, 1 },
    { test_renew, 1 },          { test_replace, 1 },          { test_direct_backoff, 1 },
    { test_late_routes, 1 },    { test_stands_back, 1 },      { test_spare_of_one_that_stands_back, 1 },
    { test_patience_ends, 1 },
  };

  return run_loops ("leg plan", tests, G_N_ELEMENTS (tests));
}
