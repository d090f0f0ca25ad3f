/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path-world.h"
#include "path/path-engine-private.h"
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

/* A path counts as known to live after it worked this long. */
#define KNOWN_AFTER (3 * SEC)
#define HOLD_FIRST (2 * SEC)
#define HOLD_MOST (20 * SEC)
#define LEAST_GAP (50 * MS)
#define MOVE_TIMEOUT (3 * SEC)
/* Timers that a test's rounding or the engine's own reserve makes late. */
#define TIMER_SLACK (10 * MS)

/* Per host and virtual second: every path at the pace of a busy one, with triggered probes and state changes.
 */
#define MOST_ACTIONS (WORLD_PATHS * 150)
/* When nothing happens: every path once a second, one of them busy. */
#define MOST_CALM_ACTIONS 150
#define MOST_TIMEOUTS 1500

typedef struct
{
  guint32 seed;
  gint64 works_since[WORLD_PATHS]; /* and both hosts could know; G_MAXINT64 = does not */
  gint64 died_at[WORLD_PATHS];     /* under traffic, as the decider saw it */
  guint deaths[WORLD_PATHS];       /* of that kind */
  gboolean dead[WORLD_PATHS];
  gboolean down[WORLD_PATHS]; /* said the decider's carrier */
  int was_active;             /* at the end of the step before */
  gboolean target_ended;      /* which ends the move to it */
  gint64 stuck_since;
  gint64 stuck_limit;
  int stuck_on;
  gint64 second_begin;
  guint64 actions[2], timeouts[2];
  guint64 most_actions;
} Model;

static Model *
model_of (World *world)
{
  return world->data;
}

static int
active (World *world)
{
  return world_index (world, 0, ics_path_engine_get_active (world->hosts[0].engine));
}

static gboolean
is_allowed (World *world, int path)
{
  return (world->allowed & 1u << world->paths[path].kind) != 0;
}

static gboolean
is_living (World *world, int path)
{
  IcsPathState state = world_info (world, 0, path).state;

  return world->paths[path].present && (state == ICS_PATH_STATE_ALIVE || state == ICS_PATH_STATE_SUSPECT);
}

static gboolean
another_lives (World *world, int except)
{
  for (int i = 0; i < WORLD_PATHS; i++)
    if (i != except && is_living (world, i) && is_allowed (world, i))
      return TRUE;
  return FALSE;
}

static const IcsPath *
path_of (World *world, int path)
{
  return ics_path_table_find (&world->hosts[0].engine->table, world->paths[path].id[0]);
}

/* A move to it failed a moment ago. */
static gboolean
is_blocked (World *world, int path)
{
  return path_of (world, path)->blocked_until > world->now;
}

/* A move that must succeed or fail before the next one. */
static gboolean
is_moving (World *world)
{
  const PendingMove *move = &world->hosts[0].engine->move;

  return move->path != 0 && move->immediate;
}

/* Lives, no move to it failed, and it was not itself left because it died. */
static gboolean
another_is_free (World *world, int except)
{
  for (int i = 0; i < WORLD_PATHS; i++)
    if (i != except && is_living (world, i) && is_allowed (world, i) && !is_blocked (world, i)
        && world->now >= model_of (world)->died_at[i] + HOLD_MOST)
      return TRUE;
  return FALSE;
}

/* At its death, and before the traffic leaves it in the same instant. */
static void
note_death (World *world, int path)
{
  Model *model = model_of (world);
  gboolean dead = world->paths[path].present && world_info (world, 0, path).state == ICS_PATH_STATE_DEAD;

  if (dead && !model->dead[path] && path == model->was_active && path == active (world))
    {
      model->died_at[path] = world->now;
      model->deaths[path]++;
    }
  if (dead && path == world->target)
    model->target_ended = TRUE;
  model->dead[path] = dead;
}

static void
check_move (World *world, const IcsPathAction *action)
{
  Model *model = model_of (world);
  int path = world_index (world, 0, action->path);

  if (active (world) >= 0)
    note_death (world, active (world));
  ck_assert_msg (path >= 0 && is_allowed (world, path), "seed %u: a move against the policy", model->seed);
  ck_assert_msg (is_living (world, path), "seed %u: a move to a dead path", model->seed);
  if (world->target >= 0 && world->now < world->asked_at + MOVE_TIMEOUT && is_living (world, world->target)
      && !model->target_ended)
    ck_assert_msg (action->immediate && !world->immediate, "seed %u: two moves outstanding", model->seed);
  model->target_ended = FALSE;
  if (!action->immediate)
    ck_assert_msg (world->now >= world->moved_at + LEAST_GAP, "seed %u: upgrades too close", model->seed);
  if (world->now < model->died_at[path] + HOLD_FIRST)
    ck_assert_msg (!another_is_free (world, path), "seed %u: flapped back within the hold-down", model->seed);
}

static void
note_deaths (World *world)
{
  Model *model = model_of (world);

  for (int i = 0; i < WORLD_PATHS; i++)
    {
      note_death (world, i);
      if (!world_works (world, i) || !is_living (world, i) || world->paths[i].loss > 0.3
          || world->paths[i].burst_rate > 0)
        model->works_since[i] = G_MAXINT64;
      else
        model->works_since[i] = MIN (model->works_since[i], world->now);
    }
}

