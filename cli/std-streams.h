/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Opens /dev/null, the wrong way round, for each of the descriptors 0 to 2 that is closed: no socket may get
 * their numbers, and their use shall fail as before. Call first. */
void cli_stdio_guard (void);

/* Takes over stdin and stdout: closing these streams really ends them. A pipe is written without blocking, so
 * that the process can be told to stop while nobody reads. */
GIOStream *cli_stdio_take (GError **error);

/* Gives stdout back the flags it came with. */
void cli_stdio_restore (void);

G_END_DECLS
