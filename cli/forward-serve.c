/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ics-error.h"
#include "cli/forward.h"
#include "cli/pump.h"

#define CONNECT_TIMEOUT_S 30

typedef struct
{
  CliForwardServe *job;
  GCancellable *cancellable;
} Serve;

static gboolean
answer (GIOStream *stream, const char *fault, GCancellable *cancellable)
{
  JsonObject *object = json_object_new ();

  if (fault != NULL)
    json_object_set_string_member (object, "error", fault);
  else
    json_object_set_boolean_member (object, "ok", TRUE);
  return cli_forward_header_write (stream, object, cancellable, NULL);
}

/* Nothing but what was offered is looked up; what the peer sends never becomes an address. */
static GSocketConnection *
connect_target (Serve *serve, GIOStream *stream, const char **fault)
{
  g_autoptr (JsonObject) header = cli_forward_header_read (stream, serve->cancellable, NULL);
  const char *name = header != NULL ? cli_json_string (header, "target") : NULL;
  const CliTarget *target = name != NULL ? cli_targets_find (serve->job->targets, name) : NULL;
  g_autoptr (GSocketClient) client = NULL;
  g_autoptr (GSocketConnectable) address = NULL;
  GSocketConnection *connection;

  *fault = "this target is not offered";
  if (target == NULL)
    return NULL;
  client = g_socket_client_new ();
  g_socket_client_set_timeout (client, CONNECT_TIMEOUT_S);
  g_socket_client_set_enable_proxy (client, FALSE);
  address = g_network_address_new (target->host, target->port);
  connection = g_socket_client_connect (client, address, serve->cancellable, NULL);
  *fault = "the target cannot be reached";
  /* The limit was for connecting; a connection may be idle as long as it likes. */
  if (connection != NULL)
    g_socket_set_timeout (g_socket_connection_get_socket (connection), 0);
  return connection;
}

static void
serve_stream (gpointer data, gpointer user_data)
{
  g_autoptr (GIOStream) stream = data;
  Serve *serve = user_data;
  const char *fault;
  g_autoptr (GSocketConnection) target = connect_target (serve, stream, &fault);
  gboolean good = answer (stream, target == NULL ? fault : NULL, serve->cancellable);

  if (target == NULL)
    {
      cli_counter_add (&serve->job->refused, 1);
      cli_peer_half_close (stream, NULL);
      return;
    }
  cli_counter_add (&serve->job->served, 1);
  good = good && cli_forward_carry (stream, G_IO_STREAM (target), &serve->job->rate, serve->cancellable);
  if (!good)
    cli_peer_reset (serve->job->peer, stream);
  g_io_stream_close (G_IO_STREAM (target), NULL, NULL);
}

static JsonObject *
make_hello (GPtrArray *targets)
{
  JsonObject *hello = cli_control_new_hello ("serve");
  JsonArray *names = json_array_new ();

  for (guint i = 0; i < targets->len; i++)
    json_array_add_string_element (names, ((CliTarget *)targets->pdata[i])->name);
  json_object_set_array_member (hello, "targets", names);
  return hello;
}

/* A stream that does not say in time that it is one of ours is turned away; the session lives on. */
static gboolean
serve_next (Serve *serve, GThreadPool *pool, GError **error)
{
  CliPeer *peer = serve->job->peer;
  g_autoptr (GError) local = NULL;
  CliStreamKind kind;
  guint8 index;
  g_autoptr (GIOStream) stream = cli_peer_accept (peer, &kind, &index, serve->cancellable, &local);

  if (stream == NULL && !g_error_matches (local, ICS_ERROR, ICS_ERROR_PROTOCOL))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  if (stream != NULL && kind == CLI_STREAM_FORWARD)
    return g_thread_pool_push (pool, g_steal_pointer (&stream), error);
  cli_counter_add (&serve->job->refused, 1);
  if (stream != NULL)
    cli_peer_reset (peer, stream);
  return TRUE;
}

static gboolean
serve_all (Serve *serve, GError **error)
{
  GThreadPool *pool = g_thread_pool_new (serve_stream, serve, CLI_FORWARD_MAX, FALSE, error);

  if (pool == NULL)
    return FALSE;
  while (serve_next (serve, pool, error))
    continue;
  g_cancellable_cancel (serve->cancellable);
  g_thread_pool_free (pool, FALSE, TRUE);
  return FALSE;
}

static void
serve_cancelled (GCancellable *cancellable, gpointer user_data)
{
  g_cancellable_cancel (G_CANCELLABLE (user_data));
}

gboolean
cli_forward_serve_run (CliForwardServe *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (GIOStream) control
      = cli_control_start (self->peer, make_hello (self->targets), cancellable, error);
  g_autoptr (JsonObject) hello = NULL;
  g_autoptr (GCancellable) own = g_cancellable_new ();
  g_autoptr (GError) local = NULL;
  Serve serve = { self, own };
  gulong handler;

  if (control != NULL)
    hello = cli_control_read_hello (control, "connect", cancellable, error);
  if (hello == NULL)
    return FALSE;
  handler
      = g_cancellable_connect (cancellable, G_CALLBACK (serve_cancelled), g_object_ref (own), g_object_unref);
  serve_all (&serve, &local);
  g_cancellable_disconnect (cancellable, handler);
  if (g_error_matches (local, ICS_ERROR, ICS_ERROR_CLOSED))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}
