/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Tells a repeated sequence number from a new one in bounded memory. Each slot keeps the highest number seen
 * of its residue class, so a number passes at most once, and numbers may have gaps (one counter serves all
 * paths). */

#define ICS_REPLAY_WINDOW_LEN 64

typedef struct
{
  guint64 highest[ICS_REPLAY_WINDOW_LEN];
} IcsReplayWindow;

/* TRUE the first time; FALSE for a repetition, a number too old to tell, and 0. */
gboolean ics_replay_window_accept (IcsReplayWindow *self, guint64 seq);

G_END_DECLS
