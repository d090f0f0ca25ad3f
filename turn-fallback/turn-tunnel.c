/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "turn-fallback/turn-dial.h"
#include "turn-fallback/turn-tunnel-private.h"

#define CONNECT_TIMEOUT_MS 10000

static void dial (IcsTurnTunnel *self);

static void
clear (gpointer data)
{
  IcsTurnTunnel *self = data;

  ics_turn_server_free (self->server);
  ics_turn_server_free (self->target);
  g_free (self->uri);
  g_clear_object (&self->ca);
  g_object_unref (self->cancellable);
  g_clear_object (&self->client);
  g_clear_object (&self->outer);
  g_byte_array_unref (self->up.queue);
  g_byte_array_unref (self->down.queue);
  ics_turn_talk_free (self->talk);
}

IcsTurnTunnel *
ics_tunnel_hold (IcsTurnTunnel *self)
{
  return g_rc_box_acquire (self);
}

void
ics_tunnel_release (IcsTurnTunnel *self)
{
  g_rc_box_release_full (self, clear);
}

void
ics_tunnel_note (IcsTurnTunnel *self, const char *format, ...)
{
  g_autofree char *line = NULL;
  va_list args;

  if (self->muted)
    return;
  va_start (args, format);
  line = g_strdup_vprintf (format, args);
  va_end (args);
  self->callbacks.note (line, self->user_data);
}

/* --- the end --- */

/* The sockets go at once, without a word to whoever writes into them: nothing waits for a peer. */
static void
drop_connection (GSocketConnection *connection)
{
  g_socket_close (g_socket_connection_get_socket (connection), NULL);
}

void
ics_tunnel_end (IcsTurnTunnel *self)
{
  if (self->state == ICS_TUNNEL_ENDED)
    return;
  self->state = ICS_TUNNEL_ENDED;
  ics_tunnel_stop_listening (self);
  g_cancellable_cancel (self->cancellable);
  if (self->client != NULL)
    drop_connection (self->client);
  if (self->outer != NULL)
    drop_connection (self->outer);
  if (!self->muted)
    self->callbacks.ended (self->user_data);
}

void
ics_turn_tunnel_mute (IcsTurnTunnel *self)
{
  self->muted = TRUE;
}

void
ics_turn_tunnel_free (IcsTurnTunnel *self)
{
  self->muted = TRUE;
  ics_tunnel_end (self);
  ics_tunnel_release (self);
}

/* --- the server --- */

void
ics_tunnel_dial_anew (IcsTurnTunnel *self)
{
  self->state = ICS_TUNNEL_REDIRECTED;
  drop_connection (self->outer);
  g_clear_object (&self->outer);
  dial (self);
}

/* RFC 8489 §10: the same transport and credentials, the certificate of the domain that is named, or of the
 * same as before. Once, so that no two servers can send us to and fro. */
