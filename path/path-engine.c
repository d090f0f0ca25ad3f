/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path/path-engine.h"
#include "path/choose.h"
#include "path/liveness.h"
#include "path/path-table.h"

/* Consecutive answers before a path may take the traffic over. */
#define PROVEN_REPLIES 2
/* The peer hears of a path through its own pings: probe back, but not faster than this. */
#define TRIGGERED_PROBE_GAP (50 * G_TIME_SPAN_MILLISECOND)
/* When the active path is in doubt, knowledge of the others must not be older than this. */
#define STALE_KNOWLEDGE (200 * G_TIME_SPAN_MILLISECOND)
#define MOVE_TIMEOUT_LEAST (3 * G_TIME_SPAN_SECOND)
#define MOVE_TIMEOUT_RTTS 6
/* A timer this late means that the host slept or was stopped. */
#define SLEPT_AFTER (100 * G_TIME_SPAN_MILLISECOND)

typedef struct
{
  guint path; /* 0 = none */
  gboolean immediate;
  gint64 deadline;
} PendingMove;

struct _IcsPathEngine
{
  IcsPathEngineConfig config;
  IcsPathTable table;
  gboolean started;
  guint active;
  gboolean broken; /* QUIC cannot use the active path */
  gint64 active_since;
  PendingMove move;
  IcsChooseMemory memory;
  gint64 choose_wake;
  guint64 last_seq;

  gint64 now; /* of the latest call */
  gint64 due; /* what next_timeout() said last */
  gint64 resumed_at;
  gint64 lost_since; /* G_MAXINT64 = not lost */
};

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

static void
note_lost (IcsPathEngine *self)
{
  if (ics_path_table_has_living (&self->table))
    self->lost_since = G_MAXINT64;
  else
    self->lost_since = MIN (self->lost_since, self->now);
}

/* Every call with a time passes here. After a sleep the answers may lie unread in the sockets. */
static void
enter (IcsPathEngine *self, gint64 now)
{
  if (self->due != G_MAXINT64 && now > self->due + SLEPT_AFTER)
    {
      self->resumed_at = now;
      self->due = G_MAXINT64;
    }
  self->now = MAX (self->now, now);
  note_lost (self);
}

static gboolean
needs_refuge (IcsPathEngine *self)
{
  const IcsPath *active = ics_path_table_find (&self->table, self->active);

  return self->started && (active == NULL || !ics_path_is_living (active));
}

/* When the active path is dead, the others are judged as strictly as it was: the traffic must not go from one
 * dead path to the next. */
static void
view_path (IcsPathEngine *self, const IcsPath *path, IcsLivenessView *view)
{
  *view = (IcsLivenessView){
    .now = self->now,
    .carrying = path->id == self->active || path->id == self->move.path || needs_refuge (self),
    .lost = self->lost_since != G_MAXINT64,
    .resumed_at = self->resumed_at,
  };
}

static void
fail_move (IcsPathEngine *self)
{
  IcsPath *path = ics_path_table_find (&self->table, self->move.path);

  self->move = (PendingMove){ 0 };
  if (path != NULL)
    ics_path_block (path, self->now);
}

/* The traffic needs another path soon: each one gets a fresh chance. */
static void
unblock_all (IcsPathEngine *self)
{
  for (guint i = 0; i < self->table.n_paths; i++)
    ics_path_unblock (self->table.paths[i]);
}

static void
probe_stale_standbys (IcsPathEngine *self)
{
  for (guint i = 0; i < self->table.n_paths; i++)
    {
      IcsPath *path = self->table.paths[i];

      if (path->id != self->active && self->now >= path->last_probe + STALE_KNOWLEDGE)
        path->probe_now = TRUE;
    }
}

static void
on_dead (IcsPathEngine *self, IcsPath *path)
{
  path->proven = FALSE;
  path->replies = 0;
  path->backoff = ICS_DEAD_BACKOFF;
  ics_probe_log_skip (&path->log);
  if (path->id == self->active)
    {
      unblock_all (self);
      ics_path_hold (path, self->now, self->now - self->active_since);
    }
  if (path->id == self->move.path)
    fail_move (self);
}

static void
set_state (IcsPathEngine *self, IcsPath *path, IcsPathState state)
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
        probe_stale_standbys (self);
      break;
    case ICS_PATH_STATE_DEAD:
      on_dead (self, path);
      break;
    case ICS_PATH_STATE_NEW:
    case ICS_PATH_STATE_ALIVE:
      break;
    }
  note_lost (self);
}

static void
set_active (IcsPathEngine *self, guint path)
{
  if (path != self->active)
    self->memory = (IcsChooseMemory){ 0 };
  self->active = path;
  self->active_since = self->now;
  self->broken = FALSE;
}

IcsPathEngine *
ics_path_engine_new (const IcsPathEngineConfig *config)
{
  IcsPathEngine *self = g_new0 (IcsPathEngine, 1);

  self->config = *config;
  self->now = G_MININT64;
  self->resumed_at = G_MININT64 / 2;
  self->due = G_MAXINT64;
  self->choose_wake = G_MAXINT64;
  self->lost_since = G_MAXINT64;
  return self;
}

