/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The exit statuses of the program, as ice-session(1) lists them. */
typedef enum
{
  CLI_EXIT_OK = 0,
  CLI_EXIT_IO = 1,
  CLI_EXIT_USAGE = 2,
  CLI_EXIT_SERVER = 3,
  CLI_EXIT_NO_PEER = 4,
  CLI_EXIT_REJECTED = 5,
  CLI_EXIT_PATH = 6,
  CLI_EXIT_REFUSED = 7,
  CLI_EXIT_LINK = 8,
  CLI_EXIT_INTEGRITY = 9,
  CLI_EXIT_SIGNAL = 128 /* plus the signal's number */
} CliExit;

/* The exit status that stands for @error; errors of other domains than IcsError are local I/O errors. */
int cli_exit_from_error (const GError *error);

/* The stable name of @error in events: that of IcsError, "interrupted" after a signal, else "local-io". */
const char *cli_exit_error_name (const GError *error);

G_END_DECLS
