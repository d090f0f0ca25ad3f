/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <base/ics-error.h>
#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * IcsServer:
 *
 * The rendezvous server with its TURN child. Runs on the thread-default main context it was created in.
 * Properties (construct): listen (strv "ADDR:PORT", "[ADDR]:PORT"), tls-cert-file, tls-key-file,
 * public-addresses (strv), turn-uris (strv; "auto", "none" or URIs), turn-secret-file, turn-allow-peers (strv
 * of address ranges), turn-lifetime (uint, seconds that TURN credentials are good for; 0 = 43200), state-dir.
 * Signals: listening (const char *url), log (const char *line).
 *
 * Since: 0.1
 */
#define ICS_TYPE_SERVER (ics_server_get_type ())
ICS_API
G_DECLARE_FINAL_TYPE (IcsServer, ics_server, ICS, SERVER, GObject)

#define ICS_SERVER_TURN_LIFETIME_MIN 4
#define ICS_SERVER_TURN_LIFETIME_MAX (365 * 86400)

/* Binds and serves. "listening" is emitted once per address; port 0 is replaced by the one given. Errors:
 * ICS_ERROR_INVALID_ARGUMENT, a GIOError. */
ICS_API gboolean ics_server_start (IcsServer *self, GError **error);

/* Stops: closes all connections (1001 going away), ends the TURN child and waits for it (bounded). */
ICS_API void ics_server_stop_async (IcsServer *self, GAsyncReadyCallback callback, gpointer user_data);
ICS_API gboolean ics_server_stop_finish (IcsServer *self, GAsyncResult *result, GError **error);

G_END_DECLS
