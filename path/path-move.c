/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path/choose.h"
#include "path/path-engine-private.h"

#define MOVE_TIMEOUT_LEAST (3 * G_TIME_SPAN_SECOND)
#define MOVE_TIMEOUT_RTTS 6

void
ics_path_move_fail (IcsPathEngine *self)
{
  IcsPath *path = ics_path_table_find (&self->table, self->move.path);

  self->move = (PendingMove){ 0 };
  if (path != NULL)
    ics_path_block (path, self->now);
}

void
ics_path_move_settle (IcsPathEngine *self, guint path)
{
  if (path != self->active)
    self->memory = (IcsChooseMemory){ 0 };
  self->unlocked = 0;
  self->active = path;
  self->active_since = self->now;
  self->broken = FALSE;
}

/* A move to what is not allowed any more ends here. Should the transport finish it all the same, the traffic
 * is moved back. */
void
ics_path_move_policy_changed (IcsPathEngine *self, guint unlocked)
{
  const IcsPath *target = ics_path_table_find (&self->table, self->move.path);

  if (target != NULL && (self->config.allowed & 1u << target->kind) == 0)
    self->move = (PendingMove){ 0 };
  self->unlocked &= self->config.allowed;
  for (guint i = 0; i < self->table.n_paths; i++)
    if (ics_path_is_living (self->table.paths[i]))
      self->unlocked |= unlocked & 1u << self->table.paths[i]->kind;
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

  self->asked_at = self->now;
  self->move
      = (PendingMove){ .path = choice->path, .immediate = choice->immediate, .deadline = self->now + wait };
}

/* Moves that were begun and given up for a change of policy count too. */
static gboolean
is_too_soon (IcsPathEngine *self, const IcsChoice *choice)
{
  gint64 ready = self->asked_at + ICS_CHOOSE_LEAST_GAP;

  if (choice->immediate || ready <= self->now)
    return FALSE;
  self->choose_wake = MIN (self->choose_wake, ready);
  return TRUE;
}

gboolean
ics_path_move_take (IcsPathEngine *self, IcsPathAction *action)
{
  const IcsPath *path;
  IcsChoice choice;

  if (!self->config.decider || !self->started || self->move.immediate)
    return FALSE;
  choose (self, &choice);
  path = ics_path_table_find (&self->table, choice.path);
  if (path != NULL && is_too_soon (self, &choice))
    return FALSE;
  if (path != NULL && choice.reason == ICS_PATH_REASON_BETTER && (self->unlocked & 1u << path->kind) != 0)
    choice.reason = ICS_PATH_REASON_POLICY;
  /* Only a fall-back interrupts an upgrade that is under way. */
  if (choice.path == 0 || (self->move.path != 0 && !choice.immediate))
    return FALSE;
  start_move (self, &choice);
  *action = (IcsPathAction){
    .type = ICS_PATH_ACTION_MOVE, .path = choice.path, .immediate = choice.immediate, .reason = choice.reason
  };
  return TRUE;
}
