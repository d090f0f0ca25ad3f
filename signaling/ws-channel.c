/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signaling/ws-channel.h"
#include "base/ics-error.h"
#include "signaling/rendezvous.h"
#include "signaling/ws-dial.h"
#include <stdlib.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 15000
#define GIVE_UP_US (600 * (gint64)G_USEC_PER_SEC)
#define BACKOFF_FIRST_MS 200
#define BACKOFF_MAX_MS 10000
/* How long a clean close may take to leave this host. */
#define CLOSE_MS 1000

struct _IcsWsChannel
{
  GObject parent_instance;

  char *server_uri;
  char *wanted; /* the nameplate to join */
  int family;
  guint connect_timeout_ms;
  gint64 give_up_after;

  GUri *uri;
  IcsChannelState state;
  GError *error;
  SoupWebsocketConnection *websocket;
  GCancellable *dialing;
  GSource *retry;
  GSource *beat;
  GSource *closing;
  gint64 heard;
  gint64 interrupted_at;
  guint backoff_ms;

  gboolean placed;
  gboolean joined; /* the peer has been there */
  gboolean peer_left;
  IcsRvMessage place;
  char *nameplate;
  GPtrArray *turn;

  gsize credit;
  gsize received; /* cost not yet credited to the server */
  guint64 dropped;
};

