/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signaling/ws-reach.h"
#include "base/nat64-lookup.h"

#define NAT64_LOOKUP_MS 2000

typedef struct
{
  GSocketClient *client;
  GNetworkAddress *server;
  GError *failure; /* of the first try, which tells more than those after it */
  IcsNat64Answer *nat64;
} Reach;

static void
reach_free (gpointer data)
{
  Reach *self = data;

  g_object_unref (self->client);
  g_object_unref (self->server);
  g_clear_error (&self->failure);
  g_clear_pointer (&self->nat64, ics_nat64_answer_free);
  g_free (self);
}

static void
give_up (GTask *task)
{
  Reach *self = g_task_get_task_data (task);

  g_task_return_error (task, g_steal_pointer (&self->failure));
  g_object_unref (task);
}

/* The address that is dialled is not the name in the certificate. */
static void
on_event (G_GNUC_UNUSED GSocketClient *client, GSocketClientEvent event,
          G_GNUC_UNUSED GSocketConnectable *connectable, GIOStream *connection, gpointer server)
{
  if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING)
    g_tls_client_connection_set_server_identity (G_TLS_CLIENT_CONNECTION (connection), server);
}

static void dial_translated (GTask *task);

static void
on_translated (GObject *source, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  GSocketConnection *connection = g_socket_client_connect_finish (G_SOCKET_CLIENT (source), result, NULL);

  if (connection == NULL)
    {
      dial_translated (task);
      return;
    }
  g_task_return_pointer (task, connection, g_object_unref);
  g_object_unref (task);
}

/* The next of the translated addresses. */
static void
dial_translated (GTask *task)
{
  Reach *self = g_task_get_task_data (task);
  GList *first = self->nat64->addresses;
  g_autoptr (GSocketAddress) address = NULL;

  if (first == NULL || g_cancellable_is_cancelled (g_task_get_cancellable (task)))
    {
      give_up (task);
      return;
    }
  address = g_inet_socket_address_new (first->data, g_network_address_get_port (self->server));
  g_object_unref (first->data);
  self->nat64->addresses = g_list_delete_link (first, first);
  g_socket_client_connect_async (self->client, G_SOCKET_CONNECTABLE (address), g_task_get_cancellable (task),
                                 on_translated, task);
}

static void
on_nat64 (G_GNUC_UNUSED GObject *source, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  Reach *self = g_task_get_task_data (task);

  self->nat64 = ics_nat64_lookup_finish (result, NULL);
  if (self->nat64 == NULL)
    {
      give_up (task);
      return;
    }
  g_signal_connect_object (self->client, "event", G_CALLBACK (on_event), self->server, 0);
  dial_translated (task);
}

/* A server that answered, or was not asked because the caller has had enough, is another matter. */
static gboolean
may_be_translated (GSocketClient *client, const GError *failure)
{
  gboolean no_way = failure->domain == G_RESOLVER_ERROR
                    || g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NETWORK_UNREACHABLE)
                    || g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_HOST_UNREACHABLE);

  return no_way && g_socket_client_get_family (client) != G_SOCKET_FAMILY_IPV4 && ics_nat64_is_needed ();
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  Reach *self = g_task_get_task_data (task);
  GSocketConnection *connection
      = g_socket_client_connect_finish (G_SOCKET_CLIENT (source), result, &self->failure);

  if (connection != NULL)
    {
      g_task_return_pointer (task, connection, g_object_unref);
      g_object_unref (task);
    }
  else if (may_be_translated (self->client, self->failure))
    ics_nat64_lookup_async (g_network_address_get_hostname (self->server), NAT64_LOOKUP_MS,
                            g_task_get_cancellable (task), on_nat64, task);
  else
    give_up (task);
}

void
ics_ws_reach_async (GSocketClient *client, GNetworkAddress *server, GCancellable *cancellable,
                    GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  Reach *self = g_new0 (Reach, 1);

  self->client = g_object_ref (client);
  self->server = g_object_ref (server);
  g_task_set_source_tag (task, ics_ws_reach_async);
  g_task_set_task_data (task, self, reach_free);
  g_socket_client_connect_async (client, G_SOCKET_CONNECTABLE (server), cancellable, on_connected, task);
}

GSocketConnection *
ics_ws_reach_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
