/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The channel through a real HTTP proxy and a real SOCKS5 proxy, with and without TLS. */
#include "tests/certificate.h"
#include "tests/suite.h"
#include "tests/ws-fixture.h"
#include <glib/gstdio.h>
#include <string.h>

typedef struct
{
  GSubprocess *process;
  guint16 port;
  char *conf;
} Proxy;

static guint16
free_port (void)
{
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocket) socket
      = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
  g_autoptr (GSocketAddress) bound = NULL;

  ck_assert (g_socket_bind (socket, any, FALSE, NULL));
  bound = g_socket_get_local_address (socket, NULL);
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
}

static void
wait_until_listening (guint16 port)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  guint safety = add_safety ("the proxy");
  g_autoptr (GSocketConnection) connection = NULL;

  g_socket_client_set_enable_proxy (client, FALSE);
  while ((connection = g_socket_client_connect_to_host (client, "127.0.0.1", port, NULL, NULL)) == NULL)
    g_main_context_iteration (NULL, FALSE);
  g_source_remove (safety);
}

/* Returns what the environment says of it. (transfer full) */
static char *
proxy_start (Proxy *proxy, gboolean socks, const char *dir)
{
  g_autofree char *port = NULL, *text = NULL;

  proxy->port = free_port ();
  port = g_strdup_printf ("%u", proxy->port);
  proxy->conf = g_build_filename (dir, "proxy.conf", NULL);
  text = g_strdup_printf ("Port %s\nListen 127.0.0.1\nTimeout 60\nMaxClients 10\nLogLevel Critical\n", port);
  ck_assert (g_file_set_contents (proxy->conf, text, -1, NULL));
  proxy->process = socks ? g_subprocess_new (G_SUBPROCESS_FLAGS_STDERR_SILENCE, NULL, "microsocks", "-i",
                                             "127.0.0.1", "-p", port, NULL)
                         : g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE, NULL, "tinyproxy", "-d", "-c",
                                             proxy->conf, NULL);
  ck_assert_msg (proxy->process != NULL, "tinyproxy and microsocks are needed");
  wait_until_listening (proxy->port);
  return g_strdup_printf ("%s://127.0.0.1:%u", socks ? "socks5" : "http", proxy->port);
}

static void
proxy_end (Proxy *proxy)
{
  g_subprocess_force_exit (proxy->process);
  g_subprocess_wait (proxy->process, NULL, NULL);
  g_object_unref (proxy->process);
  g_unlink (proxy->conf);
  g_free (proxy->conf);
}

/* @_i: bit 0 SOCKS, bit 1 TLS. */
START_TEST (through_a_proxy)
{
  gboolean tls = (_i & 2) != 0;
  g_autofree char *dir = g_dir_make_tmp ("ice-session-test-XXXXXX", NULL);
  g_autofree char *file = certificate_write (dir, "own.pem", "127.0.0.1");
  g_autofree char *url = NULL, *local = NULL, *remote = NULL, *expected = NULL;
  Proxy proxy;
  Server server = { 0 };
  Client a, b;

  url = proxy_start (&proxy, (_i & 1) != 0, dir);
  g_setenv ("http_proxy", url, TRUE);
  g_setenv ("https_proxy", url, TRUE);
  g_unsetenv ("no_proxy");
  certificate_trust (file);
  server.certificate = tls ? g_tls_certificate_new_from_file (file, NULL) : NULL;
  server_start (&server, NULL);
  pair_at (server.uri, server.uri, &a, &b);
  ck_assert (send_text (&a, "to b"));
  ck_assert (send_data (&b, 0, 60000));
  WAIT (has_signal, &b);
  WAIT (has_data, &a);
  ck_assert_uint_eq (a.data_bytes, 60000);
  ics_channel_get_addresses (ICS_CHANNEL (a.channel), &local, &remote);
  expected = g_strdup_printf ("127.0.0.1:%u", proxy.port);
  ck_assert_str_eq (remote, expected);
  client_end (&b);
  client_end (&a);
  server_end (&server);
  g_clear_object (&server.certificate);
  proxy_end (&proxy);
  g_unlink (file);
  g_rmdir (dir);
}
END_TEST

/* The server is away, and the proxy says so. */
START_TEST (proxy_can_not_reach_it)
{
  g_autofree char *dir = g_dir_make_tmp ("ice-session-test-XXXXXX", NULL);
  g_autofree char *url = NULL, *uri = NULL;
  IcsWsChannelConfig config = { 0 };
  g_autoptr (GError) error = NULL;
  Proxy proxy;
  Client client;

  url = proxy_start (&proxy, _i == 1, dir);
  g_setenv ("http_proxy", url, TRUE);
  g_unsetenv ("no_proxy");
  uri = g_strdup_printf ("ws://127.0.0.1:%u", free_port ());
  config.server_uri = uri;
  client_start (&client, &config);
  assert_error (&client, ICS_ERROR_SERVER_UNREACHABLE);
  error = ics_channel_get_error (ICS_CHANNEL (client.channel));
  ck_assert_msg (strstr (error->message, _i == 1 ? "SOCKS" : "HTTP proxy") != NULL, "%s", error->message);
  client_end (&client);
  proxy_end (&proxy);
  g_rmdir (dir);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = { { through_a_proxy, 4 }, { proxy_can_not_reach_it, 2 } };

  return run_loops ("ws-proxy", tests, G_N_ELEMENTS (tests));
}
