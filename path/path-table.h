/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "path/choose.h"
#include "path/path-engine.h"
#include "path/probe-log.h"
#include "path/quality.h"
#include "path/replay-window.h"

G_BEGIN_DECLS

/* The paths of one link, and all that the engine knows about each. Times are monotonic µs. */

/* A link has a handful; what the peer makes it add stays bounded. */
#define ICS_PATH_TABLE_MAX 32

typedef struct
{
  guint id;
  IcsPathKind kind;
  gboolean streamed; /* see IcsPathFacts */
  IcsPathState state;
  IcsPathState reported; /* the state that the owner knows */
  IcsQuality quality;
  IcsProbeLog log;
  IcsReplayWindow pings;

  gint64 added_at;
  gint64 last_received; /* anything authentic */
  gint64 last_pong;     /* also the start of QUIC on it: the last sign that the way out works */
  gint64 doubted_at;    /* the peer said that it is not answered there */
  gint64 judged_from;   /* what was sent before bears no witness */
  gint64 last_data;     /* in either direction, probes not counted */
  gint64 last_probe;
  gint64 backoff;     /* pace of the probes while NEW */
  gboolean probe_now; /* a probe is due */

  guint replies; /* probes answered without one being late between, while not proven */
  gboolean proven;

  gboolean down;     /* the carrier said so, and will say when that is over */
  gint64 held_until; /* see IcsPathFacts */
  guint flaps;
  gint64 blocked_until;
  guint failures;
} IcsPath;

typedef struct
{
  IcsPath *paths[ICS_PATH_TABLE_MAX];
  guint n_paths;
  guint last_id;
} IcsPathTable;

/* NULL when the table is full. */
IcsPath *ics_path_table_add (IcsPathTable *self, gint64 now, IcsPathKind kind);
IcsPath *ics_path_table_find (const IcsPathTable *self, guint id);
void ics_path_table_remove (IcsPathTable *self, guint id);
void ics_path_table_clear (IcsPathTable *self);
gboolean ics_path_table_has_living (const IcsPathTable *self);

gboolean ics_path_is_living (const IcsPath *self);
void ics_path_get_facts (const IcsPath *self, IcsPathFacts *facts);

/* Hold-down: the path died under traffic that it had carried for @stable µs. */
void ics_path_hold (IcsPath *self, gint64 now, gint64 stable);
/* The reason for its death is known to be over: no flapper yet, if it was the first time. */
void ics_path_excuse (IcsPath *self);
/* A move to the path failed: not again at once. */
void ics_path_block (IcsPath *self, gint64 now);
void ics_path_unblock (IcsPath *self);

G_END_DECLS
