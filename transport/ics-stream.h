/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <base/ics-types.h>
#include <gio/gio.h>

G_BEGIN_DECLS

/* A bidirectional stream of a link: a GIOStream whose input and output streams are pollable and may be used
 * blocking or asynchronously, from any thread. Closing the output stream is a half-close (QUIC FIN); closing
 * the input stream early asks the peer to stop (STOP_SENDING); its writes then fail with ICS_ERROR_REFUSED.
 * Writes block (or would-block) when the peer does not read: at most a few MiB are buffered on each side. */
#define ICS_TYPE_STREAM (ics_stream_get_type ())
ICS_API
G_DECLARE_FINAL_TYPE (IcsStream, ics_stream, ICS, STREAM, GIOStream)

/* QUIC stream id, RFC 9000 §2.1. */
ICS_API guint64 ics_stream_get_id (IcsStream *self);

/* Gives up both directions (RESET_STREAM and STOP_SENDING with @application_code). The peer's reads and
 * writes fail with ICS_ERROR_REFUSED. */
ICS_API void ics_stream_reset (IcsStream *self, guint64 application_code);

/* Stream bytes sent for the first time (not retransmitted), and delivered in order, while the traffic was on
 * @kind. The sums over all kinds are the stream's lengths so far. */
ICS_API guint64 ics_stream_get_sent (IcsStream *self, IcsPathKind kind);
ICS_API guint64 ics_stream_get_received (IcsStream *self, IcsPathKind kind);

/* TRUE when everything written, and the FIN if the output is closed, has been acknowledged by the peer's
 * host. */
ICS_API void ics_stream_flush_acked_async (IcsStream *self, GCancellable *cancellable,
                                           GAsyncReadyCallback callback, gpointer user_data);
ICS_API gboolean ics_stream_flush_acked_finish (IcsStream *self, GAsyncResult *result, GError **error);

G_END_DECLS
