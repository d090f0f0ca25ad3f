/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The record of a link: what it tried and what became of it, in people's words, a line each. */

#define ICS_RECORD_MAX_LINES 512
#define ICS_RECORD_MAX_LINE 240

/* Makes *@text, which others had a say in, fit for people's eyes: valid UTF-8 of at most @max bytes without
 * anything that could disturb a terminal. Returns *@text. */
char *ics_record_clean (char **text, gsize max);

/* A line of the record: the time since the start and @text, cleaned. (transfer full) */
char *ics_record_format (gint64 elapsed_us, const char *text);

G_END_DECLS
