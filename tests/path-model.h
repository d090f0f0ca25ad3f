/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tests/path-world.h"

/* What must hold in every world, whatever happens in it, and what has to be known of the past to say so. */

/* Per host and virtual second: every path at the pace of a busy one, with triggered probes and state changes.
 */
#define MOST_ACTIONS (WORLD_PATHS * 150)
/* When nothing happens: every path once a second, one of them busy. */
#define MOST_CALM_ACTIONS 150

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

void model_init (Model *model, World *world, guint32 seed);
Model *model_of (World *world);

/* On the deciding host. */
int model_active (World *world);
gboolean model_another_lives (World *world, int except);
/* To be called after what may kill a path. */
void model_note_deaths (World *world);

void model_check_move (World *world, const IcsPathAction *action);
/* On every step. */
void model_on_step (World *world);
void model_check_rate (World *world);
/* After a calm that was long enough for everything to be found. */
void model_check_converged (World *world);
