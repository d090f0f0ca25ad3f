/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signaling/ws-channel.h"
#include "base/timeout.h"
#include "signaling/ws-channel-private.h"
#include "signaling/ws-dial.h"
#include <string.h>

#define CONNECT_TIMEOUT_MS 15000
#define GIVE_UP_US (600 * (gint64)G_USEC_PER_SEC)
/* How long a clean close may take to leave this host. */
#define CLOSE_MS 1000

enum
{
  SIGNAL_NAMEPLATE,
  SIGNAL_TURN_SERVERS,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void ics_ws_channel_iface_init (IcsChannelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (IcsWsChannel, ics_ws_channel, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (ICS_TYPE_CHANNEL, ics_ws_channel_iface_init))

void
ics_ws_channel_set_state (IcsWsChannel *self, IcsChannelState state)
{
  if (self->state == state)
    return;
  g_debug ("ws-channel: state %d -> %d", self->state, state);
  self->state = state;
  ics_channel_emit_state_changed (ICS_CHANNEL (self), state);
}

/* The end: everything is torn down before the last signal goes out. */
void
ics_ws_channel_finish (IcsWsChannel *self, GError *error)
{
  g_autoptr (IcsWsChannel) keep = g_object_ref (self);
  g_autoptr (GError) owned = error;

  if (self->state == ICS_CHANNEL_CLOSED)
    return;
  ics_ws_channel_disconnect (self);
  ics_timeout_clear (&self->closing);
  if (error != NULL)
    ics_channel_set_error (ICS_CHANNEL (self), error);
  ics_ws_channel_set_state (self, ICS_CHANNEL_CLOSED);
}

void
ics_ws_channel_fail (IcsWsChannel *self, IcsError code, const char *message)
{
  ics_ws_channel_finish (self, g_error_new_literal (ICS_ERROR, code, message));
}

gboolean
ics_ws_channel_is_connected (IcsWsChannel *self)
{
  return self->websocket != NULL && self->closing == NULL
         && soup_websocket_connection_get_state (self->websocket) == SOUP_WEBSOCKET_STATE_OPEN;
}

void
ics_ws_channel_send_frame (IcsWsChannel *self, GBytes *frame)
{
  if (ics_ws_channel_is_connected (self))
    soup_websocket_connection_send_message (self->websocket, SOUP_WEBSOCKET_DATA_BINARY, frame);
}

void
ics_ws_channel_send_request (IcsWsChannel *self, IcsRvMessage *request)
{
  g_autofree char *text = ics_rv_encode (request, 0);

  if (ics_ws_channel_is_connected (self))
    soup_websocket_connection_send_text (self->websocket, text);
}

static gboolean
nameplate_is_valid (const char *text)
{
  gsize len = strlen (text);

  return len >= 1 && len <= 9 && strspn (text, "0123456789") == len && text[0] != '0';
}

/* The interface */

static void
ics_ws_channel_start (IcsChannel *channel)
{
  IcsWsChannel *self = ICS_WS_CHANNEL (channel);

  self->uri = ics_ws_dial_parse_uri (self->server_uri);
  if (self->uri == NULL)
    ics_ws_channel_fail (self, ICS_ERROR_INVALID_ARGUMENT,
                         "the server's URI is none of ws://, wss://, http://, https://");
  else if (self->wanted != NULL && !nameplate_is_valid (self->wanted))
    ics_ws_channel_fail (self, ICS_ERROR_INVALID_ARGUMENT, "a nameplate is a number of one to nine digits");
  else
    ics_ws_channel_dial (self);
}

static gsize
ics_ws_channel_get_writable (IcsChannel *channel)
{
  IcsWsChannel *self = ICS_WS_CHANNEL (channel);

  if (self->state != ICS_CHANNEL_OPEN || !ics_ws_channel_is_connected (self)
      || self->credit <= 1 + ICS_RV_FRAME_OVERHEAD)
    return 0;
  return self->credit - 1 - ICS_RV_FRAME_OVERHEAD;
}

static gboolean
send_data (IcsWsChannel *self, GBytes *message)
{
  g_autoptr (GBytes) frame = NULL;
  gsize len;
  gconstpointer data = g_bytes_get_data (message, &len);

  if (len > ICS_RV_DATA_MAX || len > ics_ws_channel_get_writable (ICS_CHANNEL (self)))
    return FALSE;
  frame = ics_rv_frame_new (ICS_RV_FRAME_DATA, data, len);
  self->credit -= ics_rv_frame_cost (frame);
  ics_ws_channel_send_frame (self, frame);
  return TRUE;
}

static gboolean
ics_ws_channel_send (IcsChannel *channel, IcsChannelKind kind, GBytes *message)
{
  IcsWsChannel *self = ICS_WS_CHANNEL (channel);
  g_autoptr (GBytes) frame = NULL;
  gsize len;
  gconstpointer data = g_bytes_get_data (message, &len);

  if (kind == ICS_CHANNEL_DATA)
    return send_data (self, message);
  if (len > ICS_RV_SIGNAL_MAX || !ics_ws_channel_is_connected (self)
      || (self->state != ICS_CHANNEL_OPEN && self->state != ICS_CHANNEL_PEER_LOST))
    return FALSE;
  frame = ics_rv_frame_new (ICS_RV_FRAME_SIGNAL, data, len);
  ics_ws_channel_send_frame (self, frame);
  return TRUE;
}

static IcsChannelState
ics_ws_channel_get_state (IcsChannel *channel)
{
  return ICS_WS_CHANNEL (channel)->state;
}

static char *
describe (GSocketAddress *address)
{
  return address != NULL ? g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (address)) : NULL;
}

static GSocket *
get_socket (IcsWsChannel *self)
{
  GIOStream *stream
      = self->websocket != NULL ? soup_websocket_connection_get_io_stream (self->websocket) : NULL;

  return G_IS_SOCKET_CONNECTION (stream) ? g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream))
                                         : NULL;
}

