/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <base/ics-types.h>
#include <gio/gio.h>

G_BEGIN_DECLS

#define ICS_TYPE_STREAM (ics_stream_get_type ())
ICS_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (IcsStream, ics_stream, ICS, STREAM, GIOStream)

/**
 * IcsStream:
 *
 * A bidirectional stream of a link (RFC 9000 §2): bytes arrive whole and in order, whatever path carries
 * them.
 *
 * It is a [class@Gio.IOStream] whose input and output streams are pollable, and may be used blocking or
 * asynchronously, from any thread; the link's own thread does the work, so a blocking read does not hold it
 * up.
 *
 * Closing the output stream is a half-close (FIN): the peer reads to the end. Closing the input stream early
 * asks the peer to stop (STOP_SENDING); its writes then fail with %ICS_ERROR_REFUSED. When the link has
 * ended, reads (of what has not arrived) and writes fail with %ICS_ERROR_CLOSED.
 *
 * The last reference closes it, as of every [class@Gio.IOStream]: whoever keeps its output stream only has a
 * stream that is closed.
 *
 * Writes wait (or would block) when the peer does not read: at most a few MiB are buffered on each side.
 * Written means buffered; [method@Stream.flush_acked_async] tells when it has arrived.
 *
 * Since: 0.1
 */

/**
 * ics_stream_get_id:
 * @self: a stream
 *
 * The QUIC stream id, the same on both hosts (RFC 9000 §2.1).
 *
 * Returns: the id; %G_MAXUINT64 while the stream waits to be opened because the peer allows no more at once
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 guint64 ics_stream_get_id (IcsStream *self);

/**
 * ics_stream_reset:
 * @self: a stream
 * @application_code: what to tell the peer, below 2^62; it means what the application makes it mean
 *
 * Gives up both directions (RESET_STREAM and STOP_SENDING, RFC 9000 §19.4, §19.5). The peer's reads and
 * writes fail with %ICS_ERROR_REFUSED. From any thread.
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 void ics_stream_reset (IcsStream *self, guint64 application_code);

/**
 * ics_stream_get_sent:
 * @self: a stream
 * @kind: a kind of path
 *
 * How much was sent while the traffic was on paths of @kind, each byte counted when it was sent first. The
 * sum over all kinds is how much was sent. From any thread.
 *
 * Returns: bytes
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 guint64 ics_stream_get_sent (IcsStream *self, IcsPathKind kind);

/**
 * ics_stream_get_received:
 * @self: a stream
 * @kind: a kind of path
 *
 * How much was delivered in order while the traffic was on paths of @kind. The sum over all kinds is how much
 * was delivered. From any thread.
 *
 * Returns: bytes
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 guint64 ics_stream_get_received (IcsStream *self, IcsPathKind kind);

/**
 * ics_stream_send_bytes:
 * @self: a stream
 * @bytes: what to send; all of it
 * @cancellable: (nullable): cancels the wait
 * @error: return location for an error: %ICS_ERROR_REFUSED if the peer gave the stream up, %ICS_ERROR_CLOSED
 * if the link ended, %G_IO_ERROR_PENDING if the output stream is in use, %G_IO_ERROR_CLOSED if it was closed,
 * %G_IO_ERROR_CANCELLED
 *
 * Writes without a copy: @bytes are kept until the peer's host has acknowledged them, and are encrypted from
 * where they are. Like [method@Gio.OutputStream.write_all] on the stream's output, this waits while as much
 * is buffered as the stream keeps for sending; but then it takes all of @bytes, even if that is more. So what
 * may be kept is that and one call's @bytes more: a file that is mapped into memory can be sent at once.
 *
 * From any thread, one at a time. The last reference to @bytes may be dropped, and the function of
 * [ctor@GLib.Bytes.new_with_free_func] called, on a thread of the link: it must not wait for anything there.
 * Less than 8 KiB is copied.
 *
 * Returns: whether @bytes were taken; if not, none of them was
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 gboolean ics_stream_send_bytes (IcsStream *self, GBytes *bytes,
                                                     GCancellable *cancellable, GError **error);

/**
 * ics_stream_send_bytes_async:
 * @self: a stream
 * @bytes: what to send; all of it
 * @cancellable: (nullable): cancels the wait
 * @callback: (nullable): called on the caller's thread-default main context
 * @user_data: for @callback
 *
 * Does as [method@Stream.send_bytes], without holding the caller up.
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 void ics_stream_send_bytes_async (IcsStream *self, GBytes *bytes,
                                                       GCancellable *cancellable,
                                                       GAsyncReadyCallback callback, gpointer user_data);

/**
 * ics_stream_send_bytes_finish:
 * @self: a stream
 * @result: what the callback was given
 * @error: return location for an error, as of [method@Stream.send_bytes]
 *
 * Finishes [method@Stream.send_bytes_async].
 *
 * Returns: whether the bytes were taken; if not, none of them was
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 gboolean ics_stream_send_bytes_finish (IcsStream *self, GAsyncResult *result,
                                                            GError **error);

/**
 * ics_stream_flush_acked_async:
 * @self: a stream
 * @cancellable: (nullable): cancels the wait, not what is sent
 * @callback: (nullable): called on the caller's thread-default main context
 * @user_data: for @callback
 *
 * Waits until the peer's host has acknowledged everything that was written, and the FIN if the output stream
 * is closed. There is no limit of time but the link's own.
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 void ics_stream_flush_acked_async (IcsStream *self, GCancellable *cancellable,
                                                        GAsyncReadyCallback callback, gpointer user_data);

/**
 * ics_stream_flush_acked_finish:
 * @self: a stream
 * @result: what the callback was given
 * @error: return location for an error: %ICS_ERROR_REFUSED if the peer gave the stream up, %ICS_ERROR_CLOSED
 * if the link ended, %G_IO_ERROR_CANCELLED
 *
 * Finishes [method@Stream.flush_acked_async].
 *
 * Returns: whether all was acknowledged
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 gboolean ics_stream_flush_acked_finish (IcsStream *self, GAsyncResult *result,
                                                             GError **error);

G_END_DECLS