void
ics_path_engine_free (IcsPathEngine *self)
{
  ics_path_table_clear (&self->table);
  g_free (self);
}

guint
ics_path_engine_add (IcsPathEngine *self, gint64 now, IcsPathKind kind)
{
  IcsPath *path;

  enter (self, now);
  path = ics_path_table_add (&self->table, self->now, kind);
  if (path == NULL)
    return 0;
  path->backoff = ICS_NEW_BACKOFF;
  path->probe_now = TRUE;
  return path->id;
}

void
ics_path_engine_remove (IcsPathEngine *self, gint64 now, guint id)
{
  IcsPath *path = ics_path_table_find (&self->table, id);

  enter (self, now);
  if (path == NULL)
    return;
  set_state (self, path, ICS_PATH_STATE_DEAD);
  if (self->active == id)
    self->active = 0;
  ics_path_table_remove (&self->table, id);
}

void
ics_path_engine_set_down (IcsPathEngine *self, gint64 now, guint id, gboolean down)
{
  IcsPath *path = ics_path_table_find (&self->table, id);

  enter (self, now);
  if (path == NULL)
    return;
  if (down)
    {
      set_state (self, path, ICS_PATH_STATE_DEAD);
      return;
    }
  path->probe_now = TRUE;
  if (path->state == ICS_PATH_STATE_DEAD)
    path->backoff = ICS_DEAD_BACKOFF;
}

void
ics_path_engine_set_active (IcsPathEngine *self, gint64 now, guint id)
{
  IcsPath *path = ics_path_table_find (&self->table, id);

  enter (self, now);
  if (path == NULL)
    return;
  self->started = TRUE;
  set_active (self, id);
  path->last_data = self->now;
  /* QUIC's handshake went both ways over it. */
  if (path->state == ICS_PATH_STATE_NEW)
    set_state (self, path, ICS_PATH_STATE_ALIVE);
}

guint
ics_path_engine_get_active (IcsPathEngine *self)
{
  return self->active;
}

/* Something came in: if the path is thought not to work, that deserves another look. */
static void
on_sign (IcsPathEngine *self, IcsPath *path)
{
  path->last_received = self->now;
  if (!ics_path_is_living (path) && self->now >= path->last_probe + TRIGGERED_PROBE_GAP)
    path->probe_now = TRUE;
}

void
ics_path_engine_on_received (IcsPathEngine *self, gint64 now, guint id, gsize len)
{
  IcsPath *path = ics_path_table_find (&self->table, id);

  enter (self, now);
  if (path == NULL)
    return;
  path->last_data = self->now;
  on_sign (self, path);
}

void
ics_path_engine_on_sent (IcsPathEngine *self, gint64 now, guint id, gsize len)
{
  IcsPath *path = ics_path_table_find (&self->table, id);

  enter (self, now);
  if (path != NULL)
    path->last_data = self->now;
}

gboolean
ics_path_engine_on_ping (IcsPathEngine *self, gint64 now, guint id, guint64 seq)
{
  IcsPath *path = ics_path_table_find (&self->table, id);

  enter (self, now);
  if (path == NULL || !ics_replay_window_accept (&path->pings, seq))
    return FALSE;
  on_sign (self, path);
  return TRUE;
}

void
ics_path_engine_on_probe_reply (IcsPathEngine *self, gint64 now, guint id, guint64 seq)
{
  IcsPath *path = ics_path_table_find (&self->table, id);

  enter (self, now);
  if (path == NULL || !ics_probe_log_answer (&path->log, self->now, seq, &path->quality))
    return;
  path->last_received = path->last_pong = self->now;
  set_state (self, path, ICS_PATH_STATE_ALIVE);
  if (path->proven)
    return;
  path->replies++;
  path->proven = path->replies >= PROVEN_REPLIES;
  if (!path->proven)
    path->probe_now = TRUE;
}

void
ics_path_engine_on_moved (IcsPathEngine *self, gint64 now, guint id)
{
  IcsPath *path = ics_path_table_find (&self->table, id);

  enter (self, now);
  if (path == NULL)
    return;
  self->started = TRUE;
  set_active (self, id);
  path->last_data = self->now;
  path->failures = 0;
  /* Another one: the driver finished a move that a more urgent one has replaced meanwhile. */
  if (self->move.path == id)
    self->move = (PendingMove){ 0 };
}

void
ics_path_engine_on_move_failed (IcsPathEngine *self, gint64 now, guint id)
{
  IcsPath *path = ics_path_table_find (&self->table, id);

  enter (self, now);
  if (path == NULL)
    return;
  if (self->move.path == id)
    fail_move (self);
  else if (self->active == id)
    {
      self->broken = TRUE;
      ics_path_block (path, self->now);
    }
}

void
ics_path_engine_set_allowed (IcsPathEngine *self, gint64 now, guint allowed)
{
  enter (self, now);
  self->config.allowed = allowed;
}

