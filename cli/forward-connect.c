/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ics-error.h"
#include "cli/forward.h"

#define BACKLOG 128
#define ACCEPT_PAUSE_US (100 * 1000)

/* Shared by the threads that accept and those that carry; each has a reference. (Plain threads, and not
 * GThreadedSocketService: that one starts to accept again on a thread that does not run its main context,
 * which crashes.) */
typedef struct
{
  CliForwardConnect *job;    /* valid until no connection is running */
  GCancellable *cancellable; /* of all connections */
  GMutex lock;
  GCond changed;
  guint running;
  gboolean ended;
} Client;

/* A listening socket and its thread. */
typedef struct
{
  Client *client;
  GSocket *socket;
  const char *name;
  GThread *thread;
} Acceptor;

typedef struct
{
  Client *client;
  GSocketConnection *local;
  const char *name;
} Connection;

static void
client_clear (gpointer data)
{
  Client *client = data;

  g_object_unref (client->cancellable);
  g_mutex_clear (&client->lock);
  g_cond_clear (&client->changed);
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
  g_cond_init (&client->changed);
  return client;
}

/* Waits until one more connection may run; meanwhile its client waits in the backlog. FALSE at the end of
 * all. */
static gboolean
client_wait_for_room (Client *client)
{
  gboolean room;

  g_mutex_lock (&client->lock);
  while (client->running >= CLI_FORWARD_MAX && !client->ended)
    g_cond_wait (&client->changed, &client->lock);
  room = !client->ended;
  g_mutex_unlock (&client->lock);
  return room;
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
  g_cond_broadcast (&client->changed);
  g_mutex_unlock (&client->lock);
}

static void
client_end (Client *client)
{
  g_cancellable_cancel (client->cancellable);
  g_mutex_lock (&client->lock);
  client->ended = TRUE;
  g_cond_broadcast (&client->changed);
  while (client->running > 0)
    g_cond_wait (&client->changed, &client->lock);
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

static void
connection_free (Connection *self)
{
  g_io_stream_close (G_IO_STREAM (self->local), NULL, NULL);
  g_object_unref (self->local);
  client_unref (self->client);
  g_free (self);
}

static gpointer
carry_connection (gpointer data)
{
  Connection *self = data;
  Client *client = self->client;
  GIOStream *stream = open_target (client, self->name);

  if (stream != NULL
      && !cli_forward_carry (stream, G_IO_STREAM (self->local), &client->job->rate, client->cancellable))
    cli_peer_reset (client->job->peer, stream);
  g_clear_object (&stream);
  client_leave (client);
  connection_free (self);
  return NULL;
}

static void
start_connection (const Acceptor *acceptor, GSocket *socket)
{
  Connection *self = g_new0 (Connection, 1);
  GThread *thread;

  self->client = g_atomic_rc_box_acquire (acceptor->client);
  self->local = g_socket_connection_factory_create_connection (socket);
  self->name = acceptor->name;
  if (!client_enter (self->client))
    {
      connection_free (self);
      return;
    }
  thread = g_thread_try_new ("forward", carry_connection, self, NULL);
  if (thread != NULL)
    {
      g_thread_unref (thread);
      return;
    }
  client_leave (self->client);
  connection_free (self);
}

static gpointer
accept_connections (gpointer data)
{
  Acceptor *self = data;
  GCancellable *cancellable = self->client->cancellable;

  while (client_wait_for_room (self->client))
    {
      g_autoptr (GSocket) socket = g_socket_accept (self->socket, cancellable, NULL);

      if (socket != NULL)
        start_connection (self, socket);
      else
        /* Out of descriptors: they come back as connections end. */
        cli_wait_until (g_get_monotonic_time () + ACCEPT_PAUSE_US, cancellable, NULL);
    }
  return NULL;
}

static void
acceptor_free (gpointer data)
{
  Acceptor *self = data;

  g_clear_pointer (&self->thread, g_thread_join);
  g_clear_object (&self->socket);
  client_unref (self->client);
  g_free (self);
}

static GSocket *
open_listener (const CliListen *listen, GError **error)
{
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string (listen->bind, listen->port);
  g_autoptr (GSocket) socket = g_socket_new (g_socket_address_get_family (address), G_SOCKET_TYPE_STREAM,
                                             G_SOCKET_PROTOCOL_TCP, error);

  if (socket != NULL)
    g_socket_set_listen_backlog (socket, BACKLOG);
  if (socket != NULL && g_socket_bind (socket, address, TRUE, error) && g_socket_listen (socket, error))
    return g_steal_pointer (&socket);
  g_prefix_error (error, "cannot listen on %s port %u: ", listen->bind, listen->port);
  return NULL;
}

static gboolean
listen_on (Client *client, GPtrArray *acceptors, const CliListen *listen, GError **error)
{
  GSocket *socket = open_listener (listen, error);
  g_autoptr (GSocketAddress) effective = NULL;
  g_autofree char *text = NULL;
  Acceptor *self;

  if (socket == NULL)
    return FALSE;
  self = g_new0 (Acceptor, 1);
  self->client = g_atomic_rc_box_acquire (client);
  self->socket = socket;
  self->name = listen->name;
  g_ptr_array_add (acceptors, self);
  self->thread = g_thread_try_new ("accept", accept_connections, self, error);
  effective = self->thread != NULL ? g_socket_get_local_address (socket, error) : NULL;
  if (effective == NULL)
    return FALSE;
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
listen_all (Client *client, GPtrArray *acceptors, GError **error)
{
  GPtrArray *listens = client->job->listens;

  for (guint i = 0; i < listens->len; i++)
    if (!listen_on (client, acceptors, listens->pdata[i], error))
      return FALSE;
  return TRUE;
}

static void
client_cancelled (GCancellable *cancellable, gpointer user_data)
{
  g_cancellable_cancel (G_CANCELLABLE (user_data));
}

static gboolean
serve_locally (Client *client, GIOStream *control, GCancellable *cancellable, GError **error)
{
  GPtrArray *acceptors = g_ptr_array_new_with_free_func (acceptor_free);
  gulong handler = g_cancellable_connect (cancellable, G_CALLBACK (client_cancelled),
                                          g_object_ref (client->cancellable), g_object_unref);
  gboolean good = listen_all (client, acceptors, error) && wait_for_end (control, cancellable, error);

  g_cancellable_disconnect (cancellable, handler);
  client_end (client);
  g_ptr_array_unref (acceptors);
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
