/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signaling/server.h"
#include "base/timeout.h"
#include "signaling/server-private.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

/* Connections over a limit that are still told so; more are cut at once. */
#define REFUSED_MAX 64
#define REFUSED_LINGER_MS 2000
/* libsoup itself gives the client five seconds to close its side. */
#define CLOSE_LINGER_MS 6000
#define STOP_MS 2000

/* Sockets */

static void
cut (IcsRvPeerSocket *socket)
{
  /* The layers above see the end and tear themselves down. */
  g_socket_shutdown (g_socket_connection_get_socket (socket->base), TRUE, TRUE, NULL);
}

static gboolean
on_linger (gpointer data)
{
  IcsRvPeerSocket *socket = data;

  ics_timeout_clear (&socket->linger);
  cut (socket);
  return G_SOURCE_REMOVE;
}

void
ics_rv_peer_socket_linger (IcsRvPeerSocket *socket, guint ms)
{
  if (socket->linger != NULL
      && g_source_get_ready_time (socket->linger) <= g_get_monotonic_time () + (gint64)ms * 1000)
    return;
  ics_timeout_clear (&socket->linger);
  socket->linger = ics_timeout_new (ms, on_linger, socket);
}

void
ics_rv_peer_socket_detach (IcsRvPeerSocket *socket, gboolean clean)
{
  guint connection = socket->connection;

  if (connection == 0)
    return;
  socket->connection = 0;
  g_hash_table_remove (socket->server->connections, GUINT_TO_POINTER (connection));
  ics_rooms_disconnect (socket->server->rooms, g_get_monotonic_time (), connection, clean);
  ics_rv_server_process (socket->server);
}

static void
finish_stop (IcsRvServer *self)
{
  void (*stopped) (gpointer) = self->stopped;

  ics_timeout_clear (&self->stop_timer);
  self->stopped = NULL;
  if (stopped != NULL)
    stopped (self->stopped_data);
}

/* The last reference to the TCP connection is gone. */
static void
on_base_finalized (gpointer data, GObject *where)
{
  IcsRvPeerSocket *socket = data;
  IcsRvServer *self = socket->server;

  socket->base = NULL;
  ics_timeout_clear (&socket->linger);
  ics_rv_peer_socket_detach (socket, FALSE);
  if (socket->refused)
    self->n_refused--;
  g_hash_table_remove (self->sockets, socket);
  g_free (socket);
  if (g_hash_table_size (self->sockets) == 0 && self->stopped != NULL)
    finish_stop (self);
}

/* The key of the per-address limits: a host may have a whole IPv6 /64. */
static char *
address_key (GSocketAddress *address)
{
  GInetAddress *inet = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address));
  g_autoptr (GInetAddress) prefix = NULL;
  guint8 bytes[16] = { 0 };

  if (g_inet_address_get_family (inet) == G_SOCKET_FAMILY_IPV4)
    return g_inet_address_to_string (inet);
  memcpy (bytes, g_inet_address_to_bytes (inet), 8);
  prefix = g_inet_address_new_from_bytes (bytes, G_SOCKET_FAMILY_IPV6);
  return g_inet_address_to_string (prefix);
}

static IcsRvPeerSocket *
peer_socket_new (IcsRvServer *self, GSocketConnection *base, GSocketAddress *remote)
{
  IcsRvPeerSocket *socket = g_new0 (IcsRvPeerSocket, 1);
  g_autofree char *key = address_key (remote);

  socket->server = self;
  socket->base = base;
  socket->connection = ics_rooms_connect (self->rooms, g_get_monotonic_time (), key);
  if (socket->connection != 0)
    g_hash_table_insert (self->connections, GUINT_TO_POINTER (socket->connection), socket);
  else
    {
      socket->refused = TRUE;
      self->n_refused++;
      ics_rv_peer_socket_linger (socket, REFUSED_LINGER_MS);
    }
  g_hash_table_add (self->sockets, socket);
  g_object_weak_ref (G_OBJECT (base), on_base_finalized, socket);
  return socket;
}

static GIOStream *
wrap_tls (IcsRvServer *self, GSocketConnection *base)
{
  GIOStream *tls;

  if (self->config.certificate == NULL)
    return G_IO_STREAM (g_object_ref (base));
  tls = g_tls_server_connection_new (G_IO_STREAM (base), self->config.certificate, NULL);
  if (tls != NULL)
    g_tls_connection_set_require_close_notify (G_TLS_CONNECTION (tls), FALSE);
  return tls;
}