void
ics_tunnel_redirect (IcsTurnTunnel *self, const IcsTurnAnswer *answer)
{
  g_autoptr (GInetAddress) from = NULL, to = NULL;
  g_autofree char *host = NULL;

  if (answer->alternate_len > 0)
    {
      to = g_inet_address_new_from_bytes (
          answer->alternate, answer->alternate_len == 4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6);
      host = g_inet_address_to_string (to);
    }
  if (!self->through_proxy)
    {
      g_autoptr (GSocketAddress) address = g_socket_connection_get_remote_address (self->outer, NULL);

      if (G_IS_INET_SOCKET_ADDRESS (address))
        from = g_object_ref (g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
    }
  if (self->redirected || !ics_turn_talk_may_redirect (from, answer))
    {
      ics_tunnel_note (self, "%s sends us to %s (300), where we do not go%s", self->uri,
                       host != NULL ? host : "no address",
                       self->redirected ? ": we were sent once already" : "");
      ics_tunnel_end (self);
      return;
    }
  ics_tunnel_note (self, "%s sends us to %s, port %u (300)", self->uri, host, answer->alternate_port);
  self->redirected = TRUE;
  g_free (self->target->host);
  self->target->host = g_steal_pointer (&host);
  self->target->port = answer->alternate_port;
  if (answer->alternate_domain[0] != '\0')
    {
      g_free (self->server->host);
      self->server->host = g_strdup (answer->alternate_domain);
    }
  ics_tunnel_dial_anew (self);
}

/* The request that was not answered to the client. */
static void
ask_again (IcsTurnTunnel *self)
{
  g_autoptr (GBytes) request = ics_turn_talk_begin_anew (self->talk);

  g_byte_array_append (self->up.queue, g_bytes_get_data (request, NULL), (guint)g_bytes_get_size (request));
  ics_tunnel_carry (self);
}

static void
on_dialled (G_GNUC_UNUSED GObject *source, GAsyncResult *result, gpointer data)
{
  IcsTurnTunnel *self = data;
  g_autofree char *through = NULL;
  g_autoptr (GError) error = NULL;
  GSocketConnection *outer = ics_turn_dial_finish (result, &through, &error);

  if (self->state == ICS_TUNNEL_ENDED)
    g_clear_object (&outer);
  else if (outer == NULL)
    {
      ics_tunnel_note (self, "no connection to %s: %s", self->uri, error->message);
      ics_tunnel_end (self);
    }
  else
    {
      self->outer = outer;
      self->through_proxy = through != NULL;
      ics_tunnel_note (self, "connected to %s%s%s", self->uri, through != NULL ? " through the proxy " : "",
                       through != NULL ? through : "");
      if (self->state == ICS_TUNNEL_REDIRECTED)
        ask_again (self);
      else
        ics_tunnel_listen (self);
    }
  ics_tunnel_release (self);
}

static void
dial (IcsTurnTunnel *self)
{
  IcsTurnDial config = { .host = self->target->host,
                         .port = self->target->port,
                         .tls = self->target->transport == ICS_TURN_TLS,
                         .identity = self->server->host,
                         .ca = self->ca,
                         .family = self->family,
                         .timeout_ms = self->timeout_ms };

  g_free (self->uri);
  self->uri = ics_turn_server_to_uri (self->target);
  ics_turn_dial_async (&config, self->cancellable, on_dialled, ics_tunnel_hold (self));
}

IcsTurnTunnel *
ics_turn_tunnel_new (const IcsTurnTunnelConfig *config, const IcsTurnTunnelCallbacks *callbacks,
                     gpointer user_data)
{
  IcsTurnTunnel *self = g_rc_box_new0 (IcsTurnTunnel);

  self->server = ics_turn_server_copy (config->server);
  self->target = ics_turn_server_copy (config->server);
  self->ca = config->ca != NULL ? g_object_ref (config->ca) : NULL;
  self->family = config->family;
  self->timeout_ms = config->timeout_ms != 0 ? config->timeout_ms : CONNECT_TIMEOUT_MS;
  self->callbacks = *callbacks;
  self->user_data = user_data;
  self->cancellable = g_cancellable_new ();
  self->talk = ics_turn_talk_new (self->server->password);
  self->rtt = -1;
  self->up.queue = g_byte_array_new ();
  self->down.queue = g_byte_array_new ();
  dial (self);
  return self;
}

/* --- questions --- */

GInetAddress *
ics_turn_tunnel_get_base (IcsTurnTunnel *self)
{
  g_autoptr (GSocketAddress) address
      = self->outer != NULL ? g_socket_connection_get_local_address (self->outer, NULL) : NULL;

  if (!G_IS_INET_SOCKET_ADDRESS (address))
    return NULL;
  return g_object_ref (g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
}

gint64
ics_turn_tunnel_get_rtt (IcsTurnTunnel *self)
{
  return self->rtt;
}

gboolean
ics_turn_tunnel_was_refused (IcsTurnTunnel *self)
{
  g_autofree char *cause = ics_turn_verdict_cause (ics_turn_talk_get_verdict (self->talk));

  return cause != NULL;
}