static void
judge (IcsPathEngine *self, IcsPath *path)
{
  IcsLivenessView view;

  view_path (self, path, &view);
  if (ics_liveness_suspect_at (path, &view) <= self->now)
    set_state (self, path, ICS_PATH_STATE_SUSPECT);
  if (ics_liveness_death_at (path, &view) <= self->now)
    set_state (self, path, ICS_PATH_STATE_DEAD);
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

void
ics_path_engine_handle_timeout (IcsPathEngine *self, gint64 now)
{
  enter (self, now);
  self->due = G_MAXINT64;
  judge_all (self);
  if (needs_refuge (self))
    judge_all (self);
  for (guint i = 0; i < self->table.n_paths; i++)
    pace (self, self->table.paths[i]);
  if (self->move.path != 0 && self->move.deadline <= self->now)
    fail_move (self);
  if (self->choose_wake <= self->now)
    self->choose_wake = G_MAXINT64;
}

static gint64
path_timeout (IcsPathEngine *self, const IcsPath *path)
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

gint64
ics_path_engine_next_timeout (IcsPathEngine *self)
{
  gint64 at = self->choose_wake;

  for (guint i = 0; i < self->table.n_paths; i++)
    at = MIN (at, path_timeout (self, self->table.paths[i]));
  if (self->move.path != 0)
    at = MIN (at, self->move.deadline);
  /* A faster pace may have made a probe overdue just now; that is no oversleeping. */
  self->due = MAX (at, self->now);
  return self->due;
}

static gboolean
take_state (IcsPathEngine *self, IcsPathAction *action)
{
  for (guint i = 0; i < self->table.n_paths; i++)
    {
      IcsPath *path = self->table.paths[i];

      if (path->reported == path->state)
        continue;
      *action = (IcsPathAction){
        .type = ICS_PATH_ACTION_STATE, .path = path->id, .from = path->reported, .to = path->state
      };
      path->reported = path->state;
      return TRUE;
    }
  return FALSE;
}

static void
choose (IcsPathEngine *self, IcsChoice *choice)
{
  IcsPathFacts facts[ICS_PATH_TABLE_MAX];
  const IcsChooseInput input = {
    .now = self->now,
    .allowed = self->config.allowed,
    .active = self->active,
    .broken = self->broken,
    .last_move = self->active_since,
    .memory = self->memory,
  };

  for (guint i = 0; i < self->table.n_paths; i++)
    ics_path_get_facts (self->table.paths[i], &facts[i]);
  *choice = ics_choose (facts, self->table.n_paths, &input);
  self->memory = choice->memory;
  self->choose_wake = choice->wake;
}

static void
start_move (IcsPathEngine *self, const IcsChoice *choice)
{
  const IcsPath *path = ics_path_table_find (&self->table, choice->path);
  gint64 wait = MAX (MOVE_TIMEOUT_RTTS * ics_quality_rtt (&path->quality), MOVE_TIMEOUT_LEAST);

  self->move
      = (PendingMove){ .path = choice->path, .immediate = choice->immediate, .deadline = self->now + wait };
}

static gboolean
take_move (IcsPathEngine *self, IcsPathAction *action)
{
  IcsChoice choice;

  if (!self->config.decider || !self->started || self->move.immediate)
    return FALSE;
  choose (self, &choice);
  /* Only a fall-back interrupts an upgrade that is under way. */
  if (choice.path == 0 || (self->move.path != 0 && !choice.immediate))
    return FALSE;
  start_move (self, &choice);
  *action = (IcsPathAction){
    .type = ICS_PATH_ACTION_MOVE, .path = choice.path, .immediate = choice.immediate, .reason = choice.reason
  };
  return TRUE;
}

static gboolean
take_probe (IcsPathEngine *self, IcsPathAction *action)
{
  for (guint i = 0; i < self->table.n_paths; i++)
    {
      IcsPath *path = self->table.paths[i];

      if (!path->probe_now)
        continue;
      path->probe_now = FALSE;
      path->last_probe = self->now;
      if (!ics_path_is_living (path))
        path->backoff = ics_liveness_back_off (path);
      ics_probe_log_sent (&path->log, self->now, ++self->last_seq);
      *action = (IcsPathAction){ .type = ICS_PATH_ACTION_PROBE, .path = path->id, .seq = self->last_seq };
      return TRUE;
    }
  return FALSE;
}

gboolean
ics_path_engine_poll (IcsPathEngine *self, gint64 now, IcsPathAction *action)
{
  enter (self, now);
  return take_state (self, action) || take_move (self, action) || take_probe (self, action);
}

gboolean
ics_path_engine_get_info (IcsPathEngine *self, guint id, IcsPathStatus *info)
{
  const IcsPath *path = ics_path_table_find (&self->table, id);

  if (path == NULL)
    return FALSE;
  *info = (IcsPathStatus){
    .id = path->id,
    .kind = path->kind,
    .state = path->state,
    .srtt_us = path->quality.srtt,
    .min_rtt_us = path->quality.min_rtt,
    .loss = path->quality.loss,
  };
  return TRUE;
}

gboolean
ics_path_engine_is_lost (IcsPathEngine *self, gint64 *since)
{
  if (since != NULL)
    *since = self->lost_since;
  return self->lost_since != G_MAXINT64;
}
