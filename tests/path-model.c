/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/path-model.h"

#include "path/path-engine-private.h"
#include <check.h>

/* A path counts as known to live after it worked this long. */
#define KNOWN_AFTER (3 * SEC)
#define HOLD_FIRST (2 * SEC)
#define HOLD_MOST (20 * SEC)
#define LEAST_GAP (50 * MS)
#define MOVE_TIMEOUT (3 * SEC)
/* Timers that a test's rounding or the engine's own reserve makes late. */
#define TIMER_SLACK (10 * MS)

#define MOST_TIMEOUTS 1500

Model *
model_of (World *world)
{
  return world->data;
}

int
model_active (World *world)
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

gboolean
model_another_lives (World *world, int except)
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

  if (dead && !model->dead[path] && path == model->was_active && path == model_active (world))
    {
      model->died_at[path] = world->now;
      model->deaths[path]++;
    }
  if (dead && path == world->target)
    model->target_ended = TRUE;
  model->dead[path] = dead;
}

void
model_check_move (World *world, const IcsPathAction *action)
{
  Model *model = model_of (world);
  int path = world_index (world, 0, action->path);

  if (model_active (world) >= 0)
    note_death (world, model_active (world));
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

void
model_note_deaths (World *world)
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
  int path = model_active (world);
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

void
model_check_rate (World *world)
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

void
model_on_step (World *world)
{
  model_note_deaths (world);
  model_of (world)->was_active = model_active (world);
  check_stay (world);
  model_check_rate (world);
}

void
model_check_converged (World *world)
{
  Model *model = model_of (world);
  int path = model_active (world);
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

void
model_init (Model *model, World *world, guint32 seed)
{
  *model = (Model){ .seed = seed, .stuck_on = -1, .most_actions = MOST_ACTIONS, .second_begin = world->now };
  for (int i = 0; i < WORLD_PATHS; i++)
    {
      model->works_since[i] = G_MAXINT64;
      model->died_at[i] = G_MININT64 / 2;
    }
  world->data = model;
  world->on_move = model_check_move;
  world->on_step = model_on_step;
}
