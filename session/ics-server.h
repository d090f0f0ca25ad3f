/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <base/ics-error.h>
#include <gio/gio.h>

G_BEGIN_DECLS

#define ICS_TYPE_SERVER (ics_server_get_type ())
ICS_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (IcsServer, ics_server, ICS, SERVER, GObject)

/**
 * IcsServer:
 *
 * A rendezvous server, with coturn as a child for TURN (RFC 8656) when that is installed and wanted.
 *
 * It runs on the thread-default main context in which [method@Server.start] is called, its functions are to
 * be called on that context's thread only, and its signals are emitted there.
 *
 * Since: 0.1
 */

/**
 * ICS_SERVER_TURN_LIFETIME_MIN:
 *
 * The shortest lifetime of TURN credentials that makes sense, in seconds: links ask for fresh ones after half
 * of it.
 *
 * Since: 0.1
 */
#define ICS_SERVER_TURN_LIFETIME_MIN 4

/**
 * ICS_SERVER_TURN_LIFETIME_MAX:
 *
 * The longest lifetime of TURN credentials, in seconds: a year.
 *
 * Since: 0.1
 */
#define ICS_SERVER_TURN_LIFETIME_MAX (365 * 86400)

/**
 * ics_server_new:
 * @listen: (nullable) (array zero-terminated=1): where to listen, "ADDR:PORT" or "[ADDR]:PORT"; %NULL = the
 * default
 *
 * Makes a server that does not serve yet. What else can be said is said by g_object_new().
 *
 * Returns: (transfer full): the server
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 IcsServer *ics_server_new (const char *const *listen);

/**
 * ics_server_start:
 * @self: a server
 * @error: return location for an error: %ICS_ERROR_INVALID_ARGUMENT (an address or URI does not parse, a file
 *   cannot be used), one of [error@Gio.IOErrorEnum] (it cannot listen there), [error@GLib.FileError],
 *   [error@Gio.TlsError]
 *
 * Binds and serves; once. [signal@Server::listening] is emitted before it returns, once per address.
 *
 * Returns: whether it serves; a server that does not is of no more use
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 gboolean ics_server_start (IcsServer *self, GError **error);

/**
 * ics_server_stop_async:
 * @self: a server
 * @cancellable: (nullable): ignored: what has begun is brought to its end
 * @callback: (nullable): called when all has ended
 * @user_data: for @callback
 *
 * Stops: closes all connections (RFC 6455 code 1001, going away), ends the TURN child and waits for it,
 * within bounds. Once.
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 void ics_server_stop_async (IcsServer *self, GCancellable *cancellable,
                                                 GAsyncReadyCallback callback, gpointer user_data);

/**
 * ics_server_stop_finish:
 * @self: a server
 * @result: what the callback was given
 * @error: return location for an error; there is none now
 *
 * Finishes [method@Server.stop_async].
 *
 * Returns: whether it has stopped
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 gboolean ics_server_stop_finish (IcsServer *self, GAsyncResult *result, GError **error);

G_END_DECLS
