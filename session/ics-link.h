/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <base/ics-error.h>
#include <base/ics-types.h>
#include <gio/gio.h>
#include <session/ics-path-info.h>
#include <session/ics-statistics.h>
#include <signaling/ics-channel.h>
#include <transport/ics-stream.h>

G_BEGIN_DECLS

#define ICS_TYPE_LINK (ics_link_get_type ())
ICS_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (IcsLink, ics_link, ICS, LINK, GObject)

/**
 * IcsLink:
 *
 * A link between two hosts: connected at once through a relayed channel, moved to better paths unnoticed.
 *
 * One host connects without a code and is given one by [signal@Link::code]; whoever connects with that code
 * becomes its peer. Both prove that they know the code (CPace) and pin each other's certificate, so nobody
 * between them can read or alter anything, the rendezvous server's operator included. Then either opens
 * streams
 * ([method@Link.open_stream]) and sends datagrams ([method@Link.send_datagram]).
 *
 * A link does its I/O on a thread of its own. Its signals, the notifications of its properties and its
 * callbacks arrive on the thread-default main context in which the link was created; an application that
 * blocks that context holds nothing up but what it is told. The functions of a link may be called on that
 * context's thread only, those that say so from any thread.
 *
 * The properties that can be set are set before it connects; [property@Link:policy] may be set at any time.
 *
 * An operation under way keeps its link alive. A link that is dropped without
 * [method@Link.close_async] ends at once; the peer then sees the end, but not its code and reason.
 *
 * Since: 0.1
 */

