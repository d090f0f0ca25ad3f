/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/tcp-world.h"
#include <check.h>
#include <stdlib.h>

#define ALIKE(x)                                                                                             \
  {                                                                                                          \
    { x, x }, { x, x }                                                                                       \
  }

static World *world;

static WorldConfig
config_of (WorldFilter filter)
{
  return (WorldConfig){ .nats = ALIKE ({ .filter = filter }),
                        .delay = { { 20 * WORLD_MS, 20 * WORLD_MS }, { 20 * WORLD_MS, 20 * WORLD_MS } },
                        .signal_delay = { 40 * WORLD_MS, 40 * WORLD_MS } };
}

static void
run (WorldConfig config)
{
  g_clear_pointer (&world, world_free);
  world = world_new (&config, 1);
  world_run (world);
}

static void
teardown (void)
{
  g_clear_pointer (&world, world_free);
}

static void
check_agreement (void)
{
  ck_assert (world_has_selected (world, 0));
  ck_assert (world_has_selected (world, 1));
  ck_assert (world_agrees (world));
}

/* Half of the signals' round trip, one round trip for the connection, one and a half for checks and
 * nomination; the system's own repetitions of a SYN and further rounds would be far later. */
START_TEST (both_sides_filter)
{
  run (config_of ((WorldFilter)_i));
  check_agreement ();
  ck_assert_int_le (world_time_taken (world), 40 * WORLD_MS + 40 * WORLD_MS + 100 * WORLD_MS);
}
END_TEST

START_TEST (the_losers_are_closed)
{
  run (config_of (WORLD_DROPS));
  world_run_for (world, G_TIME_SPAN_SECOND);
  check_agreement ();
  ck_assert_uint_eq (world_open_connections (world, 0), 1);
  ck_assert_uint_eq (world_open_connections (world, 1), 1);
}
END_TEST

/* An open port on one side is enough, whatever the other side's NAT does with its ports. */
START_TEST (one_open_port)
{
  WorldConfig config = config_of (WORLD_DROPS);

  for (guint way = 0; way < WORLD_WAYS; way++)
    {
      config.nats[_i][way].filter = WORLD_OPEN;
      config.nats[1 - _i][way].moves_ports = TRUE;
    }
  run (config);
  check_agreement ();
}
END_TEST

START_TEST (only_one_way_leads_there)
{
  WorldConfig config = config_of (WORLD_DROPS);

  config.nats[0][_i].deaf = config.nats[1][_i].deaf = TRUE;
  run (config);
  check_agreement ();
}
END_TEST

/* Both NATs want the outside port that they have not told: there is no way. Both say so, in bounded time. */
START_TEST (no_way)
{
  WorldConfig config = config_of (WORLD_DROPS);

  for (guint host = 0; host < 2; host++)
    for (guint way = 0; way < WORLD_WAYS; way++)
      config.nats[host][way].moves_ports = TRUE;
  run (config);
  ck_assert (world_has_failed (world, 0));
  ck_assert (world_has_failed (world, 1));
  ck_assert_uint_eq (world_open_connections (world, 0), 0);
  ck_assert_uint_eq (world_open_connections (world, 1), 0);
}
END_TEST

/* The channel's round trip lies all on one of its ways, so half of it is as wrong as can be; where a NAT
 * answers an early SYN with RST, one of the shifted rounds meets. */
START_TEST (unequal_ways_of_the_signals)
{
  WorldConfig config = config_of (WORLD_RESETS);

  config.signal_delay[_i] = 160 * WORLD_MS;
  config.signal_delay[1 - _i] = 0;
  run (config);
  check_agreement ();
}
END_TEST

/* One host does everything 300 ms late. */
START_TEST (a_slow_host)
{
  WorldConfig config = config_of (WORLD_DROPS);

  config.lag[_i] = 300 * WORLD_MS;
  run (config);
  check_agreement ();
}
END_TEST

START_TEST (a_long_way)
{
  WorldConfig config = config_of (WORLD_DROPS);

  for (guint host = 0; host < 2; host++)
    {
      config.signal_delay[host] = 700 * WORLD_MS;
      config.delay[host][0] = config.delay[host][1] = 600 * WORLD_MS;
    }
  run (config);
  check_agreement ();
}
END_TEST

