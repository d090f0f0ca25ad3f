/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A terminal with a line to type in at the bottom, and what comes in above it. */
#pragma once

#include <glib.h>

typedef struct _Terminal Terminal;

/* @typed gets each line, without its end; NULL when the user is done (Ctrl-D). Returns NULL where there is no
 * terminal. To be closed before the program ends, or the shell has no echo. */
Terminal *terminal_open (void (*typed) (const char *line, gpointer user_data), gpointer user_data);
void terminal_close (Terminal *self);

/* What stands before the line that is typed. */
void terminal_set_prompt (Terminal *self, const char *prompt);

/* Shows a line above. Whatever is in it, it cannot command the terminal: a peer's text may contain escape
 * sequences. */
void terminal_show (Terminal *self, const char *text);
