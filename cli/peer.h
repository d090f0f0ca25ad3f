/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/ics-types.h"
#include <gio/gio.h>

G_BEGIN_DECLS

/* The other host as the protocols of the verbs see it: something that gives streams. The program makes one
 * from an IcsLink; anything else that has GIOStreams will do. The functions block and are called from worker
 * threads. */
typedef struct _CliPeer CliPeer;

typedef struct
{
  GIOStream *(*open) (CliPeer *self, GError **error);
  GIOStream *(*accept) (CliPeer *self, GCancellable *cancellable, GError **error);
  void (*reset) (CliPeer *self, GIOStream *stream);
  /* Bytes of @stream sent or received while the traffic was on @kind. */
  guint64 (*count) (CliPeer *self, GIOStream *stream, gboolean sent, IcsPathKind kind);
} CliPeerVtable;

struct _CliPeer
{
  const CliPeerVtable *vtable;
  gboolean initiator; /* this host joined; it opens what both could open */
};

/* Each stream begins with "IS", its kind and its index; see docs/protocol.md. */
typedef enum
{
  CLI_STREAM_CONTROL = 'C',
  CLI_STREAM_DATA = 'D',
  CLI_STREAM_FORWARD = 'F'
} CliStreamKind;

#define CLI_STREAM_HEADER_LENGTH 4
/* Limit for a stream that was opened to say what it is, and for the last words of a peer. */
#define CLI_HEADER_TIMEOUT_MS 30000
#define CLI_FAREWELL_TIMEOUT_MS 5000

GIOStream *cli_peer_open (CliPeer *self, CliStreamKind kind, guint8 index, GCancellable *cancellable,
                          GError **error);
GIOStream *cli_peer_accept (CliPeer *self, CliStreamKind *kind, guint8 *index, GCancellable *cancellable,
                            GError **error);
void cli_peer_reset (CliPeer *self, GIOStream *stream);

/* Reads all @length bytes; an early end is ICS_ERROR_CLOSED. */
gboolean cli_peer_read_all (GInputStream *in, void *buffer, gsize length, GCancellable *cancellable,
                            GError **error);
gboolean cli_peer_write_all (GOutputStream *out, const void *buffer, gsize length, GCancellable *cancellable,
                             GError **error);
/* Ends the output only. */
gboolean cli_peer_half_close (GIOStream *stream, GError **error);

/* An I/O error on a stream of the peer is not a local one: makes it ICS_ERROR_LINK_LOST, except a
 * cancellation. */
void cli_peer_translate_error (GError **error);

/* A queue of incoming streams, for implementations of accept. */
typedef struct _CliStreamQueue CliStreamQueue;
CliStreamQueue *cli_stream_queue_new (void);
void cli_stream_queue_push (CliStreamQueue *self, GIOStream *stream); /* (transfer full) */
/* No more streams will come; pops fail with @error, which is copied, NULL stands for ICS_ERROR_CLOSED. */
void cli_stream_queue_end (CliStreamQueue *self, const GError *error);
GIOStream *cli_stream_queue_pop (CliStreamQueue *self, GCancellable *cancellable, GError **error);
void cli_stream_queue_free (CliStreamQueue *self);

G_END_DECLS
