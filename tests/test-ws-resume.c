/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Interruption and return. A small TCP proxy stands in between where a connection has to be cut. */
#include "tests/suite.h"
#include "tests/ws-fixture.h"

/* A proxy that can be cut and pointed elsewhere. */

typedef struct
{
  GSocketService *service;
  guint16 target;
  guint16 port;
  char *uri;
  GPtrArray *streams;
} Proxy;

static void
on_spliced (GObject *source, GAsyncResult *result, gpointer data)
{
  g_io_stream_splice_finish (result, NULL);
}

static gboolean
on_proxy_incoming (GSocketService *service, GSocketConnection *near, GObject *source, gpointer data)
{
  Proxy *p = data;
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) far
      = g_socket_client_connect_to_host (client, "127.0.0.1", p->target, NULL, NULL);

  if (far == NULL)
    return TRUE;
  g_ptr_array_add (p->streams, g_object_ref (near));
  g_ptr_array_add (p->streams, g_object_ref (far));
  g_io_stream_splice_async (G_IO_STREAM (near), G_IO_STREAM (far),
                            G_IO_STREAM_SPLICE_CLOSE_STREAM1 | G_IO_STREAM_SPLICE_CLOSE_STREAM2, 0, NULL,
                            on_spliced, NULL);
  return TRUE;
}

static void
proxy_start (Proxy *p, guint16 target)
{
  p->service = g_socket_service_new ();
  p->target = target;
  p->streams = g_ptr_array_new_with_free_func (g_object_unref);
  p->port = g_socket_listener_add_any_inet_port (G_SOCKET_LISTENER (p->service), NULL, NULL);
  p->uri = g_strdup_printf ("ws://127.0.0.1:%u/", p->port);
  g_signal_connect (p->service, "incoming", G_CALLBACK (on_proxy_incoming), p);
}

static void
proxy_cut (Proxy *p)
{
  for (guint i = 0; i < p->streams->len; i++)
    g_socket_shutdown (g_socket_connection_get_socket (p->streams->pdata[i]), TRUE, TRUE, NULL);
  g_ptr_array_set_size (p->streams, 0);
}

static void
proxy_end (Proxy *p)
{
  proxy_cut (p);
  g_socket_service_stop (p->service);
  g_socket_listener_close (G_SOCKET_LISTENER (p->service));
  spin ();
  g_object_unref (p->service);
  g_ptr_array_unref (p->streams);
  g_free (p->uri);
}

START_TEST (test_resume_after_cut)
{
  Server s = { 0 };
  Proxy p = { 0 };
  Client a, b;

  server_start (&s, NULL);
  proxy_start (&p, s.port);
  pair_at (s.uri, p.uri, &a, &b);
  proxy_cut (&p);
  wait_state (&b, ICS_CHANNEL_INTERRUPTED);
  ck_assert (!send_text (&b, "no"));
  ck_assert_uint_eq (ics_channel_get_writable (ICS_CHANNEL (b.channel)), 0);
  wait_state (&a, ICS_CHANNEL_PEER_LOST);
  ck_assert (send_text (&a, "while away"));
  wait_state (&b, ICS_CHANNEL_OPEN);
  wait_state (&a, ICS_CHANNEL_OPEN);
  WAIT (has_signal, &b);
  ck_assert_uint_eq (b.turn, 2);
  ck_assert (send_data (&b, 0, 1000));
  WAIT (has_data, &a);
  client_end (&a);
  client_end (&b);
  proxy_end (&p);
  server_end (&s);
}
END_TEST

START_TEST (test_server_restart)
{
  Server s = { 0 };
  Client a, b, waiting;
  IcsWsChannelConfig config = { 0 };
  g_autofree char *uri = NULL;

  server_start (&s, NULL);
  uri = g_strdup (s.uri);
  pair_at (uri, uri, &a, &b);
  config.server_uri = uri;
  client_start (&waiting, &config);
  wait_state (&waiting, ICS_CHANNEL_WAITING);
  g_clear_pointer (&s.server, ics_rv_server_free);
  wait_state (&a, ICS_CHANNEL_INTERRUPTED);
  wait_state (&b, ICS_CHANNEL_INTERRUPTED);
  wait_state (&waiting, ICS_CHANNEL_INTERRUPTED);
  server_start (&s, NULL);
  wait_state (&a, ICS_CHANNEL_OPEN);
  wait_state (&b, ICS_CHANNEL_OPEN);
  wait_state (&waiting, ICS_CHANNEL_WAITING);
  ck_assert (send_text (&a, "still here"));
  WAIT (has_signal, &b);
  client_end (&b);
  config.nameplate = ics_ws_channel_get_nameplate (waiting.channel);
  client_start (&b, &config);
  wait_state (&waiting, ICS_CHANNEL_OPEN);
  client_end (&a);
  client_end (&b);
  client_end (&waiting);
  server_end (&s);
}
END_TEST

START_TEST (test_stop_is_an_interruption)
{
  Server s = { 0 };
  Client a, b;
  gboolean stopped = FALSE;

  server_start (&s, NULL);
  pair_at (s.uri, s.uri, &a, &b);
  ics_rv_server_stop (s.server, set_true, &stopped);
  wait_state (&a, ICS_CHANNEL_INTERRUPTED);
  wait_state (&b, ICS_CHANNEL_INTERRUPTED);
  WAIT (is_true, &stopped);
  client_end (&a);
  client_end (&b);
  server_end (&s);
}
END_TEST

int
main (void)
{
  const TTest *const tests[]
      = { test_resume_after_cut, test_server_restart, test_stop_is_an_interruption, NULL };

  return run_suite ("ws-resume", tests);
}
