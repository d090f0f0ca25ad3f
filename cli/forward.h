/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/forward-spec.h"
#include "cli/frame.h"
#include "cli/rate.h"

G_BEGIN_DECLS

/* "forward/1": TCP connections over streams; see docs/protocol.md. */

/* Connections at once; a link allows 64 streams, one of which is the control stream. */
#define CLI_FORWARD_MAX 63
#define CLI_FORWARD_HEADER_MAX 4096

typedef struct
{
  CliPeer *peer;
  GPtrArray *targets; /* of CliTarget */
  CliRate rate;       /* of all connections together */
  guint64 served;     /* connections so far; atomic */
  guint64 refused;    /* streams turned away; atomic */
} CliForwardServe;

/* Blocks until the peer leaves (TRUE), or an error. */
gboolean cli_forward_serve_run (CliForwardServe *self, GCancellable *cancellable, GError **error);

/* Told for each listening address, in the worker. */
typedef void (*CliForwardListening) (const char *bind, const char *name, gpointer user_data);

typedef struct
{
  CliPeer *peer;
  GPtrArray *listens; /* of CliListen */
  CliRate rate;
  CliForwardListening listening;
  gpointer user_data;
} CliForwardConnect;

/* Blocks until the peer leaves (TRUE), or an error. The listening sockets are served on the default main
 * context. */
gboolean cli_forward_connect_run (CliForwardConnect *self, GCancellable *cancellable, GError **error);

/* The header of a stream and its answer: a JSON object after its length (u16, network order). (transfer full)
 * @object */
gboolean cli_forward_header_write (GIOStream *stream, JsonObject *object, GCancellable *cancellable,
                                   GError **error);
JsonObject *cli_forward_header_read (GIOStream *stream, GCancellable *cancellable, GError **error);

/* Carries both directions between a stream and a socket until both ended; half-closes are kept. FALSE when
 * one broke. */
gboolean cli_forward_carry (GIOStream *stream, GIOStream *socket, CliRate *rate, GCancellable *cancellable);

G_END_DECLS