/**
 * ics_code_get_nameplate:
 * @code: a code as a person typed it; surrounding blanks and capital letters do no harm
 * @error: return location for an error: %ICS_ERROR_INVALID_ARGUMENT; its message has nothing of @code
 *
 * The number in a code, which is no secret: what an application that brings its own channel may look for the
 * other host by. Also a way to check what was typed.
 *
 * Returns: (transfer full): the nameplate, "7" of "7-cable-otter"
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 char *ics_code_get_nameplate (const char *code, GError **error);

/**
 * ics_link_new:
 * @server_uri: (nullable): the rendezvous server, "wss://rv.example.org"; %NULL if the application sets
 *   [property@Link:channel]
 * @application: what runs over the link, "file/1"; both sides must name the same
 *
 * Makes a link that is not connected.
 *
 * Returns: (transfer full): the link
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 IcsLink *ics_link_new (const char *server_uri, const char *application);

/**
 * ics_link_connect_async:
 * @self: a link
 * @code: (nullable): the code that the other host was given, "7-cable-otter"; %NULL to listen:
 *   [signal@Link::code] then tells the new code
 * @cancellable: (nullable): cancels it, and ends the link
 * @callback: (nullable): called when both hosts have proved the code and application data can flow (with the
 *   policies direct and lan: when a direct path is active)
 * @user_data: for @callback
 *
 * Connects. Once per link. When it fails, the link has ended, and [signal@Link::closed] says the same.
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 void ics_link_connect_async (IcsLink *self, const char *code, GCancellable *cancellable,
                                                  GAsyncReadyCallback callback, gpointer user_data);

/**
 * ics_link_connect_finish:
 * @self: a link
 * @result: what the callback was given
 * @error: return location for an error: any of [error@Error], or %G_IO_ERROR_CANCELLED
 *
 * Finishes [method@Link.connect_async].
 *
 * Returns: whether the link is connected
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 gboolean ics_link_connect_finish (IcsLink *self, GAsyncResult *result, GError **error);

/**
 * ics_link_open_stream:
 * @self: a link that is connected
 * @error: return location for an error: %ICS_ERROR_CLOSED
 *
 * Opens a bidirectional stream. The peer sees it once something was written or it was closed. A stream beyond
 * the peer's limit (64 at once, raised as they close) is opened as soon as the peer allows; its writes wait
 * meanwhile. From any thread.
 *
 * Returns: (transfer full): the stream
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 IcsStream *ics_link_open_stream (IcsLink *self, GError **error);

/**
 * ics_link_accept_stream_async:
 * @self: a link
 * @cancellable: (nullable): cancels the wait
 * @callback: (nullable): called when the peer has opened a stream, or the link has ended
 * @user_data: for @callback
 *
 * Waits for the next stream that the peer opens. One at a time. Streams that nobody accepts and that
 * [signal@Link::incoming-stream] finds no handler for are kept, 256 at most.
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 void ics_link_accept_stream_async (IcsLink *self, GCancellable *cancellable,
                                                        GAsyncReadyCallback callback, gpointer user_data);

/**
 * ics_link_accept_stream_finish:
 * @self: a link
 * @result: what the callback was given
 * @error: return location for an error: the link's own when it ended with one, %G_IO_ERROR_PENDING when an
 *   accept was under way already, %G_IO_ERROR_CANCELLED
 *
 * Finishes [method@Link.accept_stream_async].
 *
 * Returns: (transfer full) (nullable): the stream; %NULL without an error when the link was closed cleanly
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 IcsStream *ics_link_accept_stream_finish (IcsLink *self, GAsyncResult *result,
                                                               GError **error);

/**
 * ics_link_send_datagram:
 * @self: a link
 * @payload: at most [method@Link.get_max_datagram] bytes; none are a datagram, too
 *
 * Sends an unreliable datagram (RFC 9221): it arrives whole and once, or not at all, and in any order.
 *
 * Returns: whether it was taken; %FALSE when it is too long, the queue is full or the link is not connected
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 gboolean ics_link_send_datagram (IcsLink *self, GBytes *payload);

/**
 * ics_link_get_max_datagram:
 * @self: a link
 *
 * The longest datagram, the same on every path.
 *
 * Returns: bytes
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 gsize ics_link_get_max_datagram (IcsLink *self);

/**
 * ics_link_close_async:
 * @self: a link
 * @application_code: what to tell the peer, below 2^62; 0 = all is well
 * @reason: (nullable): why, in people's words; the peer gets 512 bytes of it at most
 * @cancellable: (nullable): cancels the wait, not the close
 * @callback: (nullable): called when everything is released
 * @user_data: for @callback
 *
 * Ends the link, if it has not ended yet, and waits until everything of it is released: relays and port
 * mappings are given back, its thread is gone. It may be called again and again; the first code and reason
 * count.
 *
 * The end is clean: it tells the peer @application_code and @reason, and waits until that has arrived, 2 s at
 * most. The peer's link ends without an error for 0, else with %ICS_ERROR_REFUSED and the reason. When both
 * close at once, each one's link ends as the other's code says: an error beats a clean end.
 *
 * Stream data that is not acknowledged yet is lost: flush first ([method@Stream.flush_acked_async]).
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 void ics_link_close_async (IcsLink *self, guint64 application_code, const char *reason,
                                                GCancellable *cancellable, GAsyncReadyCallback callback,
                                                gpointer user_data);

/**
 * ics_link_close_finish:
 * @self: a link
 * @result: what the callback was given
 * @error: return location for an error: %G_IO_ERROR_CANCELLED
 *
 * Finishes [method@Link.close_async].
 *
 * Returns: whether the link has ended
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 gboolean ics_link_close_finish (IcsLink *self, GAsyncResult *result, GError **error);

/**
 * ics_link_get_code: (get-property code)
 * @self: a link
 *
 * The code that this host was given.
 *
 * Returns: (transfer none) (nullable): the code, "7-cable-otter"; %NULL before there is one, and on the host
 * that joins
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_link_get_code (IcsLink *self);

/**
 * ics_link_get_fingerprint: (get-property fingerprint)
 * @self: a link
 *
 * Who this host is to the peer: the SHA-256 of its certificate (DER). It is made anew for each link.
 *
 * Returns: (transfer none) (nullable): 64 lower-case hexadecimal digits; %NULL before it is connected
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_link_get_fingerprint (IcsLink *self);

/**
 * ics_link_get_peer_fingerprint: (get-property peer-fingerprint)
 * @self: a link
 *
 * Who the peer is: the SHA-256 of its certificate (DER), which the code vouched for.
 *
 * Returns: (transfer none) (nullable): 64 lower-case hexadecimal digits; %NULL before it is connected
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_link_get_peer_fingerprint (IcsLink *self);

/**
 * ics_link_get_path: (get-property path)
 * @self: a link
 *
 * The path that the traffic this host sends is on.
 *
 * Returns: (transfer full) (nullable): the path; %NULL before it is connected
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 IcsPathInfo *ics_link_get_path (IcsLink *self);

/**
 * ics_link_get_statistics:
 * @self: a link
 *
 * What the link has done so far. From any thread.
 *
 * Returns: (transfer full): a snapshot; all zero before it is connected
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 IcsStatistics *ics_link_get_statistics (IcsLink *self);

/**
 * ics_link_get_policy: (get-property policy)
 * @self: a link
 *
 * Which paths application data may take.
 *
 * Returns: this host's policy
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 IcsPathPolicy ics_link_get_policy (IcsLink *self);

/**
 * ics_link_set_policy: (set-property policy)
 * @self: a link
 * @policy: the policy
 *
 * Says which paths application data may take, at any time. Both hosts keep to both policies.
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 void ics_link_set_policy (IcsLink *self, IcsPathPolicy policy);

/**
 * ics_link_get_why_not_direct: (get-property why-not-direct)
 * @self: a link
 *
 * Why the traffic goes through a relay: a sentence of evidence and remedy, in people's words. It is settled
 * when the link has ended.
 *
 * Returns: (transfer none) (nullable): the sentence, good until the property changes; %NULL while the path is
 *   direct, before the link is connected, and until something is known
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_link_get_why_not_direct (IcsLink *self);

/**
 * ics_link_get_record:
 * @self: a link
 *
 * What happened so far, in people's words; no secrets. It keeps the last 512 lines.
 *
 * Returns: (transfer full) (array zero-terminated=1): the lines, the oldest first
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 char **ics_link_get_record (IcsLink *self);

G_END_DECLS
