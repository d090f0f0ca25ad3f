/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/ics-types.h"
#include <glib.h>

G_BEGIN_DECLS

/* How far a transfer is; the worker writes, the main thread reads. Zero-initialised. */
typedef struct
{
  GMutex lock;
  const char *file; /* static for the life of the transfer; NULL: nothing begun */
  guint64 bytes;    /* atomic */
  guint64 total;
  gint64 start_us; /* when the first file began, monotonic */
} CliProgress;

void cli_progress_set_file (CliProgress *self, const char *file, guint64 total);
/* FALSE when nothing has begun. */
gboolean cli_progress_get (CliProgress *self, const char **file, guint64 *bytes, guint64 *total);

/* What a finished transfer came to. */
typedef struct
{
  guint64 bytes;
  char *sha256;
  guint64 by_kind[ICS_N_PATH_KINDS];
} CliTotals;

void cli_totals_clear (CliTotals *self);

G_END_DECLS
