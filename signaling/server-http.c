/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signaling/server-private.h"
#include "signaling/ws-guard.h"
#include <json-glib/json-glib.h>
#include <string.h>

/* After a protocol error libsoup goes on reading; the close frame gets this long to leave. */
#define ERROR_LINGER_MS 100
/* RFC 9110 §15.5.22 */
#define HTTP_UPGRADE_REQUIRED 426

static const char *const protocols[] = { ICS_RV_SUBPROTOCOL, NULL };

static GQuark
tag_quark (void)
{
  return g_quark_from_static_string ("ics-rv-peer-socket");
}

void
ics_rv_server_tag_address (GSocketAddress *remote, IcsRvPeerSocket *socket)
{
  g_object_set_qdata (G_OBJECT (remote), tag_quark (), socket);
}

static IcsRvPeerSocket *
find_socket (SoupServerMessage *msg)
{
  return g_object_get_qdata (G_OBJECT (soup_server_message_get_remote_address (msg)), tag_quark ());
}

/* The WebSocket */

static void
on_message (SoupWebsocketConnection *websocket, SoupWebsocketDataType type, GBytes *message, gpointer data)
{
  IcsRvPeerSocket *socket = data;
  IcsRvServer *self = socket->server;
  gint64 now = g_get_monotonic_time ();
  gsize len;
  const char *bytes = g_bytes_get_data (message, &len);

  if (socket->connection == 0)
    return;
  if (type == SOUP_WEBSOCKET_DATA_TEXT)
    ics_rooms_handle_text (self->rooms, now, socket->connection, bytes, len);
  else
    ics_rooms_handle_binary (self->rooms, now, socket->connection, message);
  ics_rv_server_process (self);
}

static void
on_error (SoupWebsocketConnection *websocket, GError *error, gpointer data)
{
  ics_rv_peer_socket_linger (data, ERROR_LINGER_MS);
}

static void
on_closed (SoupWebsocketConnection *websocket, gpointer data)
{
  IcsRvPeerSocket *socket = data;
  /* Dropping the WebSocket may end the TCP connection and with it @socket. */
  g_autoptr (SoupWebsocketConnection) last = g_steal_pointer (&socket->websocket);

  ics_rv_peer_socket_detach (socket, soup_websocket_connection_get_close_code (websocket)
                                         == SOUP_WEBSOCKET_CLOSE_NORMAL);
}

static void
on_upgraded (SoupServerMessage *msg, gpointer data)
{
  IcsRvPeerSocket *socket = data;
  g_autoptr (SoupServerMessage) keep = g_object_ref (msg);
  g_autoptr (GIOStream) stream = soup_server_message_steal_connection (msg);

  socket->websocket = ics_ws_guarded_connection_new (stream, soup_server_message_get_uri (msg),
                                                     SOUP_WEBSOCKET_CONNECTION_SERVER, ICS_RV_FRAME_MAX);
  g_signal_connect (socket->websocket, "message", G_CALLBACK (on_message), socket);
  g_signal_connect (socket->websocket, "error", G_CALLBACK (on_error), socket);
  g_signal_connect (socket->websocket, "closed", G_CALLBACK (on_closed), socket);
}

/* HTTP */

static void
answer (SoupServerMessage *msg, guint status, const char *type, const char *text)
{
  soup_message_headers_replace (soup_server_message_get_response_headers (msg), "Connection", "close");
  soup_server_message_set_status (msg, status, NULL);
  soup_server_message_set_response (msg, type, SOUP_MEMORY_COPY, text, strlen (text));
}

static void
answer_text (SoupServerMessage *msg, guint status, const char *text)
{
  answer (msg, status, "text/plain; charset=utf-8", text);
}

static gboolean
offers_protocol (SoupServerMessage *msg)
{
  const char *offered = soup_message_headers_get_list (soup_server_message_get_request_headers (msg),
                                                       "Sec-WebSocket-Protocol");

  return offered != NULL && soup_header_contains (offered, ICS_RV_SUBPROTOCOL);
}

static void
upgrade (IcsRvServer *self, SoupServerMessage *msg)
{
  IcsRvPeerSocket *socket = find_socket (msg);
  g_autoptr (GError) error = NULL;

  if (socket->refused)
    {
      soup_message_headers_replace (soup_server_message_get_response_headers (msg), "Retry-After", "10");
      answer_text (msg, SOUP_STATUS_SERVICE_UNAVAILABLE, "too many connections\n");
    }
  else if (!soup_websocket_server_check_handshake (msg, NULL, (char **)protocols, NULL, &error)
           || !offers_protocol (msg))
    {
      soup_message_headers_replace (soup_server_message_get_response_headers (msg), "Upgrade", "websocket");
      answer_text (msg, HTTP_UPGRADE_REQUIRED, "this is a WebSocket of subprotocol " ICS_RV_SUBPROTOCOL "\n");
    }
  else if (soup_websocket_server_process_handshake (msg, NULL, (char **)protocols, NULL, NULL))
    g_signal_connect (msg, "wrote-informational", G_CALLBACK (on_upgraded), socket);
}

static void
add_figure (JsonBuilder *builder, const char *name, guint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, (gint64)value);
}

char *
ics_rv_server_get_health (IcsRvServer *self)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "status");
  json_builder_add_string_value (builder, "ok");
  add_figure (builder, "uptime_s", (guint64)(g_get_monotonic_time () - self->started) / G_USEC_PER_SEC);
  add_figure (builder, "connections_now", ics_rooms_get_n_connections (self->rooms));
  add_figure (builder, "rooms_now", ics_rooms_get_n_rooms (self->rooms));
  add_figure (builder, "queued_bytes", ics_rooms_get_queued (self->rooms));
  for (guint i = 0; i < ICS_ROOMS_N_STATS; i++)
    add_figure (builder, ics_rooms_stat_to_string ((IcsRoomsStat)i),
                ics_rooms_get_stat (self->rooms, (IcsRoomsStat)i));
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}

static void
on_request (SoupServer *server, SoupServerMessage *msg, const char *path, GHashTable *query, gpointer data)
{
  IcsRvServer *self = data;
  const char *method = soup_server_message_get_method (msg);

  if (g_str_equal (path, ICS_RV_PATH))
    upgrade (self, msg);
  else if (!g_str_equal (path, "/healthz"))
    answer_text (msg, SOUP_STATUS_NOT_FOUND, "nothing here\n");
  else if (method != SOUP_METHOD_GET && method != SOUP_METHOD_HEAD)
    answer_text (msg, SOUP_STATUS_METHOD_NOT_ALLOWED, "GET only\n");
  else
    {
      g_autofree char *health = ics_rv_server_get_health (self);

      answer (msg, SOUP_STATUS_OK, "application/json", health);
    }
}

/* No request needs a body: none is kept, and one that announces itself is refused. */
static void
on_request_head (SoupServer *server, SoupServerMessage *msg, const char *path, GHashTable *query,
                 gpointer data)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (msg);

  soup_message_body_set_accumulate (soup_server_message_get_request_body (msg), FALSE);
  if (soup_message_headers_get_encoding (headers) == SOUP_ENCODING_CHUNKED
      || soup_message_headers_get_content_length (headers) > 0)
    {
      IcsRvPeerSocket *socket = find_socket (msg);

      answer_text (msg, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, "no body is taken\n");
      ics_rv_peer_socket_linger (socket, ERROR_LINGER_MS);
    }
}

void
ics_rv_server_add_handlers (IcsRvServer *self)
{
  soup_server_add_early_handler (self->http, NULL, on_request_head, self, NULL);
  soup_server_add_handler (self->http, NULL, on_request, self, NULL);
}
