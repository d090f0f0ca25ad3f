/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path/liveness.h"
#include "path/path-engine-private.h"

/* When the active path is in doubt, knowledge of the others must not be older than this. */
#define STALE_KNOWLEDGE (200 * G_TIME_SPAN_MILLISECOND)

static const char *
state_to_string (IcsPathState state)
{
  switch (state)
    {
    case ICS_PATH_STATE_NEW:
      return "new";
    case ICS_PATH_STATE_ALIVE:
      return "alive";
    case ICS_PATH_STATE_SUSPECT:
      return "suspect";
    case ICS_PATH_STATE_DEAD:
      return "dead";
    }
  return "unknown";
}

void
ics_path_judge_note_lost (IcsPathEngine *self)
{
  if (ics_path_table_has_living (&self->table))
    self->lost_since = G_MAXINT64;
  else
    self->lost_since = MIN (self->lost_since, self->now);
}

static gboolean
needs_refuge (IcsPathEngine *self)
{
  const IcsPath *active = ics_path_table_find (&self->table, self->active);

  return self->started && (active == NULL || !ics_path_is_living (active));
}

gboolean
ics_path_judge_is_in_doubt (IcsPathEngine *self)
{
  const IcsPath *active = ics_path_table_find (&self->table, self->active);

  return active != NULL && active->state != ICS_PATH_STATE_ALIVE;
}

/* When the active path is dead, the others are judged as strictly as it was: the traffic must not go from one
 * dead path to the next. */
static void
view_path (IcsPathEngine *self, const IcsPath *path, IcsLivenessView *view)
{
  *view = (IcsLivenessView){
    .now = self->now,
    .carrying = path->id == self->active || path->id == self->move.path || needs_refuge (self),
    .judged_from = MAX (self->resumed_at, path->judged_from),
  };
}

/* The traffic needs another path soon: each one gets a fresh chance. */
static void
unblock_all (IcsPathEngine *self)
{
  for (guint i = 0; i < self->table.n_paths; i++)
    ics_path_unblock (self->table.paths[i]);
}

static void
probe_standbys (IcsPathEngine *self, gint64 older_than)
{
  for (guint i = 0; i < self->table.n_paths; i++)
    {
      IcsPath *path = self->table.paths[i];

      if (path->id != self->active && self->now >= path->last_probe + older_than)
        path->probe_now = TRUE;
    }
}

static void
on_dead (IcsPathEngine *self, IcsPath *path)
{
  path->proven = FALSE;
  path->replies = 0;
  ics_probe_log_skip (&path->log);
  if (path->id == self->active)
    {
      unblock_all (self);
      /* The follower can do no more than tell: its probes are in doubt. */
      probe_standbys (self, self->config.decider ? STALE_KNOWLEDGE : 0);
      ics_path_hold (path, self->now, self->now - self->active_since);
    }
  if (path->id == self->move.path)
    ics_path_move_fail (self);
}

void
ics_path_judge_set_state (IcsPathEngine *self, IcsPath *path, IcsPathState state)
{
  if (path->state == state)
    return;
  g_debug ("path %u (%s): %s -> %s", path->id, ics_path_kind_to_string (path->kind),
           state_to_string (path->state), state_to_string (state));
  if (path->state == ICS_PATH_STATE_DEAD)
    ics_quality_reset_rtt (&path->quality);
  path->state = state;
  switch (state)
    {
    case ICS_PATH_STATE_SUSPECT:
      path->replies = 0;
      if (path->id == self->active)
        probe_standbys (self, STALE_KNOWLEDGE);
      break;
    case ICS_PATH_STATE_DEAD:
      on_dead (self, path);
      break;
    case ICS_PATH_STATE_NEW:
    case ICS_PATH_STATE_ALIVE:
      break;
    }
  ics_path_judge_note_lost (self);
}

static void
judge (IcsPathEngine *self, IcsPath *path)
{
  IcsLivenessView view;

  view_path (self, path, &view);
  if (ics_liveness_suspect_at (path, &view) <= self->now)
    ics_path_judge_set_state (self, path, ICS_PATH_STATE_SUSPECT);
  if (ics_liveness_death_at (path, &view) <= self->now)
    ics_path_judge_set_state (self, path, ICS_PATH_STATE_DEAD);
}

static void
judge_all (IcsPathEngine *self)
{
  for (guint i = 0; i < self->table.n_paths; i++)
    judge (self, self->table.paths[i]);
}

static void
pace (IcsPathEngine *self, IcsPath *path)
{
  IcsLivenessView view;

  view_path (self, path, &view);
  if (ics_liveness_probe_at (path, &view) <= self->now)
    path->probe_now = TRUE;
}

gint64
ics_path_judge_timeout (IcsPathEngine *self, const IcsPath *path)
{
  gint64 at = G_MAXINT64;
  IcsLivenessView view;

  view_path (self, path, &view);
  /* A probe that is due already waits for poll(), not for a time. */
  if (!path->probe_now)
    at = ics_liveness_probe_at (path, &view);
  at = MIN (at, ics_liveness_suspect_at (path, &view));
  return MIN (at, ics_liveness_death_at (path, &view));
}

void
ics_path_judge_all (IcsPathEngine *self)
{
  judge_all (self);
  if (needs_refuge (self))
    judge_all (self);
  for (guint i = 0; i < self->table.n_paths; i++)
    pace (self, self->table.paths[i]);
}
