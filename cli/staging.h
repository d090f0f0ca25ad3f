/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/manifest.h"

G_BEGIN_DECLS

/* Where received files wait until they are verified: a private folder ".NAME.ice-session-partial-XXXXXX"
 * within the target folder. Nobody else can write into it, everything in it is created anew and without
 * following links, and it moves into place as a whole at the end, or goes. */
typedef struct _CliStaging CliStaging;

/* @name is the first thing in it. Errors: G_IO_ERROR with the name of the folder. */
CliStaging *cli_staging_new (const char *target, const char *name, GError **error);
/* What is not committed is removed. */
void cli_staging_free (CliStaging *self);

gboolean cli_staging_add_folder (CliStaging *self, const char *path, GError **error);
/* A descriptor to write the file to (mode 0600), -1 on error. */
int cli_staging_create_file (CliStaging *self, const char *path, GError **error);
/* Gives the file its time and mode, and closes @fd. */
gboolean cli_staging_finish_file (const CliEntry *entry, int fd, GError **error);
/* Moves the top entries into the target folder; never over something that exists unless @overwrite. */
gboolean cli_staging_commit (CliStaging *self, CliManifest *manifest, gboolean overwrite, GError **error);

/* Whether @manifest may be received into @target: none of it exists (unless @overwrite), and there is room.
 */
gboolean cli_staging_check (const char *target, CliManifest *manifest, gboolean overwrite, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliStaging, cli_staging_free)

G_END_DECLS
