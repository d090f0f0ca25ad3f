/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/frame.h"

G_BEGIN_DECLS

#define CLI_MANIFEST_MAX 100000

typedef struct
{
  char *path;   /* as both sides name it, with '/' */
  char *source; /* the sender's own name for it, else NULL */
  guint64 size;
  gint64 mtime; /* seconds since the epoch */
  gboolean is_folder;
  gboolean executable;
} CliEntry;

/* What is offered: folders come before what is in them, no path twice. */
typedef struct
{
  GPtrArray *entries; /* of CliEntry */
  GHashTable *paths;  /* path -> CliEntry */
  guint64 total;      /* bytes of all files */
  guint n_files;
} CliManifest;

CliManifest *cli_manifest_new (void);
void cli_manifest_free (CliManifest *self);
/* (transfer full) @entry, also on error. Errors: ICS_ERROR_INVALID_ARGUMENT, the sentence says what is wrong
 * with the entry. */
gboolean cli_manifest_add (CliManifest *self, CliEntry *entry, GError **error);
CliEntry *cli_manifest_get (CliManifest *self, guint i);
void cli_entry_free (CliEntry *self);
/* TRUE when the entry stands for itself and not within an offered folder. */
gboolean cli_entry_is_top (const CliEntry *self);

/* Over the control stream, in as many frames as it takes. What the peer sends is checked by the rules above
 * and those of cli_safe_path(); errors: ICS_ERROR_PROTOCOL. */
gboolean cli_manifest_write (CliManifest *self, GIOStream *control, GCancellable *cancellable,
                             GError **error);
CliManifest *cli_manifest_read (GIOStream *control, GCancellable *cancellable, GError **error);

/* Called for what is left out: symbolic links, sockets and the like. */
typedef void (*CliManifestSkipped) (const char *name, const char *why, gpointer user_data);
/* Looks up files and folders (recursively) of this host. Errors: I/O errors with the name,
 * ICS_ERROR_INVALID_ARGUMENT. */
CliManifest *cli_manifest_collect (char **names, CliManifestSkipped skipped, gpointer user_data,
                                   GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliManifest, cli_manifest_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliEntry, cli_entry_free)

G_END_DECLS
