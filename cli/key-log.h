/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A file that secrets are added to, for debugging. */

/* Opens it, or makes it; nobody but its owner may read it then. -1 on an error. */
int cli_key_log_open (const char *path, GError **error);
/* Adds a line, in one piece. */
gboolean cli_key_log_write (int fd, const char *line, GError **error);

G_END_DECLS
