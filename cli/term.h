/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* People's messages: lines on stderr and, on a terminal, one progress line below them. May be used from any
 * thread. */
typedef struct _CliTerm CliTerm;

typedef enum
{
  CLI_TERM_NORMAL,
  CLI_TERM_QUIET, /* errors and what one cannot go on without */
  CLI_TERM_SILENT /* nothing: stderr belongs to the events */
} CliTermMode;

CliTerm *cli_term_new (CliTermMode mode);
void cli_term_free (CliTerm *self);
/* TRUE when a person can be asked: stdin and stderr are terminals. */
gboolean cli_term_can_ask (CliTerm *self);

/* The text is cleaned of control characters. */
void cli_term_say (CliTerm *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* Also when quiet. */
void cli_term_must_say (CliTerm *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* "ice-session: error: …" */
void cli_term_fail (CliTerm *self, const char *message);
/* Replaces the progress line, NULL removes it; nothing unless stderr is a terminal. */
void cli_term_progress (CliTerm *self, const char *line);
/* Writes @question and reads a line from stdin; NULL at its end or when cancelled. (transfer full) */
char *cli_term_ask (CliTerm *self, const char *question, GCancellable *cancellable);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliTerm, cli_term_free)

G_END_DECLS
