/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path/liveness.h"
#include "path/path-engine-private.h"

/* Consecutive answers before a path may take the traffic over. */
#define PROVEN_REPLIES 2
/* The peer hears of a path through its own pings: probe back, but not faster than this. */
#define TRIGGERED_PROBE_GAP (50 * G_TIME_SPAN_MILLISECOND)
/* A timer this late means that the host slept or was stopped. */
#define SLEPT_AFTER (100 * G_TIME_SPAN_MILLISECOND)

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
  ics_path_judge_note_lost (self);
}

static IcsPath *
enter_path (IcsPathEngine *self, gint64 now, guint id)
{
  enter (self, now);
  return ics_path_table_find (&self->table, id);
}

IcsPathEngine *
ics_path_engine_new (const IcsPathEngineConfig *config)
{
  IcsPathEngine *self = g_new0 (IcsPathEngine, 1);

  self->config = *config;
  self->now = G_MININT64;
  self->resumed_at = self->asked_at = G_MININT64 / 2;
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
ics_path_engine_set_streamed (IcsPathEngine *self, guint id)
{
  IcsPath *path = ics_path_table_find (&self->table, id);

  if (path != NULL)
    path->streamed = TRUE;
}

void
ics_path_engine_remove (IcsPathEngine *self, gint64 now, guint id)
{
  IcsPath *path = enter_path (self, now, id);

  if (path == NULL)
    return;
  ics_path_judge_set_state (self, path, ICS_PATH_STATE_DEAD);
  if (self->active == id)
    self->active = 0;
  ics_path_table_remove (&self->table, id);
}

void
ics_path_engine_set_down (IcsPathEngine *self, gint64 now, guint id, gboolean down)
{
  IcsPath *path = enter_path (self, now, id);

  if (path == NULL)
    return;
  if (down)
    {
      ics_path_judge_set_state (self, path, ICS_PATH_STATE_DEAD);
      path->down = TRUE;
      return;
    }
  path->probe_now = TRUE;
  if (path->down)
    ics_path_excuse (path);
  path->down = FALSE;
}

void
ics_path_engine_set_active (IcsPathEngine *self, gint64 now, guint id)
{
  IcsPath *path = enter_path (self, now, id);

  if (path == NULL)
    return;
  self->started = TRUE;
  ics_path_move_settle (self, id);
  path->last_data = self->now;
  /* QUIC's handshake went both ways over it, which is as good as an answer. */
  path->last_received = path->last_pong = self->now;
  if (path->state == ICS_PATH_STATE_NEW)
    ics_path_judge_set_state (self, path, ICS_PATH_STATE_ALIVE);
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
  IcsPath *path = enter_path (self, now, id);

  if (path == NULL)
    return;
  path->last_data = self->now;
  on_sign (self, path);
}

void
ics_path_engine_on_sent (IcsPathEngine *self, gint64 now, guint id, gsize len)
{
  IcsPath *path = enter_path (self, now, id);

  if (path != NULL)
    path->last_data = self->now;
}

gboolean
ics_path_engine_on_ping (IcsPathEngine *self, gint64 now, guint id, guint64 seq)
{
  IcsPath *path = enter_path (self, now, id);

  if (path == NULL || !ics_replay_window_accept (&path->pings, seq))
    return FALSE;
  on_sign (self, path);
  return TRUE;
}

void
ics_path_engine_on_doubt (IcsPathEngine *self, gint64 now)
{
  IcsPath *path = enter_path (self, now, self->active);

  if (path == NULL)
    return;
  path->doubted_at = self->now;
  if (self->now >= path->last_probe + TRIGGERED_PROBE_GAP)
    path->probe_now = TRUE;
}

/* What was sent to the old address bears no witness. */
void
ics_path_engine_on_roamed (IcsPathEngine *self, gint64 now, guint id)
{
  IcsPath *path = enter_path (self, now, id);

  if (path == NULL)
    return;
  path->judged_from = self->now;
  path->proven = FALSE;
  path->replies = 0;
  path->probe_now = TRUE;
}

void
ics_path_engine_on_probe_reply (IcsPathEngine *self, gint64 now, guint id, guint64 seq)
{
  IcsPath *path = enter_path (self, now, id);

  if (path == NULL || !ics_probe_log_answer (&path->log, self->now, seq, &path->quality))
    return;
  path->last_received = path->last_pong = self->now;
  ics_path_judge_set_state (self, path, ICS_PATH_STATE_ALIVE);
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
  IcsPath *path = enter_path (self, now, id);

  if (path == NULL)
    return;
  self->started = TRUE;
  ics_path_move_settle (self, id);
  path->last_data = self->now;
  path->failures = 0;
  /* Another one: the driver finished a move that a more urgent one has replaced meanwhile. */
  if (self->move.path == id)
    self->move = (PendingMove){ 0 };
}

void
ics_path_engine_on_move_failed (IcsPathEngine *self, gint64 now, guint id)
{
  IcsPath *path = enter_path (self, now, id);

  if (path == NULL)
    return;
  if (self->move.path == id)
    ics_path_move_fail (self);
  else if (self->active == id)
    {
      self->broken = TRUE;
      ics_path_block (path, self->now);
    }
}

void
ics_path_engine_set_allowed (IcsPathEngine *self, gint64 now, guint allowed)
{
  guint unlocked = allowed & ~self->config.allowed;

  enter (self, now);
  self->config.allowed = allowed;
  ics_path_move_policy_changed (self, unlocked);
}

void
ics_path_engine_handle_timeout (IcsPathEngine *self, gint64 now)
{
  enter (self, now);
  self->due = G_MAXINT64;
  ics_path_judge_all (self);
  if (self->move.path != 0 && self->move.deadline <= self->now)
    ics_path_move_fail (self);
  if (self->choose_wake <= self->now)
    self->choose_wake = G_MAXINT64;
}

gint64
ics_path_engine_next_timeout (IcsPathEngine *self)
{
  gint64 at = self->choose_wake;

  for (guint i = 0; i < self->table.n_paths; i++)
    at = MIN (at, ics_path_judge_timeout (self, self->table.paths[i]));
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
      if (path->state == ICS_PATH_STATE_NEW)
        path->backoff = ics_liveness_back_off (path);
      ics_probe_log_sent (&path->log, self->now, ++self->last_seq);
      *action = (IcsPathAction){ .type = ICS_PATH_ACTION_PROBE,
                                 .path = path->id,
                                 .seq = self->last_seq,
                                 .in_doubt = ics_path_judge_is_in_doubt (self) };
      return TRUE;
    }
  return FALSE;
}

gboolean
ics_path_engine_poll (IcsPathEngine *self, gint64 now, IcsPathAction *action)
{
  enter (self, now);
  return take_state (self, action) || ics_path_move_take (self, action) || take_probe (self, action);
}

gboolean
ics_path_engine_has_consent (IcsPathEngine *self, gint64 now, guint id)
{
  const IcsPath *path = ics_path_table_find (&self->table, id);

  /* What made the path exist, ICE's checks or the channel's pairing, is consent too. */
  return path != NULL && now < MAX (path->last_pong, path->added_at) + ICS_CONSENT_LIFETIME;
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
