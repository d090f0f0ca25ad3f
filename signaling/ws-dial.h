/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* Opens a WebSocket (RFC 6455 §4.1): addresses, proxies and TLS by GSocketClient, so that the address family
 * can be chosen, the opening handshake here, so that the frames that follow are guarded (ws-guard.h). */
typedef struct
{
  GUri *uri;        /* scheme http or https; path and all */
  int family;       /* 0 any, 4 or 6 */
  guint timeout_ms; /* for the whole attempt */
} IcsWsDial;

void ics_ws_dial_async (const IcsWsDial *dial, GCancellable *cancellable, GAsyncReadyCallback callback,
                        gpointer user_data);
/* ICS_ERROR_SERVER_UNREACHABLE, ICS_ERROR_SERVER_REFUSED (an answer other than the upgrade),
 * ICS_ERROR_PROTOCOL, or G_IO_ERROR_CANCELLED. */
SoupWebsocketConnection *ics_ws_dial_finish (GAsyncResult *result, GError **error);

/* After it has finished: the status of the answer (RFC 9110 §15); 0 = there was none that is HTTP. */
guint ics_ws_dial_get_status (GAsyncResult *result);

/* From ws, wss, http or https to http or https with an explicit port and a path; NULL if it is none of these.
 * (transfer full) */
GUri *ics_ws_dial_parse_uri (const char *text);

G_END_DECLS
