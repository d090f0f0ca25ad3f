/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The server's TURN child over UDP, TCP and TLS: what it hands out leads there, with a certificate that can
 * be checked. */
#include "session/ics-server.h"
#include "session/server-addresses.h"
#include "tests/certificate.h"
#include "tests/suite.h"
#include "tests/ws-fixture.h"
#include "turn-fallback/coturn-config.h"
#include "turn-fallback/turn-tunnel.h"
#include <glib/gstdio.h>
#include <string.h>

static void
on_listening (G_GNUC_UNUSED IcsServer *server, const char *url, char **kept)
{
  *kept = g_strdup (url);
}

static void
on_stopped (GObject *source, GAsyncResult *result, gpointer stopped)
{
  ics_server_stop_finish (ICS_SERVER (source), result, NULL);
  set_true (stopped);
}

static void
on_ready (G_GNUC_UNUSED guint16 port, gpointer reached)
{
  *(int *)reached = 1;
}

static void
on_ended (gpointer reached)
{
  *(int *)reached = -1;
}

static void
on_note (const char *line, G_GNUC_UNUSED gpointer reached)
{
  /* It may still be starting; nothing else may be wrong. */
  ck_assert_msg (strstr (line, "certificate") == NULL, "%s", line);
}

static gboolean
is_settled (gpointer reached)
{
  return *(int *)reached != 0;
}

static void
expect_reached (const IcsTurnServer *server)
{
  static const IcsTurnTunnelCallbacks callbacks = { .ready = on_ready, .ended = on_ended, .note = on_note };
  IcsTurnTunnelConfig config = { .server = server };
  guint safety = add_safety ("the TURN server");
  int reached;

  do
    {
      IcsTurnTunnel *tunnel;

      reached = 0;
      tunnel = ics_turn_tunnel_new (&config, &callbacks, &reached);
      WAIT (is_settled, &reached);
      ics_turn_tunnel_free (tunnel);
    }
  while (reached < 0);
  g_source_remove (safety);
}

static const IcsTurnServer *
find (GPtrArray *servers, IcsTurnTransport transport)
{
  for (guint i = 0; i < servers->len; i++)
    if (((IcsTurnServer *)servers->pdata[i])->transport == transport)
      return servers->pdata[i];
  return NULL;
}

/* @_i: 1 with TLS. */
START_TEST (hands_out_what_leads_there)
{
  static const char *const loopback[] = { "127.0.0.1:0", NULL };
  g_autofree char *dir = g_mkdtemp (g_strdup ("/tmp/ice-session-test-XXXXXX"));
  g_autofree char *file = certificate_write (dir, "server.pem", "127.0.0.1");
  const char *given = _i == 1 ? file : NULL;
  g_autofree char *url = NULL;
  IcsServer *server = g_object_new (ICS_TYPE_SERVER, "listen", loopback, "state-dir", dir, "tls-cert-file",
                                    given, "tls-key-file", given, NULL);
  IcsWsChannelConfig config = { 0 };
  gboolean stopped = FALSE;
  GPtrArray *servers;
  Client client;

  certificate_trust (file);
  g_signal_connect (server, "listening", G_CALLBACK (on_listening), &url);
  ck_assert (ics_server_start (server, NULL));
  config.server_uri = url;
  client_start (&client, &config);
  wait_state (&client, ICS_CHANNEL_WAITING);
  servers = ics_ws_channel_get_turn_servers (client.channel);
  ck_assert_uint_eq (servers->len, _i == 1 ? 3 : 2);
  ck_assert_ptr_nonnull (find (servers, ICS_TURN_UDP));
  ck_assert_str_eq (find (servers, ICS_TURN_TCP)->host, "127.0.0.1");
  ck_assert_ptr_nonnull (find (servers, ICS_TURN_TCP)->password);
  expect_reached (find (servers, ICS_TURN_TCP));
  ck_assert_int_eq (find (servers, ICS_TURN_TLS) != NULL, _i == 1);
  if (_i == 1)
    {
      ck_assert_str_eq (find (servers, ICS_TURN_TLS)->host, "127.0.0.1");
      ck_assert_ptr_nonnull (find (servers, ICS_TURN_TLS)->password);
      expect_reached (find (servers, ICS_TURN_TLS));
    }
  client_end (&client);
  ics_server_stop_async (server, NULL, on_stopped, &stopped);
  WAIT (is_true, &stopped);
  g_object_unref (server);
  spin ();
  g_unlink (file);
  ck_assert_int_eq (g_rmdir (dir), 0);
}
END_TEST

/* IPv4 first, else in the order in which they are named; each once. */
START_TEST (addresses_in_order)
{
  static const char *const listen[] = { "[::1]:1", "127.0.0.2:1", "[::]:1", "127.0.0.1:1", "[::1]:2", NULL };
  static const char *const expected[] = { "127.0.0.2", "127.0.0.1", "::1" };
  g_autoptr (GArray) addresses = ics_server_turn_addresses (NULL, listen, NULL);

  ck_assert_uint_eq (addresses->len, G_N_ELEMENTS (expected));
  for (guint i = 0; i < addresses->len; i++)
    ck_assert_str_eq (g_array_index (addresses, IcsCoturnAddress, i).local, expected[i]);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = { { hands_out_what_leads_there, 2 }, { addresses_in_order, 1 } };

  return run_loops ("server turn", tests, G_N_ELEMENTS (tests));
}
