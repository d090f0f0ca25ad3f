/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path/path-table.h"

#define HOLD_FIRST (2 * G_TIME_SPAN_SECOND)
#define HOLD_MOST (20 * G_TIME_SPAN_SECOND)
/* Each such stretch of steady service takes one doubling back. */
#define HOLD_DECAY (30 * G_TIME_SPAN_SECOND)

#define BLOCK_FIRST (100 * G_TIME_SPAN_MILLISECOND)
#define BLOCK_MOST (10 * G_TIME_SPAN_SECOND)

IcsPath *
ics_path_table_add (IcsPathTable *self, gint64 now, IcsPathKind kind)
{
  IcsPath *path;

  if (self->n_paths == ICS_PATH_TABLE_MAX)
    return NULL;
  path = g_new0 (IcsPath, 1);
  path->id = ++self->last_id;
  path->kind = kind;
  path->added_at = now;
  path->last_received = path->last_pong = path->last_data = path->last_probe = G_MININT64 / 2;
  path->doubted_at = path->judged_from = G_MININT64 / 2;
  path->state = path->reported = ICS_PATH_STATE_NEW;
  self->paths[self->n_paths++] = path;
  return path;
}

IcsPath *
ics_path_table_find (const IcsPathTable *self, guint id)
{
  for (guint i = 0; i < self->n_paths; i++)
    if (self->paths[i]->id == id)
      return self->paths[i];
  return NULL;
}

void
ics_path_table_remove (IcsPathTable *self, guint id)
{
  for (guint i = 0; i < self->n_paths; i++)
    if (self->paths[i]->id == id)
      {
        g_free (self->paths[i]);
        self->paths[i] = self->paths[--self->n_paths];
        return;
      }
}

void
ics_path_table_clear (IcsPathTable *self)
{
  while (self->n_paths > 0)
    g_free (self->paths[--self->n_paths]);
}

gboolean
ics_path_table_has_living (const IcsPathTable *self)
{
  for (guint i = 0; i < self->n_paths; i++)
    if (ics_path_is_living (self->paths[i]))
      return TRUE;
  return FALSE;
}

gboolean
ics_path_is_living (const IcsPath *self)
{
  return self->state == ICS_PATH_STATE_ALIVE || self->state == ICS_PATH_STATE_SUSPECT;
}

void
ics_path_get_facts (const IcsPath *self, IcsPathFacts *facts)
{
  *facts = (IcsPathFacts){
    .id = self->id,
    .kind = self->kind,
    .streamed = self->streamed,
    .living = ics_path_is_living (self),
    .suspect = self->state == ICS_PATH_STATE_SUSPECT,
    .proven = self->proven,
    .held_until = self->held_until,
    .blocked_until = self->blocked_until,
    .srtt = self->quality.srtt,
    .loss = self->quality.loss,
  };
}

/* @first doubled @times times, @most at most. */
static gint64
backed_off (gint64 first, guint times, gint64 most)
{
  return times < 32 ? MIN (first << times, most) : most;
}

void
ics_path_hold (IcsPath *self, gint64 now, gint64 stable)
{
  guint healed = (guint)CLAMP (stable / HOLD_DECAY, 0, G_MAXINT);

  self->flaps -= MIN (self->flaps, healed);
  self->held_until = now + backed_off (HOLD_FIRST, self->flaps, HOLD_MOST);
  /* No further than the longest hold, so that healing begins to count at once. */
  if (backed_off (HOLD_FIRST, self->flaps, HOLD_MOST) < HOLD_MOST)
    self->flaps++;
}

void
ics_path_excuse (IcsPath *self)
{
  if (self->flaps <= 1)
    self->held_until = 0;
}

void
ics_path_block (IcsPath *self, gint64 now)
{
  gint64 wait = backed_off (BLOCK_FIRST, self->failures, BLOCK_MOST);

  self->blocked_until = now + wait;
  if (wait < BLOCK_MOST)
    self->failures++;
}

void
ics_path_unblock (IcsPath *self)
{
  self->blocked_until = 0;
  self->failures = 0;
}
