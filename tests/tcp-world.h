/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/tcp-race.h"

G_BEGIN_DECLS

/* Two hosts with a TCP of their own behind NATs, on a virtual clock. Two ways lead from one to the other (two
 * networks, or two families), each through NATs of its own; a third address leads nowhere. */

#define WORLD_WAYS 2
#define WORLD_MS G_TIME_SPAN_MILLISECOND
#define WORLD_NOBODY 0

typedef enum
{
  WORLD_OPEN,  /* no NAT, no filter */
  WORLD_DROPS, /* what nobody inside asked for is dropped */
  WORLD_RESETS /* it is answered with RST */
} WorldFilter;

typedef struct
{
  WorldFilter filter;
  gboolean moves_ports; /* another outside port for each destination */
  gboolean deaf;        /* nothing comes through at all */
} WorldNat;

typedef struct
{
  WorldNat nats[2][WORLD_WAYS]; /* of each host */
  gint64 delay[2][WORLD_WAYS];  /* one way, from each host; µs */
  gint64 signal_delay[2];
  gint64 lag[2]; /* so much later a host does what its core says */
  double loss;   /* of segments without data */
} WorldConfig;

typedef struct _World World;

World *world_new (const WorldConfig *config, guint32 seed);
void world_free (World *self);

/* The controlling host, 0, says that it starts. */
void world_start (World *self);
/* The same; then all runs until both have ended, or for 60 s. */
void world_run (World *self);
/* More of it. */
void world_run_for (World *self, gint64 time);

/* A connection of a stranger to @host; what he says is not authentic. */
void world_stranger (World *self, guint host);
/* Cuts what @host has selected. */
void world_cut (World *self, guint host);

gboolean world_has_selected (World *self, guint host);
gboolean world_has_failed (World *self, guint host);
/* The selected connection is open at both ends, and one and the same. */
gboolean world_agrees (World *self);
/* When both had it; µs since the start signal was sent. */
gint64 world_time_taken (World *self);
guint world_open_connections (World *self, guint host);
guint world_most_known (World *self, guint host); /* connections that the core knew at a time */
guint world_told_strangers (World *self);         /* checks that a stranger was sent */

G_END_DECLS
