/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Figures in people's words. Sizes are decimal: 1 kB = 1000 bytes. All return (transfer full). */
char *cli_human_bytes (guint64 bytes);
char *cli_human_duration (gint64 us); /* "3:01", "1:02:03" */
char *cli_human_progress (const char *name, guint64 done, guint64 total, gint64 us, const char *path);

/* @text with control characters and broken UTF-8 replaced, at most @max characters: what a peer or a file
 * name says must not steer the terminal. */
char *cli_human_sanitize (const char *text, gsize max);

/* "512", "64K", "1.5M", "2G" (decimal) to bytes. */
gboolean cli_human_parse_rate (const char *text, guint64 *rate);

G_END_DECLS