enum
{
  SIGNAL_NAMEPLATE,
  SIGNAL_TURN_SERVERS,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void ics_ws_channel_iface_init (IcsChannelInterface *iface);
static void dial (IcsWsChannel *self);

G_DEFINE_FINAL_TYPE_WITH_CODE (IcsWsChannel, ics_ws_channel, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (ICS_TYPE_CHANNEL, ics_ws_channel_iface_init))

static void
clear_source (GSource **source)
{
  if (*source != NULL)
    g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static GSource *
add_timeout (IcsWsChannel *self, guint ms, GSourceFunc callback)
{
  GSource *source = g_timeout_source_new (ms);

  g_source_set_callback (source, callback, self, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  return source;
}

static void
drop_websocket (IcsWsChannel *self)
{
  clear_source (&self->beat);
  if (self->websocket != NULL)
    g_signal_handlers_disconnect_by_data (self->websocket, self);
  g_clear_object (&self->websocket);
}

static void
set_state (IcsWsChannel *self, IcsChannelState state)
{
  if (self->state == state)
    return;
  g_debug ("ws-channel: state %d -> %d", self->state, state);
  self->state = state;
  ics_channel_emit_state_changed (ICS_CHANNEL (self), state);
}

/* The end: everything is torn down before the last signal goes out. */
static void
finish (IcsWsChannel *self, GError *error)
{
  g_autoptr (IcsWsChannel) keep = g_object_ref (self);

  if (self->state == ICS_CHANNEL_CLOSED)
    {
      g_clear_error (&error);
      return;
    }
  g_cancellable_cancel (self->dialing);
  clear_source (&self->retry);
  clear_source (&self->closing);
  drop_websocket (self);
  self->error = error;
  set_state (self, ICS_CHANNEL_CLOSED);
}

static void
fail (IcsWsChannel *self, IcsError code, const char *message)
{
  finish (self, g_error_new_literal (ICS_ERROR, code, message));
}

static gboolean
is_open (IcsWsChannel *self)
{
  return self->websocket != NULL && self->closing == NULL
         && soup_websocket_connection_get_state (self->websocket) == SOUP_WEBSOCKET_STATE_OPEN;
}

static void
send_frame (IcsWsChannel *self, GBytes *frame)
{
  if (is_open (self))
    soup_websocket_connection_send_message (self->websocket, SOUP_WEBSOCKET_DATA_BINARY, frame);
}

static void
send_request (IcsWsChannel *self, IcsRvMessage *request)
{
  g_autofree char *text = ics_rv_encode (request, 0);

  if (is_open (self))
    soup_websocket_connection_send_text (self->websocket, text);
}

/* Interruption and return */

static gboolean
on_retry (gpointer data)
{
  IcsWsChannel *self = data;

  clear_source (&self->retry);
  if (g_get_monotonic_time () - self->interrupted_at >= self->give_up_after)
    fail (self, ICS_ERROR_SERVER_UNREACHABLE, "the server did not come back");
  else
    dial (self);
  return G_SOURCE_REMOVE;
}

static void
schedule_retry (IcsWsChannel *self)
{
  guint ms = self->backoff_ms / 2 + g_random_int () % (self->backoff_ms / 2 + 1);

  self->backoff_ms = MIN (2 * self->backoff_ms, BACKOFF_MAX_MS);
  clear_source (&self->retry);
  self->retry = add_timeout (self, ms, on_retry);
}

static void
interrupt (IcsWsChannel *self, const char *why)
{
  drop_websocket (self);
  if (self->closing != NULL)
    {
      finish (self, NULL);
      return;
    }
  if (!self->placed)
    {
      fail (self, ICS_ERROR_SERVER_UNREACHABLE, why);
      return;
    }
  g_debug ("ws-channel: interrupted: %s", why);
  if (self->state != ICS_CHANNEL_INTERRUPTED)
    self->interrupted_at = g_get_monotonic_time ();
  schedule_retry (self);
  set_state (self, ICS_CHANNEL_INTERRUPTED);
}

static gboolean
on_beat (gpointer data)
{
  IcsWsChannel *self = data;
  g_autoptr (GBytes) frame = ics_rv_frame_new (ICS_RV_FRAME_BEAT, NULL, 0);

  if (g_get_monotonic_time () - self->heard < ICS_RV_CLIENT_SILENCE_US)
    {
      send_frame (self, frame);
      return G_SOURCE_CONTINUE;
    }
  interrupt (self, "nothing came from the server for too long");
  return G_SOURCE_REMOVE;
}

/* What comes from the server */

static void
take_turn (IcsWsChannel *self, IcsRvMessage *message)
{
  g_ptr_array_unref (self->turn);
  self->turn = g_ptr_array_ref (message->turn);
  g_signal_emit (self, signals[SIGNAL_TURN_SERVERS], 0);
}

static void
take_peer (IcsWsChannel *self, IcsRvPeer peer, const char *reason)
{
  switch (peer)
    {
    case ICS_RV_PEER_ABSENT:
      set_state (self, ICS_CHANNEL_WAITING);
      return;
    case ICS_RV_PEER_PRESENT:
      self->joined = TRUE;
      set_state (self, ICS_CHANNEL_OPEN);
      if (self->state == ICS_CHANNEL_OPEN)
        ics_channel_emit_writable (ICS_CHANNEL (self));
      return;
    case ICS_RV_PEER_LOST:
      self->joined = TRUE;
      set_state (self, ICS_CHANNEL_PEER_LOST);
      return;
    case ICS_RV_PEER_GONE:
      self->peer_left = g_strcmp0 (reason, "left") == 0;
      fail (self, ICS_ERROR_LINK_LOST, self->peer_left ? "the peer left" : "the peer did not come back");
      return;
    }
}

static void
take_welcome (IcsWsChannel *self, IcsRvMessage *message)
{
  gboolean first = !self->placed;
  IcsRvPeer peer = message->peer;

  if (message->window < ICS_RV_WINDOW_MIN || (message->type == ICS_RV_RESUMED) == first)
    {
      fail (self, ICS_ERROR_PROTOCOL, "the server's answer makes no sense");
      return;
    }
  self->place = *message;
  self->place.text = NULL;
  self->place.turn = NULL;
  self->placed = TRUE;
  self->credit = message->window;
  self->received = 0;
  self->backoff_ms = BACKOFF_FIRST_MS;
  if (first)
    {
      self->nameplate = g_strdup_printf ("%u", message->nameplate);
      g_signal_emit (self, signals[SIGNAL_NAMEPLATE], 0, self->nameplate);
    }
  take_turn (self, message);
  if (self->state != ICS_CHANNEL_CLOSED)
    take_peer (self, peer, NULL);
}

static IcsError
error_code (IcsRvError error)
{
  switch (error)
    {
    case ICS_RV_ERROR_NO_ROOM:
    case ICS_RV_ERROR_EXPIRED:
      return ICS_ERROR_NO_PEER;
    case ICS_RV_ERROR_GONE:
      return ICS_ERROR_LINK_LOST;
    case ICS_RV_ERROR_TAKEN:
    case ICS_RV_ERROR_ROOMS:
    case ICS_RV_ERROR_ATTEMPTS:
    case ICS_RV_ERROR_OTHER:
      return ICS_ERROR_SERVER_REFUSED;
    case ICS_RV_ERROR_BAD_REQUEST:
      return ICS_ERROR_PROTOCOL;
    }
  return ICS_ERROR_SERVER_REFUSED;
}

static void
take_error (IcsWsChannel *self, const IcsRvMessage *message)
{
  /* A server that just restarted may be full for the moment. */
  if (self->placed && message->error == ICS_RV_ERROR_ROOMS)
    interrupt (self, "the server is full");
  else
    finish (self,
            g_error_new (ICS_ERROR, (int)error_code (message->error), "the server refused: %s",
                         message->text != NULL ? message->text : ics_rv_error_to_string (message->error)));
}

static void
handle_text (IcsWsChannel *self, const char *text, gsize len)
{
  IcsRvMessage message;

  if (!ics_rv_decode (text, len, TRUE, g_get_real_time () / G_USEC_PER_SEC, &message))
    {
      self->dropped++;
      return;
    }
  if (message.type == ICS_RV_ERROR)
    take_error (self, &message);
  else if (message.type == ICS_RV_PEER && self->placed)
    take_peer (self, message.peer, message.text);
  else if (message.type == ICS_RV_TURN && self->placed)
    take_turn (self, &message);
  else if (message.type == ICS_RV_ALLOCATED || message.type == ICS_RV_JOINED
           || message.type == ICS_RV_RESUMED)
    take_welcome (self, &message);
  else
    self->dropped++;
  ics_rv_message_clear (&message);
}

static void
handle_credit (IcsWsChannel *self, GBytes *frame)
{
  guint32 amount;

  if (!ics_rv_credit_parse (frame, &amount) || self->credit + amount > self->place.window)
    {
      self->dropped++;
      return;
    }
  self->credit += amount;
  if (self->state == ICS_CHANNEL_OPEN)
    ics_channel_emit_writable (ICS_CHANNEL (self));
}

static void
return_credit (IcsWsChannel *self, gsize cost)
{
  g_autoptr (GBytes) credit = NULL;

  self->received += cost;
  if (self->received < self->place.window / 4)
    return;
  credit = ics_rv_credit_new ((guint32)self->received);
  self->received = 0;
  send_frame (self, credit);
}

static void
handle_peer_frame (IcsWsChannel *self, GBytes *frame, guint8 type, gsize len)
{
  g_autoptr (GBytes) message = g_bytes_new_from_bytes (frame, 1, len - 1);
  SoupWebsocketConnection *websocket = self->websocket;

  if (type == ICS_RV_FRAME_SIGNAL && len > 1 + ICS_RV_SIGNAL_MAX)
    self->dropped++;
  else
    ics_channel_emit_message (ICS_CHANNEL (self),
                              type == ICS_RV_FRAME_SIGNAL ? ICS_CHANNEL_SIGNAL : ICS_CHANNEL_DATA, message);
  /* The owner may have closed meanwhile. */
  if (self->websocket == websocket)
    return_credit (self, ics_rv_frame_cost (frame));
}

static void
handle_binary (IcsWsChannel *self, GBytes *frame)
{
  gsize len;
  const guint8 *data = g_bytes_get_data (frame, &len);
  guint8 type = len > 0 ? data[0] : G_MAXUINT8;

  if (type == ICS_RV_FRAME_BEAT)
    return;
  if (self->placed && type == ICS_RV_FRAME_CREDIT)
    handle_credit (self, frame);
  else if (self->placed && type < ICS_RV_FRAME_CREDIT)
    handle_peer_frame (self, frame, type, len);
  else
    self->dropped++;
}

static void
on_message (SoupWebsocketConnection *websocket, SoupWebsocketDataType type, GBytes *message, gpointer data)
{
  g_autoptr (IcsWsChannel) self = g_object_ref (ICS_WS_CHANNEL (data));
  gsize len;
  const char *bytes = g_bytes_get_data (message, &len);

  self->heard = g_get_monotonic_time ();
  if (self->closing != NULL)
    return;
  if (type == SOUP_WEBSOCKET_DATA_TEXT)
    handle_text (self, bytes, len);
  else
    handle_binary (self, message);
}

static void
on_closed (SoupWebsocketConnection *websocket, gpointer data)
{
  g_autoptr (IcsWsChannel) self = g_object_ref (ICS_WS_CHANNEL (data));

  interrupt (self, "the server closed the connection");
}

/* Connecting */

static void
send_first_request (IcsWsChannel *self)
{
  IcsRvMessage request = { .type = ICS_RV_ALLOCATE };

  if (self->placed)
    {
      request = self->place;
      request.type = ICS_RV_RESUME;
      request.joined = self->joined;
      if (request.nameplate == 0)
        request.nameplate = (guint)strtoul (self->nameplate, NULL, 10);
    }
  else if (self->wanted != NULL)
    {
      request.type = ICS_RV_JOIN;
      request.nameplate = (guint)strtoul (self->wanted, NULL, 10);
    }
  send_request (self, &request);
}

static void
adopt (IcsWsChannel *self, SoupWebsocketConnection *websocket)
{
  self->websocket = websocket;
  self->heard = g_get_monotonic_time ();
  g_signal_connect (websocket, "message", G_CALLBACK (on_message), self);
  g_signal_connect (websocket, "closed", G_CALLBACK (on_closed), self);
  self->beat = add_timeout (self, ICS_RV_BEAT_US / 1000, on_beat);
  send_first_request (self);
}

static void
on_dialed (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (IcsWsChannel) self = data;
  g_autoptr (GError) error = NULL;
  SoupWebsocketConnection *websocket = ics_ws_dial_finish (result, &error);

  if (self->state == ICS_CHANNEL_CLOSED)
    g_clear_object (&websocket);
  else if (websocket != NULL)
    adopt (self, websocket);
  else if (self->placed)
    interrupt (self, error->message);
  else
    finish (self, g_steal_pointer (&error));
}

static void
dial (IcsWsChannel *self)
{
  IcsWsDial config = { .uri = self->uri, .family = self->family, .timeout_ms = self->connect_timeout_ms };

  ics_ws_dial_async (&config, self->dialing, on_dialed, g_object_ref (self));
}

/* http or https, an explicit port, a path: what the dialing needs. */
static GUri *
normalize_uri (const char *text)
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

  self->uri = normalize_uri (self->server_uri);
  if (self->uri == NULL)
    fail (self, ICS_ERROR_INVALID_ARGUMENT, "the server's URI is none of ws://, wss://, http://, https://");
  else if (self->wanted != NULL && !nameplate_is_valid (self->wanted))
    fail (self, ICS_ERROR_INVALID_ARGUMENT, "a nameplate is a number of one to nine digits");
  else
    dial (self);
}

static gsize
ics_ws_channel_get_writable (IcsChannel *channel)
{
  IcsWsChannel *self = ICS_WS_CHANNEL (channel);

  if (self->state != ICS_CHANNEL_OPEN || !is_open (self) || self->credit <= 1 + ICS_RV_FRAME_OVERHEAD)
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
  send_frame (self, frame);
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
  if (len > ICS_RV_SIGNAL_MAX || !is_open (self)
      || (self->state != ICS_CHANNEL_OPEN && self->state != ICS_CHANNEL_PEER_LOST))
    return FALSE;
  frame = ics_rv_frame_new (ICS_RV_FRAME_SIGNAL, data, len);
  send_frame (self, frame);
  return TRUE;
}

static IcsChannelState
ics_ws_channel_get_state (IcsChannel *channel)
{
  return ICS_WS_CHANNEL (channel)->state;
}

static const GError *
ics_ws_channel_get_error (IcsChannel *channel)
{
  return ICS_WS_CHANNEL (channel)->error;
}

static char *
describe (GSocketAddress *address)
{
  return address != NULL ? g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (address)) : NULL;
}

static void
ics_ws_channel_get_addresses (IcsChannel *channel, char **local, char **remote)
{
  IcsWsChannel *self = ICS_WS_CHANNEL (channel);
  GIOStream *stream
      = self->websocket != NULL ? soup_websocket_connection_get_io_stream (self->websocket) : NULL;

  if (G_IS_SOCKET_CONNECTION (stream))
    {
      GSocket *socket = g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream));
      g_autoptr (GSocketAddress) near = g_socket_get_local_address (socket, NULL);
      g_autoptr (GSocketAddress) far = g_socket_get_remote_address (socket, NULL);

