/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* Bounds what a hostile WebSocket peer can make libsoup keep. libsoup bounds single frames only: messages of
 * endless fragments would grow, and each ping queues a pong. It sits in the extension slot, where it sees
 * every frame, without being negotiated. */
#define ICS_TYPE_WS_GUARD (ics_ws_guard_get_type ())
G_DECLARE_FINAL_TYPE (IcsWsGuard, ics_ws_guard, ICS, WS_GUARD, SoupWebsocketExtension)

/* A connection over @stream with a guard in it; messages of at most @max_message bytes. (transfer full) */
SoupWebsocketConnection *ics_ws_guarded_connection_new (GIOStream *stream, GUri *uri,
                                                        SoupWebsocketConnectionType type, gsize max_message);

G_END_DECLS
