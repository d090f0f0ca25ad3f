/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signaling/ws-dial.h"
#include "base/deadline.h"
#include "base/ics-error.h"
#include "signaling/rendezvous.h"
#include "signaling/ws-guard.h"
#include "signaling/ws-reach.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <string.h>

#define HEAD_MAX 8192
/* RFC 6455 §1.3 */
#define WEBSOCKET_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

typedef struct
{
  GUri *uri;
  GSocketConnection *stream;
  IcsDeadline *deadline;
  guint status; /* of the answer, 0 = none */
  char *key;
  char *request;
  GString *head;
  char buffer[2048];
} Attempt;

static void
attempt_free (gpointer data)
{
  Attempt *self = data;

  ics_deadline_free (self->deadline);
  g_clear_object (&self->stream);
  g_uri_unref (self->uri);
  g_free (self->key);
  g_free (self->request);
  g_string_free (self->head, TRUE);
  g_free (self);
}

static void
fail (GTask *task, const GError *cause)
{
  Attempt *self = g_task_get_task_data (task);

  if (g_task_return_error_if_cancelled (task))
    g_object_unref (task);
  else
    {
      g_task_return_new_error (task, ICS_ERROR, ICS_ERROR_SERVER_UNREACHABLE, "cannot reach %s:%d: %s",
                               g_uri_get_host (self->uri), g_uri_get_port (self->uri),
                               ics_deadline_has_passed (self->deadline) ? "no answer in time"
                                                                        : cause->message);
      g_object_unref (task);
    }
}

static void
refuse (GTask *task, IcsError code, const char *message)
{
  g_task_return_error (task, g_error_new_literal (ICS_ERROR, (int)code, message));
  g_object_unref (task);
}

static gboolean
accept_matches (const Attempt *self, SoupMessageHeaders *headers)
{
  const char *accept = soup_message_headers_get_one (headers, "Sec-WebSocket-Accept");
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA1);
  g_autofree char *expected = NULL;
  guint8 digest[20];
  gsize len = sizeof digest;

  g_checksum_update (checksum, (const guchar *)self->key, -1);
  g_checksum_update (checksum, (const guchar *)WEBSOCKET_GUID, -1);
  g_checksum_get_digest (checksum, digest, &len);
  expected = g_base64_encode (digest, len);
  return g_strcmp0 (accept, expected) == 0;
}

static gboolean
is_upgrade (const Attempt *self, SoupMessageHeaders *headers)
{
  const char *protocol = soup_message_headers_get_one (headers, "Sec-WebSocket-Protocol");

  return soup_message_headers_header_equals (headers, "Upgrade", "websocket")
         && soup_message_headers_header_contains (headers, "Connection", "upgrade")
         && accept_matches (self, headers) && g_strcmp0 (protocol, ICS_RV_SUBPROTOCOL) == 0
         && soup_message_headers_get_one (headers, "Sec-WebSocket-Extensions") == NULL;
}

static void
finish_handshake (GTask *task, gsize head_len)
{
  Attempt *self = g_task_get_task_data (task);
  SoupMessageHeaders *headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_RESPONSE);
  g_autofree char *reason = NULL;
  SoupHTTPVersion version;

  if (!soup_headers_parse_response (self->head->str, (int)head_len, headers, &version, &self->status,
                                    &reason))
    refuse (task, ICS_ERROR_PROTOCOL, "the server's answer is no HTTP");
  else if (self->status != SOUP_STATUS_SWITCHING_PROTOCOLS)
    {
      g_autofree char *message = g_strdup_printf ("the server answered %u %s", self->status, reason);

      refuse (task, ICS_ERROR_SERVER_REFUSED, message);
    }
  else if (!is_upgrade (self, headers) || head_len != self->head->len)
    refuse (task, ICS_ERROR_PROTOCOL, "the server's WebSocket handshake is wrong");
  else
    {
      g_task_return_pointer (task,
                             ics_ws_guarded_connection_new (G_IO_STREAM (self->stream), self->uri,
                                                            SOUP_WEBSOCKET_CONNECTION_CLIENT,
                                                            ICS_RV_FRAME_MAX),
                             g_object_unref);
      g_object_unref (task);
    }
  soup_message_headers_unref (headers);
}

static void read_head (GTask *task);

static void
on_read (GObject *source, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  Attempt *self = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  gssize count = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);
  const char *end;

  if (count < 0)
    {
      fail (task, error);
      return;
    }
  g_string_append_len (self->head, self->buffer, count);
  end = strstr (self->head->str, "\r\n\r\n");
  if (end != NULL)
    finish_handshake (task, (gsize)(end - self->head->str) + 4);
  else if (count == 0 || self->head->len > HEAD_MAX || strlen (self->head->str) < self->head->len)
    refuse (task, ICS_ERROR_PROTOCOL, "the server's answer is no HTTP");
  else
    read_head (task);
}