      *local = describe (near);
      *remote = describe (far);
    }
}

static gboolean
on_close_timeout (gpointer data)
{
  finish (ICS_WS_CHANNEL (data), NULL);
  return G_SOURCE_REMOVE;
}

static void
ics_ws_channel_close (IcsChannel *channel)
{
  IcsWsChannel *self = ICS_WS_CHANNEL (channel);
  IcsRvMessage request = { .type = ICS_RV_LEAVE };

  if (self->closing != NULL)
    return;
  if (!is_open (self))
    {
      finish (self, NULL);
      return;
    }
  if (self->placed)
    send_request (self, &request);
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
  iface->get_error = ics_ws_channel_get_error;
  iface->get_addresses = ics_ws_channel_get_addresses;
  iface->close = ics_ws_channel_close;
}

/* The object */

static void
ics_ws_channel_dispose (GObject *object)
{
  IcsWsChannel *self = ICS_WS_CHANNEL (object);

  g_cancellable_cancel (self->dialing);
  clear_source (&self->retry);
  drop_websocket (self);
  G_OBJECT_CLASS (ics_ws_channel_parent_class)->dispose (object);
}

static void
ics_ws_channel_finalize (GObject *object)
{
  IcsWsChannel *self = ICS_WS_CHANNEL (object);

  g_free (self->server_uri);
  g_free (self->wanted);
  g_clear_pointer (&self->uri, g_uri_unref);
  g_clear_error (&self->error);
  g_object_unref (self->dialing);
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
  self->dialing = g_cancellable_new ();
  self->backoff_ms = BACKOFF_FIRST_MS;
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
    send_request (self, &request);
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