static gboolean
on_incoming (GSocketService *service, GSocketConnection *base, GObject *source, gpointer data)
{
  IcsRvServer *self = data;
  g_autoptr (GSocketAddress) remote = g_socket_connection_get_remote_address (base, NULL);
  g_autoptr (GSocketAddress) local = g_socket_connection_get_local_address (base, NULL);
  g_autoptr (GIOStream) stream = NULL;
  IcsRvPeerSocket *socket;

  if (!G_IS_INET_SOCKET_ADDRESS (remote) || local == NULL || self->n_refused >= REFUSED_MAX)
    return TRUE;
  g_socket_set_option (g_socket_connection_get_socket (base), IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
  stream = wrap_tls (self, base);
  if (stream == NULL)
    return TRUE;
  socket = peer_socket_new (self, base, remote);
  ics_rv_server_tag_address (remote, socket);
  soup_server_accept_iostream (self->http, stream, local, remote, NULL);
  ics_rv_server_process (self);
  return TRUE;
}

/* Driving the room table */

static void
send_message (IcsRvServer *self, IcsRvPeerSocket *socket, IcsRvMessage *message)
{
  gboolean with_turn = message->type == ICS_RV_ALLOCATED || message->type == ICS_RV_JOINED
                       || message->type == ICS_RV_RESUMED || message->type == ICS_RV_TURN;
  g_autofree char *text = NULL;

  if (with_turn && self->config.turn_servers != NULL)
    message->turn = self->config.turn_servers (self->config.user_data);
  text = ics_rv_encode (message, g_get_real_time () / G_USEC_PER_SEC);
  soup_websocket_connection_send_text (socket->websocket, text);
}

static gboolean
is_open (const IcsRvPeerSocket *socket)
{
  return socket->websocket != NULL
         && soup_websocket_connection_get_state (socket->websocket) == SOUP_WEBSOCKET_STATE_OPEN;
}

static void
close_socket (IcsRvServer *self, IcsRvPeerSocket *socket, guint16 code, const char *reason)
{
  g_hash_table_remove (self->connections, GUINT_TO_POINTER (socket->connection));
  socket->connection = 0;
  if (!is_open (socket))
    {
      cut (socket);
      return;
    }
  ics_rv_peer_socket_linger (socket, CLOSE_LINGER_MS);
  soup_websocket_connection_close (socket->websocket, code, reason);
}

static void
perform (IcsRvServer *self, IcsRoomsAction *action)
{
  IcsRvPeerSocket *socket = g_hash_table_lookup (self->connections, GUINT_TO_POINTER (action->connection));

  if (socket == NULL)
    return;
  switch (action->type)
    {
    case ICS_ROOMS_SEND_MESSAGE:
      if (is_open (socket))
        send_message (self, socket, &action->message);
      break;
    case ICS_ROOMS_SEND_FRAME:
      if (is_open (socket))
        soup_websocket_connection_send_message (socket->websocket, SOUP_WEBSOCKET_DATA_BINARY, action->frame);
      break;
    case ICS_ROOMS_CLOSE:
      close_socket (self, socket, action->close_code, action->reason);
      break;
    }
}

void
ics_rv_server_process (IcsRvServer *self)
{
  IcsRoomsAction action;
  gint64 next;

  if (self->processing)
    return;
  self->processing = TRUE;
  while (ics_rooms_poll (self->rooms, &action))
    {
      perform (self, &action);
      ics_rooms_action_clear (&action);
    }
  self->processing = FALSE;
  next = ics_rooms_next_timeout (self->rooms);
  g_source_set_ready_time (self->timer, next == G_MAXINT64 ? -1 : next);
}

static gboolean
on_timer (gpointer data)
{
  IcsRvServer *self = data;

  ics_rooms_handle_timeout (self->rooms, g_get_monotonic_time ());
  ics_rv_server_process (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch_timer (GSource *source, GSourceFunc callback, gpointer data)
{
  return callback (data);
}

static GSourceFuncs timer_funcs = { .dispatch = dispatch_timer };

/* Life */

IcsRvServer *
ics_rv_server_new (const IcsRvServerConfig *config)
{
  IcsRvServer *self = g_new0 (IcsRvServer, 1);

  self->config = *config;
  if (config->certificate != NULL)
    g_object_ref (config->certificate);
  self->rooms = ics_rooms_new (&config->rooms);
  self->sockets = g_hash_table_new (NULL, NULL);
  self->connections = g_hash_table_new (NULL, NULL);
  self->started = g_get_monotonic_time ();
  self->http = soup_server_new ("server-header", "ice-session", NULL);
  ics_rv_server_add_handlers (self);
  self->service = g_socket_service_new ();
  g_signal_connect (self->service, "incoming", G_CALLBACK (on_incoming), self);
  self->timer = g_source_new (&timer_funcs, sizeof (GSource));
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_attach (self->timer, g_main_context_get_thread_default ());
  return self;
}

static void
abandon (IcsRvPeerSocket *socket)
{
  SoupWebsocketConnection *websocket = g_steal_pointer (&socket->websocket);

  g_object_weak_unref (G_OBJECT (socket->base), on_base_finalized, socket);
  ics_timeout_clear (&socket->linger);
  cut (socket);
  if (websocket != NULL)
    {
      g_signal_handlers_disconnect_by_data (websocket, socket);
      g_object_unref (websocket);
    }
  g_free (socket);
}

void
ics_rv_server_free (IcsRvServer *self)
{
  GHashTableIter iter;
  gpointer socket;

  self->stopped = NULL;
  ics_timeout_clear (&self->stop_timer);
  ics_timeout_clear (&self->timer);
  g_signal_handlers_disconnect_by_data (self->service, self);
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
  g_hash_table_iter_init (&iter, self->sockets);
  while (g_hash_table_iter_next (&iter, &socket, NULL))
    {
      g_hash_table_iter_steal (&iter);
      abandon (socket);
    }
  soup_server_disconnect (self->http);
  g_object_unref (self->http);
  g_object_unref (self->service);
  ics_rooms_free (self->rooms);
  g_hash_table_unref (self->sockets);
  g_hash_table_unref (self->connections);
  g_clear_object (&self->config.certificate);
  g_free (self);
}

static gboolean
is_wildcard (GSocketAddress *address)
{
  return g_inet_address_get_is_any (g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
}

static GSocket *
listening_socket (GSocketAddress *address, GError **error)
{
  g_autoptr (GSocket) socket = g_socket_new (g_socket_address_get_family (address), G_SOCKET_TYPE_STREAM,
                                             G_SOCKET_PROTOCOL_TCP, error);

  if (socket == NULL)
    return NULL;
  if (g_socket_address_get_family (address) == G_SOCKET_FAMILY_IPV6)
    g_socket_set_option (socket, IPPROTO_IPV6, IPV6_V6ONLY, !is_wildcard (address), NULL);
  g_socket_set_listen_backlog (socket, 128);
  if (!g_socket_bind (socket, address, TRUE, error) || !g_socket_listen (socket, error))
    return NULL;
  return g_steal_pointer (&socket);
}

/* A host without IPv6 listens on all of IPv4 instead. */
static GSocket *
wildcard_socket (GSocketAddress *address, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GInetAddress) any = g_inet_address_new_any (G_SOCKET_FAMILY_IPV4);
  guint16 port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
  g_autoptr (GSocketAddress) fallback = g_inet_socket_address_new (any, port);
  GSocket *socket = listening_socket (address, &failure);

  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED))
    return listening_socket (fallback, error);
  if (failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return socket;
}

GSocketAddress *
ics_rv_server_listen (IcsRvServer *self, GSocketAddress *address, GError **error)
{
  g_autoptr (GSocket) socket
      = is_wildcard (address) ? wildcard_socket (address, error) : listening_socket (address, error);

  if (socket == NULL
      || !g_socket_listener_add_socket (G_SOCKET_LISTENER (self->service), socket, NULL, error))
    return NULL;
  g_socket_service_start (self->service);
  return g_socket_get_local_address (socket, error);
}

static gboolean
on_stop_timer (gpointer data)
{
  finish_stop (data);
  return G_SOURCE_REMOVE;
}

void
ics_rv_server_stop (IcsRvServer *self, void (*stopped) (gpointer), gpointer user_data)
{
  g_autoptr (GList) sockets = g_hash_table_get_keys (self->sockets);

  self->stopped = stopped;
  self->stopped_data = user_data;
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
  for (GList *l = sockets; l != NULL; l = l->next)
    {
      IcsRvPeerSocket *socket = l->data;

      if (is_open (socket))
        soup_websocket_connection_close (socket->websocket, SOUP_WEBSOCKET_CLOSE_GOING_AWAY, "server stops");
      else
        cut (socket);
    }
  self->stop_timer = ics_timeout_new (sockets == NULL ? 0 : STOP_MS, on_stop_timer, self);
}

IcsRooms *
ics_rv_server_get_rooms (IcsRvServer *self)
{
  return self->rooms;
}
