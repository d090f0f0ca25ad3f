/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/path-model.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* Random schedules of loss, delay, death and revival, and what must hold in all of them. ICS_TEST_SEED
 * repeats one schedule, ICS_TEST_SCHEDULES sets how many are run (and CK_TIMEOUT_MULTIPLIER how long it may
 * take). */

#define ALL_KINDS ((1u << ICS_N_PATH_KINDS) - 1)
#define SCHEDULES 400
#define STORM (12 * SEC)
/* The longest hold-down or block; what a smoothed RTT takes to come down from 600 ms to 5 ms off the true
 * one, at one sample a second (RFC 6298: (7/8)^36); the pause between probes of the channel; twice the gap of
 * sideways moves. */
#define CALM (20 * SEC + 36 * SEC + 5 * SEC + 20 * SEC)

static int
pick_path (World *world)
{
  int path;

  do
    path = g_rand_int_range (world->rand, 0, WORLD_PATHS);
  while (!world->paths[path].present);
  return path;
}

static gint64
pick_delay (World *world)
{
  static const gint64 most[] = { 1 * MS, 30 * MS, 100 * MS, 300 * MS };

  return g_rand_int_range (world->rand, 50, (gint32)most[g_rand_int_range (world->rand, 0, 4)]);
}

static void
replace_path (World *world, int path)
{
  IcsPathKind kind = world->paths[path].kind;
  Model *model = model_of (world);

  if (world->hosts[0].transport == path && !model_another_lives (world, path))
    return;
  world_remove (world, path);
  model->works_since[path] = G_MAXINT64;
  model->died_at[path] = G_MININT64 / 2;
  path = world_add (world, kind, pick_delay (world));
  model->dead[path] = model->down[path] = FALSE;
  model->deaths[path] = 0;
}

static void
set_down (World *world, int path)
{
  Model *model = model_of (world);
  int host = g_rand_int_range (world->rand, 0, 2);
  gboolean down = g_rand_boolean (world->rand);

  ics_path_engine_set_down (world->hosts[host].engine, world->now, world->paths[path].id[host], down);
  /* The first death is excused when its end is known. */
  if (host == 0 && !down && model->down[path] && model->deaths[path] <= 1)
    model->died_at[path] = G_MININT64 / 2;
  if (host == 0)
    model->down[path] = down;
  model_note_deaths (world);
  world_drain (world, host);
}

/* What was lost before it is no witness: the stay is counted from here. */
static void
roam (World *world, int path)
{
  Model *model = model_of (world);
  int host = g_rand_int_range (world->rand, 0, 2);

  ics_path_engine_on_roamed (world->hosts[host].engine, world->now, world->paths[path].id[host]);
  world_drain (world, host);
  if (host == 0 && path == model->stuck_on)
    model->stuck_since = world->now;
}

static void
change_policy (World *world, guint allowed)
{
  /* A move to what is not allowed any more is over, also when the policy changes its mind. */
  if (world->target >= 0 && (allowed & 1u << world->paths[world->target].kind) == 0)
    model_of (world)->target_ended = TRUE;
  world_set_allowed (world, allowed);
}

static void
random_event (World *world)
{
  WorldPath *path = &world->paths[pick_path (world)];
  int index = (int)(path - world->paths);
  gboolean yes = g_rand_boolean (world->rand);

  switch (g_rand_int_range (world->rand, 0, 14))
    {
    case 0:
    case 1:
      path->cut[0] = path->cut[1] = yes;
      break;
    case 2:
      path->cut[g_rand_int_range (world->rand, 0, 2)] = yes;
      break;
    case 3:
      path->delay = pick_delay (world);
      break;
    case 4:
      path->jitter = yes ? pick_delay (world) : 0;
      break;
    case 5:
      path->loss = yes ? g_rand_double_range (world->rand, 0, 0.5) : 0;
      break;
    case 6:
      path->burst_rate = yes ? 0.02 : 0;
      break;
    case 7:
      set_down (world, index);
      break;
    case 8:
      replace_path (world, index);
      break;
    case 9:
      world_set_sends (world, g_rand_int_range (world->rand, 0, 2), yes);
      break;
    case 10:
      change_policy (world, yes ? ALL_KINDS : (guint)g_rand_int_range (world->rand, 1, 8));
      break;
    case 11:
      world->hosts[g_rand_int_range (world->rand, 0, 2)].asleep_until
          = world->now + g_rand_int_range (world->rand, 0, 3 * SEC);
      break;
    case 12:
      world->move_fails = yes ? 0.3 : 0;
      world->move_unreported = g_rand_int_range (world->rand, 0, 8) == 0 ? 0.3 : 0;
      break;
    case 13:
      roam (world, index);
      break;
    }
}

static void
calm_down (World *world)
{
  for (int i = 0; i < WORLD_PATHS; i++)
    {
      WorldPath *path = &world->paths[i];

      path->cut[0] = path->cut[1] = FALSE;
      path->loss = path->burst_rate = 0;
      path->jitter = 0;
      path->burst_left = 0;
    }
  world_set_sends (world, 0, FALSE);
  world_set_sends (world, 1, FALSE);
  world->move_fails = world->move_unreported = 0;
  world_set_allowed (world, ALL_KINDS);
}

static void
run_schedule (guint32 seed)
{
  World *world = world_new (seed);
  Model model;
  gint64 end;

  model_init (&model, world, seed);
  world_add (world, ICS_PATH_CHANNEL, pick_delay (world));
  world_start (world, 0);
  for (int i = g_rand_int_range (world->rand, 1, WORLD_PATHS - 1); i > 0; i--)
    world_add (world, (IcsPathKind)g_rand_int_range (world->rand, ICS_PATH_TURN, ICS_N_PATH_KINDS),
               pick_delay (world));
  for (end = world->now + STORM; world->now < end;)
    {
      world_run (world, world->now + g_rand_int_range (world->rand, 0, 1500 * MS));
      random_event (world);
    }
  calm_down (world);
  world_run (world, world->now + 5 * SEC);
  world->on_step = model_check_rate;
  model.most_actions = MOST_CALM_ACTIONS;
  world_run (world, world->now + CALM);
  model_check_converged (world);
  world_free (world);
}

START_TEST (schedules)
{
  const char *seed = g_getenv ("ICS_TEST_SEED");
  const char *count = g_getenv ("ICS_TEST_SCHEDULES");
  guint32 n = count != NULL ? (guint32)g_ascii_strtoull (count, NULL, 10) : SCHEDULES;
  guint32 first = seed != NULL ? (guint32)g_ascii_strtoull (seed, NULL, 10) : g_random_int ();

  n = seed != NULL && count == NULL ? 1 : n;
  printf ("schedules from seed %u on\n", first);
  fflush (stdout);
  for (guint32 i = 0; i < n; i++)
    run_schedule (first + i);
}
END_TEST

static Suite *
suite (void)
{
  Suite *s = suite_create ("path-model");
  TCase *t = tcase_create ("model");

  tcase_set_timeout (t, 600);
  tcase_add_test (t, schedules);
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
