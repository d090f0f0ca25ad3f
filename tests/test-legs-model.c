/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any order of anything that can happen to a leg's attempts, on a virtual clock. */
#include "tests/legs.h"
#include "tests/suite.h"

#define WORLD_MAX 16

typedef enum
{
  TRYING,
  LIVING,
  DEAD
} Fate;

typedef struct
{
  IcsLegPlan *plan;
  const IcsLegPlanConfig *config;
  GRand *rand;
  gint64 now;
  struct
  {
    guint number;
    Fate fate;
  } attempts[WORLD_MAX];
  guint n, last, active, n_started;
} World;

static guint
world_find (World *world, guint number)
{
  for (guint i = 0; i < world->n; i++)
    if (world->attempts[i].number == number)
      return i;
  ck_abort_msg ("attempt %u is not there", number);
  return 0;
}

static void
world_forget (World *world, guint i)
{
  world->attempts[i] = world->attempts[--world->n];
}

static void
world_leave (World *world, guint number)
{
  if (world->active != number)
    return;
  world->active = 0;
  ics_leg_plan_set_active (world->plan, world->now, 0);
}

static void
world_obey (World *world)
{
  IcsLegPlanAction action;

  while (ics_leg_plan_poll (world->plan, &action))
    switch (action.type)
      {
      case ICS_LEG_PLAN_START:
        ck_assert_uint_gt (action.number, world->last);
        world->last = action.number;
        world->n_started++;
        world->attempts[world->n].number = action.number;
        world->attempts[world->n++].fate = TRYING;
        ck_assert_uint_le (world->n, world->config->max);
        break;
      case ICS_LEG_PLAN_END:
        /* Only a path of two hops is taken from the traffic. */
        ck_assert (action.number != world->active || action.route.relays == ICS_RELAYS_BOTH);
        world_leave (world, action.number);
        world_forget (world, world_find (world, action.number));
        break;
      }
}

/* Something happens to one of the attempts. */
static void
world_strike (World *world, guint i)
{
  guint number = world->attempts[i].number;
  gint32 dice = g_rand_int_range (world->rand, 0, 8);
  g_autofree char *relay = g_strdup_printf ("192.0.2.%d", g_rand_int_range (world->rand, 0, 3));

  if (dice == 0)
    {
      world_forget (world, i);
      world_leave (world, number);
      ics_leg_plan_on_ended (world->plan, world->now, number);
    }
  else if (world->attempts[i].fate != LIVING && dice < 5)
    {
      world->attempts[i].fate = LIVING;
      ics_leg_plan_on_proved (world->plan, world->now, number, relay);
    }
  else if (world->attempts[i].fate == LIVING && dice < 5)
    {
      world->attempts[i].fate = DEAD;
      ics_leg_plan_on_died (world->plan, world->now, number);
    }
  else if (world->attempts[i].fate == LIVING)
    {
      world->active = number;
      ics_leg_plan_set_active (world->plan, world->now, number);
      ics_leg_plan_set_rtt (world->plan, number, g_rand_int_range (world->rand, 0, 100000));
    }
}

static guint
world_count (World *world, Fate fate)
{
  guint n = 0;

  for (guint i = 0; i < world->n; i++)
    n += world->attempts[i].fate == fate;
  return n;
}

static void
world_step (World *world)
{
  gint64 next = ics_leg_plan_next_timeout (world->plan);

  world->now += g_rand_int_range (world->rand, 1, g_rand_boolean (world->rand) ? 100 * MS : 20 * S);
  if (next < world->now)
    {
      ck_assert_int_ge (next, 0);
      ics_leg_plan_handle_timeout (world->plan, world->now);
      ck_assert_int_gt (ics_leg_plan_next_timeout (world->plan), world->now);
    }
  world_obey (world);
  if (world->n > 0 && g_rand_boolean (world->rand))
    world_strike (world, (guint)g_rand_int_range (world->rand, 0, (gint32)world->n));
  if (g_rand_int_range (world->rand, 0, 20) == 0)
    ics_leg_plan_renew (world->plan, world->now);
  world_obey (world);
  /* Never stuck: a path lives, one is being looked for, or will be. */
  ck_assert (world_count (world, LIVING) > 0 || world_count (world, TRYING) > 0
             || ics_leg_plan_next_timeout (world->plan) != G_MAXINT64);
}

/* Left alone, it comes to rest with no more than it should keep. */
static void
world_rest (World *world)
{
  while (ics_leg_plan_next_timeout (world->plan) != G_MAXINT64 || world_count (world, TRYING) > 0)
    {
      world->now = MAX (world->now, MIN (ics_leg_plan_next_timeout (world->plan), world->now + S));
      ics_leg_plan_handle_timeout (world->plan, world->now);
      world_obey (world);
      for (guint i = 0; i < world->n; i++)
        if (world->attempts[i].fate == TRYING)
          {
            world->attempts[i].fate = LIVING;
            ics_leg_plan_on_proved (world->plan, world->now, world->attempts[i].number, "192.0.2.9");
          }
    }
  ck_assert_uint_ge (world_count (world, LIVING), 1);
  ck_assert_uint_le (world->n, world->config->max);
}

static guint32
seed_of_test (void)
{
  const char *fixed = g_getenv ("ICS_TEST_SEED");
  guint32 seed = fixed != NULL ? (guint32)g_ascii_strtoull (fixed, NULL, 10) : g_random_int ();

  g_print ("seed %u (repeat with ICS_TEST_SEED=%u)\n", seed, seed);
  return seed;
}

START_TEST (test_random)
{
  static const char *const servers[] = { "turn:a", "turn:b", "turn:c", "turns:a", "turns:b", NULL };
  const IcsLegEnd end = { .servers = servers, .plain = TRUE };
  const IcsLegPlanConfig *config = _i == 1 ? &direct_config : &turn_config;
  const IcsLegRoutes *routes = _i == 0 ? &one_server : &direct_route;
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed_of_test ());
  IcsLegRoutes all_routes;

  /* More routes than attempts may be made at a time. */
  ics_leg_routes_relayed (&all_routes, &end, &end);
  ck_assert_uint_gt (all_routes.len, turn_config.max);
  if (_i == 2)
    routes = &all_routes;
  for (guint round = 0; round < 2000; round++)
    {
      g_autoptr (IcsLegPlan) plan = ics_leg_plan_new (config);
      World world = { .plan = plan, .config = config, .rand = rand, .now = 1 };

      ics_leg_plan_set_routes (plan, world.now, routes);
      for (guint step = 0; step < 200; step++)
        world_step (&world);
      /* Whoever asks for it, and whatever dies: one search in a second. */
      ck_assert_uint_le (world.n_started, routes->len * (1 + (guint)(world.now / S)));
      world_rest (&world);
    }
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = { { test_random, 3 } };

  return run_loops ("leg model", tests, G_N_ELEMENTS (tests));
}
