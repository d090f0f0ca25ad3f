/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/peer.h"
#include "cli/rate.h"
#include "cli/transfer.h"

G_BEGIN_DECLS

/* Gives the local end, once the peer is there. Called in the worker. */
typedef GIOStream *(*CliPipeOpen) (gpointer user_data, GCancellable *cancellable, GError **error);

/* "pipe/1": the local end and the peer's local end joined; see docs/protocol.md. */
typedef struct
{
  CliPeer *peer;
  CliPipeOpen open;
  gpointer open_data;
  CliRate rate;
  CliTotals sent;     /* out, valid on success */
  CliTotals received; /* out, valid on success */
} CliPipe;

/* Blocks until both directions ended and both hosts know that all arrived. */
gboolean cli_pipe_run (CliPipe *self, GCancellable *cancellable, GError **error);

G_END_DECLS
