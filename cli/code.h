/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Codes and other secrets on their way in. */

/* A copy of @secret, whose memory is then overwritten: arguments and the environment can be read by others in
 * /proc. */
char *cli_code_take (char *secret);
/* Takes a variable out of the environment, memory included. (transfer full) (nullable) */
char *cli_code_take_environment (const char *name);
void cli_code_free (char *code);

/* Reads the code in @path. NULL without an error when the file is missing or empty. */
char *cli_code_read_file (const char *path, GError **error);
/* Writes it with mode 0600, at once or not at all. */
gboolean cli_code_write_file (const char *path, const char *code, GError **error);
/* Removes @path if it still holds @code. */
void cli_code_remove_file (const char *path, const char *code);

/* Asks on the terminal; without one, reads a line from stdin if @use_stdin. */
char *cli_code_ask (gboolean use_stdin, GError **error);

G_END_DECLS
