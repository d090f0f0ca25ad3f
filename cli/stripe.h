/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/frame.h"

G_BEGIN_DECLS

/* One sequence of bytes over several streams: block i of the sequence travels on stream i modulo their
 * number. A stream's receive window is kept small (a burst of losses must not overflow its reassembly), so
 * one stream alone is slow over a long path. */
#define CLI_STRIPE_COUNT 4
#define CLI_STRIPE_COUNT_MAX 16
#define CLI_STRIPE_BLOCK (256 * 1024)
#define CLI_STRIPE_BLOCK_MIN 1024
#define CLI_STRIPE_BLOCK_MAX (4 * 1024 * 1024)

typedef struct
{
  guint count;
  gsize block;
  GPtrArray *streams; /* of GIOStream */
} CliStripes;

/* How this side cuts what it opens goes into its hello; the peer's is checked. */
void cli_stripes_describe (JsonObject *hello);
gboolean cli_stripes_read_hello (JsonObject *hello, guint *count, gsize *block, GError **error);

/* Opens the data streams. */
CliStripes *cli_stripes_open (CliPeer *peer, GCancellable *cancellable, GError **error);
/* Accepts them, as many as the peer announced. */
CliStripes *cli_stripes_accept (CliPeer *peer, guint count, gsize block, GCancellable *cancellable,
                                GError **error);
void cli_stripes_reset (CliStripes *self, CliPeer *peer);
void cli_stripes_free (CliStripes *self);

/* The two directions; both keep the streams alive. Closing the output ends every stream's output. */
GInputStream *cli_stripes_new_input (CliStripes *self);
GOutputStream *cli_stripes_new_output (CliStripes *self);

/* The bytes sent or received by path kind, of @payload bytes in all: headers are shared out in proportion. */
void cli_stripes_count (CliStripes *self, CliPeer *peer, gboolean sent, guint64 payload,
                        guint64 by_kind[ICS_N_PATH_KINDS]);
/* Scales @by_kind so that the sum is @payload exactly. */
void cli_stripes_apportion (guint64 payload, guint64 by_kind[ICS_N_PATH_KINDS]);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliStripes, cli_stripes_free)

G_END_DECLS