GInetAddress *
ics_ws_channel_get_local_address (IcsWsChannel *self)
{
  GSocket *socket = get_socket (self);
  g_autoptr (GSocketAddress) near = socket != NULL ? g_socket_get_local_address (socket, NULL) : NULL;

  return G_IS_INET_SOCKET_ADDRESS (near)
             ? g_object_ref (g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (near)))
             : NULL;
}

static void
ics_ws_channel_get_addresses (IcsChannel *channel, char **local, char **remote)
{
  GSocket *socket = get_socket (ICS_WS_CHANNEL (channel));

  if (socket != NULL)
    {
      g_autoptr (GSocketAddress) near = g_socket_get_local_address (socket, NULL);
      g_autoptr (GSocketAddress) far = g_socket_get_remote_address (socket, NULL);

      *local = describe (near);
      *remote = describe (far);
    }
}

static gboolean
on_close_timeout (gpointer data)
{
  ics_ws_channel_finish (ICS_WS_CHANNEL (data), NULL);
  return G_SOURCE_REMOVE;
}

static void
ics_ws_channel_close (IcsChannel *channel)
{
  IcsWsChannel *self = ICS_WS_CHANNEL (channel);
  IcsRvMessage request = { .type = ICS_RV_LEAVE };

  if (self->closing != NULL)
    return;
  if (!ics_ws_channel_is_connected (self))
    {
      ics_ws_channel_finish (self, NULL);
      return;
    }
  if (self->placed)
    ics_ws_channel_send_request (self, &request);
  soup_websocket_connection_close (self->websocket, SOUP_WEBSOCKET_CLOSE_NORMAL, NULL);
  /* The closing handshake keeps the channel alive until it is through, or the time is up. */
  self->closing = g_timeout_source_new (CLOSE_MS);
  g_source_set_callback (self->closing, on_close_timeout, g_object_ref (self), g_object_unref);
  g_source_attach (self->closing, g_main_context_get_thread_default ());
}

static void
ics_ws_channel_iface_init (IcsChannelInterface *iface)
{
  iface->start = ics_ws_channel_start;
  iface->send = ics_ws_channel_send;
  iface->get_writable = ics_ws_channel_get_writable;
  iface->get_state = ics_ws_channel_get_state;
  iface->get_addresses = ics_ws_channel_get_addresses;
  iface->close = ics_ws_channel_close;
}

/* The object */

static void
ics_ws_channel_dispose (GObject *object)
{
  IcsWsChannel *self = ICS_WS_CHANNEL (object);

  ics_ws_channel_disconnect (self);
  G_OBJECT_CLASS (ics_ws_channel_parent_class)->dispose (object);
}

static void
ics_ws_channel_finalize (GObject *object)
{
  IcsWsChannel *self = ICS_WS_CHANNEL (object);

  g_free (self->server_uri);
  g_free (self->wanted);
  g_clear_pointer (&self->uri, g_uri_unref);
  ics_rv_message_clear (&self->place);
  g_free (self->nameplate);
  g_ptr_array_unref (self->turn);
  G_OBJECT_CLASS (ics_ws_channel_parent_class)->finalize (object);
}

static void
ics_ws_channel_class_init (IcsWsChannelClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = ics_ws_channel_dispose;
  object_class->finalize = ics_ws_channel_finalize;
  signals[SIGNAL_NAMEPLATE] = g_signal_new ("nameplate", ICS_TYPE_WS_CHANNEL, G_SIGNAL_RUN_LAST, 0, NULL,
                                            NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[SIGNAL_TURN_SERVERS] = g_signal_new ("turn-servers", ICS_TYPE_WS_CHANNEL, G_SIGNAL_RUN_LAST, 0,
                                               NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
ics_ws_channel_init (IcsWsChannel *self)
{
  self->turn = g_ptr_array_new ();
  self->backoff_ms = ICS_WS_CHANNEL_BACKOFF_FIRST_MS;
}

IcsWsChannel *
ics_ws_channel_new (const IcsWsChannelConfig *config)
{
  IcsWsChannel *self = g_object_new (ICS_TYPE_WS_CHANNEL, NULL);

  self->server_uri = g_strdup (config->server_uri);
  self->wanted = g_strdup (config->nameplate);
  self->family = config->family;
  self->connect_timeout_ms
      = config->connect_timeout_ms != 0 ? config->connect_timeout_ms : CONNECT_TIMEOUT_MS;
  self->give_up_after = config->give_up_after_us != 0 ? config->give_up_after_us : GIVE_UP_US;
  return self;
}

const char *
ics_ws_channel_get_nameplate (IcsWsChannel *self)
{
  return self->nameplate;
}

GPtrArray *
ics_ws_channel_get_turn_servers (IcsWsChannel *self)
{
  return self->turn;
}

void
ics_ws_channel_refresh_turn_servers (IcsWsChannel *self)
{
  IcsRvMessage request = { .type = ICS_RV_TURN_REQUEST };

  if (self->placed)
    ics_ws_channel_send_request (self, &request);
}

gboolean
ics_ws_channel_peer_left (IcsWsChannel *self)
{
  return self->peer_left;
}

guint64
ics_ws_channel_get_dropped (IcsWsChannel *self)
{
  return self->dropped;
}
