/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/timeout.h"
#include "turn-fallback/own-socket.h"
#include "turn-fallback/turn-tunnel-private.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

/* The end of a tunnel that is within this process. */

/* The client is told the port and connects at once. */
#define CLIENT_TIMEOUT_MS 5000
/* Others of this host may try the port before the client does. */
#define STRANGERS_MAX 64
#define NOT_SENT_MAX (128 * 1024)

void
ics_tunnel_stop_listening (IcsTurnTunnel *self)
{
  ics_timeout_clear (&self->patience);
  ics_timeout_clear (&self->accepting);
  g_clear_object (&self->listener);
}

static gboolean
on_patience_over (gpointer data)
{
  IcsTurnTunnel *self = data;

  ics_tunnel_note (self, "nobody asked for the connection to %s", self->uri);
  ics_tunnel_end (self);
  return G_SOURCE_REMOVE;
}

/* Both ends of the loopback connection keep little: what waits there makes the path slow. */
static void
set_up_client (GSocket *socket, int peer)
{
  const int yes = 1, unsent = NOT_SENT_MAX;

  g_socket_set_blocking (socket, FALSE);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOT_SENT_MAX, NULL);
  if (setsockopt (peer, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0
      || setsockopt (peer, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent) != 0)
    g_debug ("the client's socket stays as it is: %s", g_strerror (errno));
}

/* Another program of this host can find the port; it is turned away. */
static gboolean
on_connection (G_GNUC_UNUSED GSocket *listener, G_GNUC_UNUSED GIOCondition condition, gpointer data)
{
  IcsTurnTunnel *self = data;
  g_autoptr (GSocket) socket = g_socket_accept (self->listener, NULL, NULL);
  int peer = socket != NULL ? ics_own_socket_find_peer (socket) : -1;

  if (peer >= 0)
    {
      ics_tunnel_stop_listening (self);
      set_up_client (socket, peer);
      self->client = g_socket_connection_factory_create_connection (socket);
      ics_tunnel_carry (self);
      return G_SOURCE_REMOVE;
    }
  if (++self->n_strangers < STRANGERS_MAX)
    return G_SOURCE_CONTINUE;
  ics_tunnel_note (self, "other programs of this host crowd around the connection to %s", self->uri);
  ics_tunnel_end (self);
  return G_SOURCE_REMOVE;
}

static guint16
open_listener (IcsTurnTunnel *self, GError **error)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) bound = NULL;

  self->listener = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, error);
  if (self->listener == NULL || !g_socket_bind (self->listener, any, FALSE, error)
      || !g_socket_listen (self->listener, error))
    return 0;
  g_socket_set_blocking (self->listener, FALSE);
  bound = g_socket_get_local_address (self->listener, error);
  return bound != NULL ? g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound)) : 0;
}

void
ics_tunnel_listen (IcsTurnTunnel *self)
{
  g_autoptr (GError) error = NULL;
  guint16 port = open_listener (self, &error);

  if (port == 0)
    {
      ics_tunnel_note (self, "no port on this host leads to %s: %s", self->uri, error->message);
      ics_tunnel_end (self);
      return;
    }
  self->state = ICS_TUNNEL_LISTENING;
  self->accepting = g_socket_create_source (self->listener, G_IO_IN, NULL);
  g_source_set_callback (self->accepting, G_SOURCE_FUNC (on_connection), self, NULL);
  g_source_attach (self->accepting, g_main_context_get_thread_default ());
  self->patience = ics_timeout_new (CLIENT_TIMEOUT_MS, on_patience_over, self);
  if (!self->muted)
    self->callbacks.ready (port, self->user_data);
}
