/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path-trio.h"

World *world;
int channel, turn, direct;

void
open_world (guint32 seed, gint64 turn_delay, gint64 direct_delay)
{
  world = world_new (seed);
  channel = world_add (world, ICS_PATH_CHANNEL, 50 * MS);
  world_start (world, channel);
  turn = world_add (world, ICS_PATH_TURN, turn_delay);
  direct = world_add (world, ICS_PATH_DIRECT, direct_delay);
}

void
close_world (void)
{
  world_free (world);
}

void
run_for (gint64 time)
{
  world_run (world, world->now + time);
}

int
active (int host)
{
  return world_index (world, host, ics_path_engine_get_active (world->hosts[host].engine));
}

void
cut (int path, gboolean cut)
{
  world->paths[path].cut[0] = world->paths[path].cut[1] = cut;
}

void
down (int path, gboolean is_down)
{
  ics_path_engine_set_down (world->hosts[0].engine, world->now, world->paths[path].id[0], is_down);
}