static gboolean
has_known_refuge (World *world, int from)
{
  for (int i = 0; i < WORLD_PATHS; i++)
    if (i != from && model_of (world)->works_since[i] <= world->now - KNOWN_AFTER && is_allowed (world, i)
        && !is_blocked (world, i))
      return TRUE;
  return FALSE;
}

/* The longest time from the death of a path to the verdict. Right before it a probe went through, and its
 * answer, the last sign, is on its way back; then comes a pause. The first probe that is missed is late after
 * an RTO, then the others follow at the pace of doubt until there are enough of them, and the last one is
 * late after another. Or the rules want to wait longer than that. On a clean path it is the bound of
 * tests/test-path-death.c. */
static gint64
longest_stay (World *world, int path)
{
  const IcsQuality *quality = &path_of (world, path)->quality;
  gint64 rtt = ics_quality_rtt (quality), rto = ics_quality_rto (quality);
  gint64 late = MAX (CLAMP (rtt / 8, 10 * MS, 100 * MS), rto / 16);
  gint64 wait = MAX (1500 * MS - rtt / 2, MAX (3 * rtt + 100 * MS, 300 * MS));
  gint64 pause = CLAMP (1400 * MS - rtt * 7 / 2, CLAMP (rtt / 2, 20 * MS, 150 * MS), SEC);
  guint probes = ics_quality_probes_needed (quality, 1e-8, 8);

  return MAX (wait, pause + rto + (probes - 1) * late + rto) + TIMER_SLACK;
}

/* What came in after the death had been sent before, and bears witness for as long. */
static gint64
echo (World *world, int path)
{
  return 2 * (world->paths[path].delay + world->paths[path].jitter);
}

static void
check_stay (World *world)
{
  Model *model = model_of (world);
  int path = active (world);
  gboolean asleep = world->hosts[0].asleep_until > world->now || world->hosts[1].asleep_until > world->now;

  if (path < 0 || path != model->stuck_on || world_works (world, path) || asleep || is_moving (world)
      || !has_known_refuge (world, path))
    {
      model->stuck_on = path;
      model->stuck_since = world->now;
      model->stuck_limit = 0;
    }
  if (path < 0)
    return;
  /* A late answer changes what is known of the path. */
  model->stuck_limit = MAX (model->stuck_limit, longest_stay (world, path) + echo (world, path));
  world_require (world->now - model->stuck_since <= model->stuck_limit,
                 "seed %u: %" G_GINT64_FORMAT " ms on a dead path, allowed %" G_GINT64_FORMAT, model->seed,
                 (world->now - model->stuck_since) / MS, model->stuck_limit / MS);
}

static void
check_rate (World *world)
{
  Model *model = model_of (world);

  for (int i = 0; i < 2; i++)
    {
      world_require (world->hosts[i].actions - model->actions[i] <= model->most_actions, "seed %u: busy loop",
                     model->seed);
      world_require (world->hosts[i].timeouts - model->timeouts[i] <= MOST_TIMEOUTS, "seed %u: busy timer",
                     model->seed);
    }
  if (world->now < model->second_begin + SEC)
    return;
  model->second_begin = world->now;
  for (int i = 0; i < 2; i++)
    {
      model->actions[i] = world->hosts[i].actions;
      model->timeouts[i] = world->hosts[i].timeouts;
    }
}

static void
on_step (World *world)
{
  note_deaths (world);
  model_of (world)->was_active = active (world);
  check_stay (world);
  check_rate (world);
}

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

  if (world->hosts[0].transport == path && !another_lives (world, path))
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
  note_deaths (world);
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
check_converged (World *world)
{
  Model *model = model_of (world);
  int path = active (world);
  gint64 rtt;

  ck_assert_msg (path >= 0 && path == world->hosts[0].transport && path == world->hosts[1].transport,
                 "seed %u: the hosts disagree: active %d, sending on %d and %d", model->seed, path,
                 world->hosts[0].transport, world->hosts[1].transport);
  rtt = 2 * world->paths[path].delay;
  for (int i = 0; i < WORLD_PATHS; i++)
    {
      const WorldPath *other = &world->paths[i];

      if (!other->present)
        continue;
      ck_assert_msg (other->kind <= world->paths[path].kind, "seed %u: stays below the best tier",
                     model->seed);
      if (other->kind == world->paths[path].kind)
        ck_assert_msg (rtt <= 2 * other->delay + MAX (rtt / 10, 5 * MS) + MS,
                       "seed %u: stays on a slower path", model->seed);
    }
}

static void
run_schedule (guint32 seed)
{
  World *world = world_new (seed);
  Model model = { .seed = seed, .stuck_on = -1, .most_actions = MOST_ACTIONS, .second_begin = world->now };
  gint64 end;

  for (int i = 0; i < WORLD_PATHS; i++)
    {
      model.works_since[i] = G_MAXINT64;
      model.died_at[i] = G_MININT64 / 2;
    }
  world->data = &model;
  world->on_move = check_move;
  world->on_step = on_step;
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
  world->on_step = check_rate;
  model.most_actions = MOST_CALM_ACTIONS;
  world_run (world, world->now + CALM);
  check_converged (world);
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
