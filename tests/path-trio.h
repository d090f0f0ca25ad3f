/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "path-world.h"

/* The world of most tests: a link on its channel, with a TURN and a direct path at hand. One at a time. */

#define ALL_KINDS ((1u << ICS_N_PATH_KINDS) - 1)

extern World *world;
extern int channel, turn, direct;

void open_world (guint32 seed, gint64 turn_delay, gint64 direct_delay);
void close_world (void);
void run_for (gint64 time);
/* The path that the engine of @host takes for the active one. */
int active (int host);
void cut (int path, gboolean cut);
/* The carrier says so, to the decider. */
void down (int path, gboolean is_down);
