/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <base/ics-error.h>
#include <base/ics-types.h>
#include <gio/gio.h>
#include <signaling/ics-channel.h>
#include <transport/ics-stream.h>

G_BEGIN_DECLS

/* IcsPathInfo: the path the traffic is on, an immutable boxed value. */
#define ICS_TYPE_PATH_INFO (ics_path_info_get_type ())
typedef struct _IcsPathInfo IcsPathInfo;
ICS_API GType ics_path_info_get_type (void);
ICS_API IcsPathInfo *ics_path_info_ref (IcsPathInfo *self);
ICS_API void ics_path_info_unref (IcsPathInfo *self);
ICS_API IcsPathKind ics_path_info_get_kind (IcsPathInfo *self);
ICS_API const char *ics_path_info_get_transport (IcsPathInfo *self); /* "ws", "udp", "tcp", "tls" */
ICS_API const char *ics_path_info_get_local (IcsPathInfo *self);     /* "192.0.2.1:5000", never NULL */
ICS_API const char *
ics_path_info_get_local_type (IcsPathInfo *self); /* "host", "srflx", "prflx", "relay", "mapped" */
ICS_API const char *ics_path_info_get_remote (IcsPathInfo *self);
ICS_API const char *ics_path_info_get_remote_type (IcsPathInfo *self);
ICS_API double ics_path_info_get_rtt_ms (IcsPathInfo *self); /* 0 = not known yet */
ICS_API IcsPathReason ics_path_info_get_reason (IcsPathInfo *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsPathInfo, ics_path_info_unref)

/**
 * IcsLink:
 *
 * A link between two hosts: connected at once through the relayed channel, moved to better paths unnoticed.
 * It does its I/O on a thread of its own; signals and callbacks arrive on the thread-default main context in
 * which the link was created. Not to be unreffed before ics_link_close_async() finished if the peer shall see
 * a clean close.
 *
 * Properties (all construct-time settable, read-only once connecting):
 *   server-uri (string)       rendezvous server, "wss://rv.example.org"
 *   channel (IcsChannel)      an own channel instead of the server's; used on the creator's context
 *   application (string)      what runs over the link, "file/1"; both sides must name the same
 *   policy (IcsPathPolicy)    which paths application data may take; both hosts keep to both; may be set
 *                             at any time
 *   family (int)              0 any, 4, 6
 *   turn-uris (strv)          additional TURN servers ("turn:user:pass@host"), besides the server's;
 *                             NULL = only the server's
 *   no-server-turn (boolean)  do not use the server's TURN servers
 *   port-mapping (boolean)    ask this host's gateway for port mappings (PCP, NAT-PMP, UPnP), for direct
 *                             paths that would not be possible otherwise; default TRUE
 *   turn-ca-file (string)     certificates (PEM) of authorities that are trusted for TURN over TLS besides
 *                             the system's
 *   no-port-search (boolean)  look for no way through a NAT that maps anew for each destination: that takes
 *                             up to 1,024 small packets of one of the hosts and 256 sockets of the other.
 *                             There is none either on a network that the system calls metered
 *   timeout-ms (uint)         limit for the peer to come, and for a life without any path; 0 = defaults
 *                             (no limit for the peer to come, 600 s without a path)
 *   handshake-timeout-ms (uint)  limit for pairing and handshake, from when the peer is there; 0 = 30 s
 * Read-only: code (string), peer-fingerprint (string, hex), path (IcsPathInfo), why-not-direct (string)
 *
 * Signals:
 *   code (const char *code)                    listening: give this code to the other host's user
 *   path-changed (IcsPathInfo *path)           traffic this host sends moved; the first path included
 *   stall (guint ms)                           delivery to the application paused by a shift, longest pause
 *   incoming-stream (IcsStream *stream)        the peer opened a stream; while nobody is connected it is
 *                                              kept for accept
 *   datagram (GBytes *payload)
 *   record (const char *line)                  a new line of the record, in people's words
 *   closed (GError *error)                     the link ended; error is NULL after a clean close by either
 *                                              side
 *
 * Since: 0.1
 */
#define ICS_TYPE_LINK (ics_link_get_type ())
ICS_API
G_DECLARE_FINAL_TYPE (IcsLink, ics_link, ICS, LINK, GObject)

ICS_API IcsLink *ics_link_new (const char *server_uri, const char *application);

/* @code NULL: listen; the "code" signal tells the new code. Else join. Finishes when both hosts have proved
 * the code and application data can flow (policy direct/lan: when a direct path is active). Once per link.
 * Errors: those of IcsError. */
ICS_API void ics_link_connect_async (IcsLink *self, const char *code, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data);
ICS_API gboolean ics_link_connect_finish (IcsLink *self, GAsyncResult *result, GError **error);

/* Opens a bidirectional stream. The peer sees it once something was written or it was closed. May be called
 * from any thread after connect. Fails only with ICS_ERROR_CLOSED or ICS_ERROR_LINK_LOST; a stream over the
 * peer's limit (64 at once, raised as they close) is opened as soon as the peer allows, its writes wait
 * meanwhile. */
ICS_API IcsStream *ics_link_open_stream (IcsLink *self, GError **error);

/* The next stream that the peer opened. Finishes with NULL and no error when the link is closed cleanly. */
ICS_API void ics_link_accept_stream_async (IcsLink *self, GCancellable *cancellable,
                                           GAsyncReadyCallback callback, gpointer user_data);
ICS_API IcsStream *ics_link_accept_stream_finish (IcsLink *self, GAsyncResult *result, GError **error);

/* An unreliable datagram (RFC 9221) of at most ics_link_get_max_datagram() bytes; dropped when the queue is
 * full (FALSE). */
ICS_API gboolean ics_link_send_datagram (IcsLink *self, GBytes *payload);
ICS_API gsize ics_link_get_max_datagram (IcsLink *self);

/* Closes cleanly: tells the peer @application_code (0 = all is well) and @reason, waits until that left
 * (bounded, 2 s). The peer's link ends with no error for 0, else with ICS_ERROR_REFUSED and the reason.
 * When both close at once, each one's link ends as the other's code says: an error beats a clean end.
 * Unacknowledged stream data is lost: flush first. */
ICS_API void ics_link_close_async (IcsLink *self, guint64 application_code, const char *reason,
                                   GCancellable *cancellable, GAsyncReadyCallback callback,
                                   gpointer user_data);
ICS_API gboolean ics_link_close_finish (IcsLink *self, GAsyncResult *result, GError **error);

ICS_API const char *ics_link_get_code (IcsLink *self);
ICS_API const char *ics_link_get_peer_fingerprint (IcsLink *self);
ICS_API IcsPathInfo *ics_link_get_path (IcsLink *self); /* (transfer full) (nullable) */

/* Why the traffic goes through a relay: a sentence of evidence and remedy, in people's words. NULL while the
 * path is direct, before the link is connected, and until something is known; it is settled when the link has
 * ended. "notify::why-not-direct" tells of changes. (transfer none), until the next change. */
ICS_API const char *ics_link_get_why_not_direct (IcsLink *self);
ICS_API char **
ics_link_get_record (IcsLink *self); /* (transfer full): the record so far, bounded, oldest first */

G_END_DECLS
