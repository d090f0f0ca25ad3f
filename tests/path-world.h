/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "path/path-engine.h"
#include <check.h>
#include <glib.h>

/* A world for two path engines: paths with delay, jitter, loss, bursts and blackholes, a transport that moves
 * as QUIC does, and a virtual clock. Host 0 decides, host 1 follows. Times are µs. */

#define WORLD_PATHS 6
#define MS G_TIME_SPAN_MILLISECOND
#define SEC G_TIME_SPAN_SECOND

/* As ck_assert_msg(), which is too slow for what is checked a million times: it takes a note of every
 * success. */
#define world_require(condition, ...)                                                                        \
  do                                                                                                         \
    {                                                                                                        \
      if (!(condition))                                                                                      \
        ck_abort_msg (__VA_ARGS__);                                                                          \
    }                                                                                                        \
  while (0)

typedef struct
{
  gboolean present;
  IcsPathKind kind;
  gint64 delay; /* one way */
  gint64 jitter;
  double loss;       /* each way */
  double burst_rate; /* chance per packet that a burst begins, in which most packets are lost */
  guint burst_left;
  gboolean cut[2]; /* by sender: a silent blackhole */
  guint id[2];     /* for the engines */
} WorldPath;

typedef struct
{
  IcsPathEngine *engine;
  int transport; /* index of the path that QUIC sends on */
  gint64 asleep_until;
  gint64 last_timeout;
  guint repeats;  /* of the timer in one instant */
  guint64 newest; /* highest number of the peer's data */
  guint64 timeouts, actions, probes, state_changes, deaths;
} WorldHost;

typedef struct _World World;

struct _World
{
  GRand *rand;
  gint64 now;
  GArray *packets; /* a heap by time */
  guint64 n_packets;
  guint64 n_data;
  WorldPath paths[WORLD_PATHS];
  WorldHost hosts[2];
  gboolean sends[2]; /* each host: has application data to send, every 10 ms */
  gint64 next_tick;
  guint allowed;
  double move_fails, move_unreported;

  int target; /* of the move that is under way, -1 = none */
  gboolean immediate;
  gint64 asked_at;
  gint64 challenge_at;
  guint challenges;
  gint64 moved_at;
  guint64 moves;
  IcsPathAction last_move;

  void (*on_move) (World *world, const IcsPathAction *action);
  void (*on_step) (World *world);
  gpointer data;
};

World *world_new (guint32 seed);
void world_free (World *world);
int world_add (World *world, IcsPathKind kind, gint64 delay);
void world_remove (World *world, int path);
/* Both hosts run on @path from now on, as after QUIC's handshake. */
void world_start (World *world, int path);
void world_run (World *world, gint64 until);
int world_index (World *world, int host, guint id);
gboolean world_works (World *world, int path);
IcsPathStatus world_info (World *world, int host, int path);
void world_drain (World *world, int host);
void world_set_sends (World *world, int host, gboolean sends);
void world_set_allowed (World *world, guint allowed);
