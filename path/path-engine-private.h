/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "path/path-engine.h"
#include "path/path-table.h"

G_BEGIN_DECLS

/* The engine in three files: path-engine.c takes in what happens and hands out what to do, path-judge.c has
 * the states of the paths and their timers, path-move.c the place of the traffic. */

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
  gint64 asked_at; /* when the last move was begun */
  guint unlocked; /* kinds of living paths that the last change of policy allows: why the next move is made */
  IcsChooseMemory memory;
  gint64 choose_wake;
  guint64 last_seq;

  gint64 now; /* of the latest call */
  gint64 due; /* what next_timeout() said last */
  gint64 resumed_at;
  gint64 lost_since; /* G_MAXINT64 = not lost */
};

/* Whether the link has a working path at all. */
void ics_path_judge_note_lost (IcsPathEngine *self);
/* For the peer to know: the active path gives no answers. */
gboolean ics_path_judge_is_in_doubt (IcsPathEngine *self);
/* The only way from one state to another. */
void ics_path_judge_set_state (IcsPathEngine *self, IcsPath *path, IcsPathState state);
/* What is late becomes suspect or dead, and probes become due. */
void ics_path_judge_all (IcsPathEngine *self);
gint64 ics_path_judge_timeout (IcsPathEngine *self, const IcsPath *path);

/* The traffic is on @path now. */
void ics_path_move_settle (IcsPathEngine *self, guint path);
/* The move that is under way has failed. */
void ics_path_move_fail (IcsPathEngine *self);
/* Paths of the kinds in @unlocked may be used from now on. */
void ics_path_move_policy_changed (IcsPathEngine *self, guint unlocked);
/* For poll(): asks the rule, and starts the move that it wants. */
gboolean ics_path_move_take (IcsPathEngine *self, IcsPathAction *action);

G_END_DECLS
