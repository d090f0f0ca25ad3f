/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/manifest.h"
#include "cli/rate.h"
#include "cli/transfer.h"

G_BEGIN_DECLS

/* The sending side of "file/1"; see docs/protocol.md. */
typedef struct
{
  CliPeer *peer;
  CliManifest *manifest;
  CliRate rate;
  CliProgress *progress;
  CliTotals totals; /* out, valid on success */
} CliFileSend;

/* Blocks until the receiver verified everything. */
gboolean cli_file_send_run (CliFileSend *self, GCancellable *cancellable, GError **error);

G_END_DECLS
