/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/manifest.h"
#include "cli/transfer.h"

G_BEGIN_DECLS

/* Asks whether to accept the offer. */
typedef gboolean (*CliFileAccept) (CliManifest *manifest, gpointer user_data);

/* The receiving side of "file/1"; see docs/protocol.md. */
typedef struct
{
  CliPeer *peer;
  const char *target; /* the folder */
  gboolean overwrite;
  CliFileAccept accept; /* (nullable) */
  gpointer accept_data;
  CliProgress *progress;
  CliManifest *manifest; /* out: what was offered */
  CliTotals totals;      /* out, valid on success */
} CliFileReceive;

/* Blocks until all is verified and in place. */
gboolean cli_file_receive_run (CliFileReceive *self, GCancellable *cancellable, GError **error);

G_END_DECLS
