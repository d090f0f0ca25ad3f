/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Connects as GSocketClient does; and where this host has no way to the server because that has IPv4
 * addresses only, through the NAT64 of its network (RFC 8305 §7). TLS still asks for the server by its own
 * name. The cancellable bounds all of it. */
void ics_ws_reach_async (GSocketClient *client, GNetworkAddress *server, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data);
GSocketConnection *ics_ws_reach_finish (GAsyncResult *result, GError **error);

G_END_DECLS
