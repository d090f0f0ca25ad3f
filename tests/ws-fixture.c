/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/ws-fixture.h"
#include <check.h>
#include <string.h>

static GPtrArray *
give_turn (gpointer data)
{
  GPtrArray *turn = g_ptr_array_new_with_free_func ((GDestroyNotify)ics_turn_server_free);
  IcsTurnServer *server = ics_turn_server_parse ("turn:192.0.2.1:3478?transport=udp", NULL);

  server->username = g_strdup ("user");
  server->password = g_strdup ("pass");
  server->expires_unix = g_get_real_time () / G_USEC_PER_SEC + 600;
  g_ptr_array_add (turn, server);
  return turn;
}

void
server_start (Server *s, const IcsRoomsConfig *rooms)
{
  IcsRvServerConfig config = { .certificate = s->certificate, .turn_servers = give_turn };
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string ("127.0.0.1", s->port);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GError) error = NULL;

  if (rooms != NULL)
    config.rooms = *rooms;
  s->server = ics_rv_server_new (&config);
  bound = ics_rv_server_listen (s->server, any, &error);
  ck_assert_msg (bound != NULL, "%s", error != NULL ? error->message : "");
  s->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  g_free (s->uri);
  s->uri = g_strdup_printf ("%s://127.0.0.1:%u", s->certificate != NULL ? "wss" : "ws", s->port);
}

void
server_end (Server *s)
{
  g_clear_pointer (&s->server, ics_rv_server_free);
  g_clear_pointer (&s->uri, g_free);
  spin ();
}

static void
on_message (IcsChannel *channel, IcsChannelKind kind, GBytes *message, Client *c)
{
  guint32 serial;

  if (kind == ICS_CHANNEL_SIGNAL)
    {
      g_ptr_array_add (c->signals, g_bytes_ref (message));
      return;
    }
  memcpy (&serial, g_bytes_get_data (message, NULL), sizeof serial);
  ck_assert_uint_ge (serial, c->next_serial);
  c->next_serial = serial + 1;
  c->data_bytes += g_bytes_get_size (message);
  c->data_frames++;
}

static void
on_state (IcsChannel *channel, IcsChannelState state, Client *c)
{
  c->seen[state] = TRUE;
}

static void
on_writable (IcsChannel *channel, Client *c)
{
  c->writable++;
}

static void
on_turn (IcsWsChannel *channel, Client *c)
{
  c->turn++;
}

void
client_start (Client *c, const IcsWsChannelConfig *config)
{
  memset (c, 0, sizeof *c);
  c->signals = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  c->channel = ics_ws_channel_new (config);
  g_signal_connect (c->channel, "message", G_CALLBACK (on_message), c);
  g_signal_connect (c->channel, "state-changed", G_CALLBACK (on_state), c);
  g_signal_connect (c->channel, "writable", G_CALLBACK (on_writable), c);
  g_signal_connect (c->channel, "turn-servers", G_CALLBACK (on_turn), c);
  ics_channel_start (ICS_CHANNEL (c->channel));
}

void
client_end (Client *c)
{
  g_signal_handlers_disconnect_by_data (c->channel, c);
  ics_channel_close (ICS_CHANNEL (c->channel));
  g_clear_object (&c->channel);
  g_ptr_array_unref (c->signals);
}

IcsChannelState
state_of (Client *c)
{
  return ics_channel_get_state (ICS_CHANNEL (c->channel));
}

void
wait_state (Client *c, IcsChannelState state)
{
  guint safety = add_safety ("a state");

  while (state_of (c) != state)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (safety);
}

gboolean
has_signal (gpointer c)
{
  return ((Client *)c)->signals->len > 0;
}

gboolean
has_data (gpointer c)
{
  return ((Client *)c)->data_frames > 0;
}

void
assert_error (Client *c, IcsError code)
{
  g_autoptr (GError) error = NULL;

  wait_state (c, ICS_CHANNEL_CLOSED);
  error = ics_channel_get_error (ICS_CHANNEL (c->channel));
  ck_assert_ptr_nonnull (error);
  ck_assert_msg (g_error_matches (error, ICS_ERROR, (int)code), "%s", error->message);
}

void
pair_at (const char *uri_a, const char *uri_b, Client *a, Client *b)
{
  IcsWsChannelConfig config = { .server_uri = uri_a };

  client_start (a, &config);
  wait_state (a, ICS_CHANNEL_WAITING);
  config.server_uri = uri_b;
  config.nameplate = ics_ws_channel_get_nameplate (a->channel);
  client_start (b, &config);
  wait_state (b, ICS_CHANNEL_OPEN);
  wait_state (a, ICS_CHANNEL_OPEN);
}

gboolean
send_text (Client *c, const char *text)
{
  g_autoptr (GBytes) message = g_bytes_new (text, strlen (text));

  return ics_channel_send (ICS_CHANNEL (c->channel), ICS_CHANNEL_SIGNAL, message);
}

gboolean
send_data (Client *c, guint32 serial, gsize len)
{
  g_autofree guint8 *payload = g_malloc0 (len);
  g_autoptr (GBytes) message = NULL;

  memcpy (payload, &serial, sizeof serial);
  message = g_bytes_new_take (g_steal_pointer (&payload), len);
  return ics_channel_send (ICS_CHANNEL (c->channel), ICS_CHANNEL_DATA, message);
}