/* Some of the lost is repeated by the system, the rest in a further round. */
START_TEST (lost_segments)
{
  WorldConfig config = config_of (WORLD_DROPS);
  guint found = 0;

  config.loss = 0.3;
  for (guint32 seed = 1; seed <= 100; seed++)
    {
      g_clear_pointer (&world, world_free);
      world = world_new (&config, seed);
      world_run (world);
      world_run_for (world, 10 * G_TIME_SPAN_SECOND);
      if (world_has_selected (world, 0) && world_has_selected (world, 1) && world_agrees (world))
        found++;
    }
  ck_assert_uint_ge (found, 95);
}
END_TEST

START_TEST (strangers)
{
  WorldConfig config = config_of (WORLD_DROPS);

  world = world_new (&config, 1);
  for (guint i = 0; i < 1000; i++)
    world_stranger (world, i % 2);
  ck_assert_uint_le (world_most_known (world, 0), ICS_TCP_RACE_STRANGERS_MAX);
  world_run (world);
  check_agreement ();
  ck_assert_uint_eq (world_told_strangers (world), 0);
  world_run_for (world, G_TIME_SPAN_SECOND);
  world_stranger (world, 0);
  ck_assert (world_agrees (world));
  ck_assert (!world_has_failed (world, 0));
}
END_TEST

/* One comes every 100 ms, and the search ends all the same. */
START_TEST (strangers_without_end)
{
  WorldConfig config = config_of (WORLD_DROPS);

  for (guint host = 0; host < 2; host++)
    for (guint way = 0; way < WORLD_WAYS; way++)
      config.nats[host][way].deaf = TRUE;
  world = world_new (&config, 1);
  world_start (world);
  for (guint i = 0; i < 70; i++)
    {
      world_stranger (world, 0);
      world_run_for (world, 100 * WORLD_MS);
    }
  ck_assert (world_has_failed (world, 0));
  ck_assert_uint_eq (world_told_strangers (world), 0);
}
END_TEST

static guint
count_actions (IcsTcpRace *race, IcsTcpRaceActionType type, gboolean nominate)
{
  IcsTcpRaceAction action;
  guint n = 0;

  while (ics_tcp_race_poll (race, &action))
    n += action.type == type && action.nominate == nominate;
  return n;
}

/* Of two connections that answer, the controlling host nominates one; the second when that is lost. */
START_TEST (one_nomination_at_a_time)
{
  IcsTcpRace *race = ics_tcp_race_new (TRUE, 0);
  guint conns[2];

  for (guint i = 0; i < 2; i++)
    {
      conns[i] = ics_tcp_race_accepted (race, 0, TRUE);
      ics_tcp_race_asked (race, 0, conns[i], FALSE);
      ics_tcp_race_answered (race, 0, conns[i], FALSE);
    }
  ck_assert_uint_eq (count_actions (race, ICS_TCP_RACE_CHECK, TRUE), 1);
  ics_tcp_race_closed (race, 0, conns[0]);
  ck_assert_uint_eq (count_actions (race, ICS_TCP_RACE_CHECK, TRUE), 1);
  ics_tcp_race_answered (race, 0, conns[1], TRUE);
  ck_assert_uint_eq (count_actions (race, ICS_TCP_RACE_SELECTED, FALSE), 1);
  ics_tcp_race_free (race);
}
END_TEST

/* The controlled host selects what is nominated and has answered, in whichever order, and nothing else. */
START_TEST (the_controlled_host_waits)
{
  IcsTcpRace *race = ics_tcp_race_new (FALSE, 0);
  guint conn = ics_tcp_race_accepted (race, 0, TRUE);

  ics_tcp_race_asked (race, 0, conn, _i == 0);
  ck_assert_uint_eq (count_actions (race, ICS_TCP_RACE_SELECTED, FALSE), 0);
  ics_tcp_race_answered (race, 0, conn, FALSE);
  ck_assert_uint_eq (count_actions (race, ICS_TCP_RACE_SELECTED, FALSE), _i == 0);
  ics_tcp_race_asked (race, 0, conn, TRUE);
  ck_assert_uint_eq (count_actions (race, ICS_TCP_RACE_SELECTED, FALSE), _i != 0);
  ics_tcp_race_free (race);
}
END_TEST

START_TEST (the_path_is_cut)
{
  run (config_of (WORLD_DROPS));
  world_cut (world, (guint)_i);
  world_run_for (world, G_TIME_SPAN_SECOND);
  ck_assert (world_has_failed (world, 0));
  ck_assert (world_has_failed (world, 1));
}
END_TEST