static void
read_head (GTask *task)
{
  Attempt *self = g_task_get_task_data (task);

  g_input_stream_read_async (g_io_stream_get_input_stream (G_IO_STREAM (self->stream)), self->buffer,
                             sizeof self->buffer, G_PRIORITY_DEFAULT,
                             ics_deadline_get_cancellable (self->deadline), on_read, task);
}

static void
on_written (GObject *source, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  g_autoptr (GError) error = NULL;

  if (!g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL, &error))
    fail (task, error);
  else
    read_head (task);
}

static char *
compose_request (const Attempt *self)
{
  const char *host = g_uri_get_host (self->uri);
  const char *path = g_uri_get_path (self->uri);
  gboolean literal6 = strchr (host, ':') != NULL;

  return g_strdup_printf (
      "GET %s HTTP/1.1\r\nHost: %s%s%s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: %s\r\n"
      "User-Agent: ice-session\r\n\r\n",
      path, literal6 ? "[" : "", host, literal6 ? "]" : "", g_uri_get_port (self->uri), self->key,
      ICS_RV_SUBPROTOCOL);
}

static void
on_connected (G_GNUC_UNUSED GObject *source, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  Attempt *self = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;

  self->stream = ics_ws_reach_finish (result, &error);
  if (self->stream == NULL)
    {
      fail (task, error);
      return;
    }
  g_socket_set_option (g_socket_connection_get_socket (self->stream), IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
  self->request = compose_request (self);
  g_output_stream_write_all_async (g_io_stream_get_output_stream (G_IO_STREAM (self->stream)), self->request,
                                   strlen (self->request), G_PRIORITY_DEFAULT,
                                   ics_deadline_get_cancellable (self->deadline), on_written, task);
}

static Attempt *
attempt_new (const IcsWsDial *dial, GCancellable *outer)
{
  Attempt *self = g_new0 (Attempt, 1);
  guint8 nonce[16];

  self->uri = g_uri_ref (dial->uri);
  self->deadline = ics_deadline_new (outer, dial->timeout_ms);
  self->head = g_string_new (NULL);
  randombytes_buf (nonce, sizeof nonce);
  self->key = g_base64_encode (nonce, sizeof nonce);
  return self;
}

void
ics_ws_dial_async (const IcsWsDial *dial, GCancellable *cancellable, GAsyncReadyCallback callback,
                   gpointer user_data)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  Attempt *self = attempt_new (dial, cancellable);
  g_autofree char *uri = g_uri_to_string (dial->uri);
  g_autoptr (GSocketConnectable) address = NULL;
  g_autoptr (GError) error = NULL;

  g_task_set_source_tag (task, ics_ws_dial_async);
  g_task_set_task_data (task, self, attempt_free);
  /* The attempt decides what a cancellation means: its own time-out is not one. */
  g_task_set_check_cancellable (task, FALSE);
  if (dial->family != 0)
    g_socket_client_set_family (client, dial->family == 4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6);
  g_socket_client_set_tls (client, g_str_equal (g_uri_get_scheme (dial->uri), "https"));
  address = g_network_address_parse_uri (uri, (guint16)g_uri_get_port (dial->uri), &error);
  if (address == NULL)
    fail (task, error);
  else
    ics_ws_reach_async (client, G_NETWORK_ADDRESS (address), ics_deadline_get_cancellable (self->deadline),
                        on_connected, task);
}

SoupWebsocketConnection *
ics_ws_dial_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

guint
ics_ws_dial_get_status (GAsyncResult *result)
{
  return ((Attempt *)g_task_get_task_data (G_TASK (result)))->status;
}

GUri *
ics_ws_dial_parse_uri (const char *text)
{
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_NONE, NULL);
  const char *scheme = uri != NULL ? g_uri_get_scheme (uri) : "";
  gboolean plain = g_str_equal (scheme, "ws") || g_str_equal (scheme, "http");
  gboolean tls = g_str_equal (scheme, "wss") || g_str_equal (scheme, "https");
  const char *path;
  int port;

  if ((!plain && !tls) || g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0')
    return NULL;
  path = g_uri_get_path (uri);
  port = g_uri_get_port (uri) > 0 ? g_uri_get_port (uri) : (tls ? 443 : 80);
  return g_uri_build (G_URI_FLAGS_NONE, tls ? "https" : "http", NULL, g_uri_get_host (uri), port,
                      *path == '\0' || g_str_equal (path, "/") ? ICS_RV_PATH : path, NULL, NULL);
}
