/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/turn-peer.h"
#include <check.h>

struct _TurnPeer
{
  GSocketListener *listener;
  guint16 port;
  GTlsCertificate *certificate;
  TurnPeerScript script;
  gpointer data;
  GCancellable *cancellable;
  GThread *thread;
};

static void
serve (TurnPeer *self, GSocketConnection *connection)
{
  g_autoptr (GIOStream) tls = NULL;

  if (self->certificate == NULL)
    {
      self->script (G_IO_STREAM (connection), self->data);
      return;
    }
  tls = g_tls_server_connection_new (G_IO_STREAM (connection), self->certificate, NULL);
  /* A client that does not trust it goes away: no more is to be done. */
  if (g_tls_connection_handshake (G_TLS_CONNECTION (tls), NULL, NULL))
    self->script (tls, self->data);
  g_io_stream_close (tls, NULL, NULL);
}

static gpointer
run (gpointer data)
{
  TurnPeer *self = data;

  for (;;)
    {
      g_autoptr (GSocketConnection) connection
          = g_socket_listener_accept (self->listener, NULL, self->cancellable, NULL);

      if (connection == NULL)
        return NULL;
      serve (self, connection);
      g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
    }
}

TurnPeer *
turn_peer_start (const char *certificate, TurnPeerScript script, gpointer data)
{
  TurnPeer *self = g_new0 (TurnPeer, 1);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) bound = NULL;

  self->listener = g_socket_listener_new ();
  self->script = script;
  self->data = data;
  self->cancellable = g_cancellable_new ();
  if (certificate != NULL)
    {
      self->certificate = g_tls_certificate_new_from_file (certificate, NULL);
      ck_assert_ptr_nonnull (self->certificate);
    }
  ck_assert (g_socket_listener_add_address (self->listener, any, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP,
                                            NULL, &bound, NULL));
  self->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  self->thread = g_thread_new ("turn-peer", run, self);
  return self;
}

guint16
turn_peer_get_port (TurnPeer *self)
{
  return self->port;
}

void
turn_peer_stop (TurnPeer *self)
{
  g_cancellable_cancel (self->cancellable);
  g_thread_join (self->thread);
  g_object_unref (self->cancellable);
  g_object_unref (self->listener);
  g_clear_object (&self->certificate);
  g_free (self);
}

void
turn_peer_read (GIOStream *stream, gsize len)
{
  g_autofree guint8 *buffer = g_malloc (len);

  g_input_stream_read_all (g_io_stream_get_input_stream (stream), buffer, len, NULL, NULL, NULL);
}

void
turn_peer_write (GIOStream *stream, GByteArray *bytes)
{
  g_output_stream_write_all (g_io_stream_get_output_stream (stream), bytes->data, bytes->len, NULL, NULL,
                             NULL);
}
