/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A limit on bytes a second. Plain data; a rate of 0 limits nothing. */
typedef struct
{
  guint64 rate;  /* bytes a second */
  gint64 due_us; /* when what was let through so far is paid for */
} CliRate;

/* Accounts for @bytes at @now_us (monotonic). Returns when the next bytes may follow; idle time earns no
 * credit. */
gint64 cli_rate_take (CliRate *self, gint64 now_us, gsize bytes);

/* As above, and waits until then. May be called from several threads. */
gboolean cli_rate_wait (CliRate *self, gsize bytes, GCancellable *cancellable, GError **error);

/* The most to read at once, so that a slow rate flows evenly: @max when there is no limit. */
gsize cli_rate_chunk (const CliRate *self, gsize max);

/* Sleeps until @until_us (monotonic) or @cancellable. */
gboolean cli_wait_until (gint64 until_us, GCancellable *cancellable, GError **error);

G_END_DECLS
