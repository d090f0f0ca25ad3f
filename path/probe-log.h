/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "path/quality.h"
#include <glib.h>

G_BEGIN_DECLS

/* The last probes sent on one path and what became of them. A position counts the probes ever sent; the
 * oldest are overwritten. The row is the probes sent after the newest one that was answered. */

#define ICS_PROBE_LOG_LEN 64

typedef struct
{
  guint64 seq;
  gint64 sent_at;
  gboolean answered;
} IcsLoggedProbe;

typedef struct
{
  IcsLoggedProbe probes[ICS_PROBE_LOG_LEN];
  guint64 end;     /* position of the next probe */
  guint64 row;     /* position where the row begins */
  guint64 counted; /* the fate of all before is part of the loss estimate */
} IcsProbeLog;

void ics_probe_log_sent (IcsProbeLog *self, gint64 now, guint64 seq);
/* Feeds RTT and loss into @quality. FALSE for a seq that is not outstanding: unknown, too old, or answered
 * before. */
gboolean ics_probe_log_answer (IcsProbeLog *self, gint64 now, guint64 seq, IcsQuality *quality);
/* What was lost while a path was dead says nothing about its loss when alive. */
void ics_probe_log_skip (IcsProbeLog *self);

/* The @nth (from 0) probe of the row that was sent at or after @since, NULL when there is none. */
const IcsLoggedProbe *ics_probe_log_row (const IcsProbeLog *self, gint64 since, guint nth);

G_END_DECLS
