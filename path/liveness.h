/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "path/path-table.h"

G_BEGIN_DECLS

/* When to probe a path and when to call it late or dead: pure functions of the path and what surrounds it.
 * They give absolute times (monotonic µs, G_MAXINT64 = never); a time in the past means now. */

typedef struct
{
  gint64 now;
  gboolean carrying;  /* the path is active, or the traffic is being moved to it or soon may be */
  gint64 judged_from; /* the host slept until then, or the address is new: earlier silence proves nothing */
} IcsLivenessView;

#define ICS_NEW_BACKOFF (50 * G_TIME_SPAN_MILLISECOND)

gint64 ics_liveness_probe_at (const IcsPath *path, const IcsLivenessView *view);
gint64 ics_liveness_suspect_at (const IcsPath *path, const IcsLivenessView *view);
/* A living path becomes suspect first. */
gint64 ics_liveness_death_at (const IcsPath *path, const IcsLivenessView *view);

/* RFC 7675 §5.1: consent expires 30 s after the last answer. */
#define ICS_CONSENT_LIFETIME (30 * G_TIME_SPAN_SECOND)

/* The next pause between probes of a path that is NEW. */
gint64 ics_liveness_back_off (const IcsPath *path);

G_END_DECLS