static gint64
random_time (GRand *random, gint most_ms)
{
  return g_rand_int_range (random, 0, most_ms + 1) * WORLD_MS;
}

static WorldConfig
random_config (GRand *random)
{
  WorldConfig config = { .loss = g_rand_boolean (random) ? 0 : g_rand_double_range (random, 0, 0.4) };

  for (guint host = 0; host < 2; host++)
    {
      config.signal_delay[host] = random_time (random, 400);
      config.lag[host] = g_rand_boolean (random) ? 0 : random_time (random, 200);
      for (guint way = 0; way < WORLD_WAYS; way++)
        {
          config.delay[host][way] = random_time (random, 300);
          config.nats[host][way]
              = (WorldNat){ .filter = (WorldFilter)g_rand_int_range (random, 0, WORLD_RESETS + 1),
                            .moves_ports = g_rand_double (random) < 0.3,
                            .deaf = g_rand_double (random) < 0.1 };
        }
    }
  return config;
}

/* A way on which nothing is against it. */
static gboolean
must_meet (const WorldConfig *config)
{
  if (config->loss > 0)
    return FALSE;
  for (guint way = 0; way < WORLD_WAYS; way++)
    {
      const WorldNat *a = &config->nats[0][way], *b = &config->nats[1][way];

      if (!a->deaf && !b->deaf && !a->moves_ports && !b->moves_ports && a->filter != WORLD_RESETS
          && b->filter != WORLD_RESETS)
        return TRUE;
    }
  return FALSE;
}

/* Whatever the NATs, ways and hosts are: both end; never on two connections; and on one where it can be. */
START_TEST (random_worlds)
{
  const char *seed_text = g_getenv ("ICS_TEST_SEED");
  guint32 seed = seed_text != NULL ? (guint32)strtoul (seed_text, NULL, 10) : g_random_int ();
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  guint met = 0, must = 0;

  g_printerr ("seed %u (repeat with ICS_TEST_SEED=%u)\n", seed, seed);
  for (guint i = 0; i < 2000; i++)
    {
      WorldConfig config = random_config (random);
      gboolean both;

      g_clear_pointer (&world, world_free);
      world = world_new (&config, g_rand_int (random));
      world_run (world);
      both = world_has_selected (world, 0) && world_has_selected (world, 1);
      ck_assert_msg (both || world_has_failed (world, 0) || world_has_failed (world, 1), "round %u", i);
      ck_assert_msg (!both || world_has_failed (world, 0) || world_has_failed (world, 1)
                         || world_agrees (world),
                     "round %u: two connections", i);
      ck_assert_msg (!must_meet (&config) || both, "round %u: no connection", i);
      world_run_for (world, 30 * G_TIME_SPAN_SECOND);
      ck_assert_msg (both || (world_has_failed (world, 0) && world_has_failed (world, 1)), "round %u", i);
      ck_assert_msg (config.loss > 0 || !both || world_agrees (world), "round %u: it did not last", i);
      met += both;
      must += must_meet (&config);
    }
  g_printerr ("%u of 2000 met, %u had to\n", met, must);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("tcp-race");
  TCase *race = tcase_create ("race");
  SRunner *runner;
  int failed;

  tcase_add_checked_fixture (race, NULL, teardown);
  tcase_set_timeout (race, 60);
  tcase_add_loop_test (race, both_sides_filter, WORLD_OPEN, WORLD_RESETS + 1);
  tcase_add_test (race, the_losers_are_closed);
  tcase_add_loop_test (race, one_open_port, 0, 2);
  tcase_add_loop_test (race, only_one_way_leads_there, 0, WORLD_WAYS);
  tcase_add_test (race, no_way);
  tcase_add_loop_test (race, unequal_ways_of_the_signals, 0, 2);
  tcase_add_loop_test (race, a_slow_host, 0, 2);
  tcase_add_test (race, a_long_way);
  tcase_add_test (race, lost_segments);
  tcase_add_test (race, strangers);
  tcase_add_test (race, strangers_without_end);
  tcase_add_test (race, one_nomination_at_a_time);
  tcase_add_loop_test (race, the_controlled_host_waits, 0, 2);
  tcase_add_loop_test (race, the_path_is_cut, 0, 2);
  tcase_add_test (race, random_worlds);
  suite_add_tcase (suite, race);
  runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
