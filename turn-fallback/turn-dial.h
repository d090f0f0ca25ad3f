/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Connects to a TURN server over TCP or TLS as GSocketClient does: names, addresses and proxies (HTTP
 * CONNECT, SOCKS) are GIO's. A proxy that can look up names is given the name. */

typedef struct
{
  const char *host; /* a name or an address literal */
  guint16 port;
  gboolean tls;
  const char *identity; /* what the certificate has to be for */
  GTlsDatabase *ca;     /* trusted besides the system's store; may be NULL */
  int family;           /* 0 any, 4 or 6: in which this host reaches the server, or the proxy */
  guint timeout_ms;
} IcsTurnDial;

/* All is copied. On the thread-default context. */
void ics_turn_dial_async (const IcsTurnDial *dial, GCancellable *cancellable, GAsyncReadyCallback callback,
                          gpointer user_data);

/* @through: the proxy's address, NULL if there was none. The error tells the cause in people's words:
 * ICS_ERROR_SERVER_UNREACHABLE, or G_IO_ERROR_CANCELLED. */
GSocketConnection *ics_turn_dial_finish (GAsyncResult *result, char **through, GError **error);

G_END_DECLS
