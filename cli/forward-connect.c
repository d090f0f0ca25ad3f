/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ics-error.h"
#include "cli/forward.h"

/* Reference-counted: the service may call once more while it is being stopped. */
typedef struct
{
  CliForwardConnect *job;    /* valid between client_enter() and client_leave() */
  GCancellable *cancellable; /* of all connections */
  GMutex lock;
  GCond idle;
  guint running;
  gboolean ended;
} Client;

static void
client_clear (gpointer data)
{
  Client *client = data;

  g_object_unref (client->cancellable);
  g_mutex_clear (&client->lock);
  g_cond_clear (&client->idle);
}

static void
client_unref (Client *client)
{
  g_atomic_rc_box_release_full (client, client_clear);
}

static Client *
client_new (CliForwardConnect *job)
{
  Client *client = g_atomic_rc_box_new0 (Client);

  client->job = job;
  client->cancellable = g_cancellable_new ();
  g_mutex_init (&client->lock);
  g_cond_init (&client->idle);
  return client;
}

static gboolean
client_enter (Client *client)
{
  gboolean ended;

  g_mutex_lock (&client->lock);
  ended = client->ended;
  client->running += ended ? 0 : 1;
  g_mutex_unlock (&client->lock);
  return !ended;
}

static void
client_leave (Client *client)
{
  g_mutex_lock (&client->lock);
  client->running--;
  g_cond_signal (&client->idle);
  g_mutex_unlock (&client->lock);
}

static GIOStream *
open_target (Client *client, const char *name)
{
  JsonObject *header = json_object_new ();
  g_autoptr (GIOStream) stream
      = cli_peer_open (client->job->peer, CLI_STREAM_FORWARD, 0, client->cancellable, NULL);
  g_autoptr (JsonObject) answer = NULL;

  json_object_set_string_member (header, "target", name);
  if (stream == NULL)
    {
      json_object_unref (header);
      return NULL;
    }
  if (cli_forward_header_write (stream, header, client->cancellable, NULL))
    answer = cli_forward_header_read (stream, client->cancellable, NULL);
  if (answer != NULL && cli_json_bool (answer, "ok"))
    return g_steal_pointer (&stream);
  cli_peer_reset (client->job->peer, stream);
  return NULL;
}

/* One local connection, in a thread of the service. */
static gboolean
carry_connection (GThreadedSocketService *service, GSocketConnection *connection, GObject *source,
                  gpointer user_data)
{
  Client *client = user_data;
  const char *name = g_object_get_data (source, "name");
  g_autoptr (GIOStream) stream = NULL;

  if (!client_enter (client))
    return TRUE;
  stream = open_target (client, name);
  if (stream != NULL
      && !cli_forward_carry (stream, G_IO_STREAM (connection), &client->job->rate, client->cancellable))
    cli_peer_reset (client->job->peer, stream);
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
  client_leave (client);
  return TRUE;
}

static gboolean
listen_on (Client *client, GSocketService *service, const CliListen *listen, GError **error)
{
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string (listen->bind, listen->port);
  g_autoptr (GSocketAddress) effective = NULL;
  g_autoptr (GObject) source = g_object_new (G_TYPE_OBJECT, NULL);
  g_autofree char *text = NULL;

  g_object_set_data_full (source, "name", g_strdup (listen->name), g_free);
  if (!g_socket_listener_add_address (G_SOCKET_LISTENER (service), address, G_SOCKET_TYPE_STREAM,
                                      G_SOCKET_PROTOCOL_TCP, source, &effective, error))
    {
      g_prefix_error (error, "cannot listen on %s port %u: ", listen->bind, listen->port);
      return FALSE;
    }
  text = g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (effective));
  client->job->listening (text, listen->name, client->job->user_data);
  return TRUE;
}

static gboolean
offers (JsonObject *hello, const char *name)
{
  JsonArray *names = cli_json_array (hello, "targets");

  for (guint i = 0; names != NULL && i < json_array_get_length (names); i++)
    {
      JsonNode *node = json_array_get_element (names, i);

      if (JSON_NODE_HOLDS_VALUE (node) && g_strcmp0 (json_node_get_string (node), name) == 0)
        return TRUE;
    }
  return FALSE;
}

/* Better to say it now than to each connection. */
static gboolean
check_names (CliForwardConnect *self, JsonObject *hello, GError **error)
{
  for (guint i = 0; i < self->listens->len; i++)
    {
      const CliListen *listen = self->listens->pdata[i];

      if (offers (hello, listen->name))
        continue;
      g_set_error (error, ICS_ERROR, ICS_ERROR_REFUSED, "the other side does not offer \"%s\"", listen->name);
      return FALSE;
    }
  return TRUE;
}

/* Until the peer ends the control stream, or the link ends. */
static gboolean
wait_for_end (GIOStream *control, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (JsonObject) frame = cli_frame_read (control, cancellable, &local);

  if (frame == NULL && g_error_matches (local, ICS_ERROR, ICS_ERROR_CLOSED))
    return TRUE;
  if (frame != NULL)
    g_set_error (error, ICS_ERROR, ICS_ERROR_PROTOCOL,
                 "the other side sent a control message that was not due");
  else
    g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static gboolean
listen_all (Client *client, GSocketService *service, GError **error)
{
  GPtrArray *listens = client->job->listens;

  for (guint i = 0; i < listens->len; i++)
    if (!listen_on (client, service, listens->pdata[i], error))
      return FALSE;
  return TRUE;
}

static void
end_connections (Client *client, GSocketService *service)
{
  g_socket_service_stop (service);
  g_socket_listener_close (G_SOCKET_LISTENER (service));
  g_cancellable_cancel (client->cancellable);
  g_mutex_lock (&client->lock);
  client->ended = TRUE;
  while (client->running > 0)
    g_cond_wait (&client->idle, &client->lock);
  g_mutex_unlock (&client->lock);
}

static void
client_cancelled (GCancellable *cancellable, gpointer user_data)
{
  g_cancellable_cancel (G_CANCELLABLE (user_data));
}

static void
release_client (gpointer data, GClosure *closure)
{
  client_unref (data);
}

static gboolean
serve_locally (Client *client, GIOStream *control, GCancellable *cancellable, GError **error)
{
  g_autoptr (GSocketService) service = g_threaded_socket_service_new (CLI_FORWARD_MAX);
  gulong handler = g_cancellable_connect (cancellable, G_CALLBACK (client_cancelled),
                                          g_object_ref (client->cancellable), g_object_unref);
  gboolean good;

  g_signal_connect_data (service, "run", G_CALLBACK (carry_connection), g_atomic_rc_box_acquire (client),
                         release_client, 0);
  good = listen_all (client, service, error) && wait_for_end (control, cancellable, error);
  g_cancellable_disconnect (cancellable, handler);
  end_connections (client, service);
  return good;
}

gboolean
cli_forward_connect_run (CliForwardConnect *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (GIOStream) control
      = cli_control_start (self->peer, cli_control_new_hello ("connect"), cancellable, error);
  g_autoptr (JsonObject) hello = NULL;
  Client *client;
  gboolean good;

  if (control != NULL)
    hello = cli_control_read_hello (control, "serve", cancellable, error);
  if (hello == NULL || !check_names (self, hello, error))
    return FALSE;
  client = client_new (self);
  good = serve_locally (client, control, cancellable, error);
  client_unref (client);
  return good;
}
