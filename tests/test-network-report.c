/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The report on a network: what it concludes, and the probe where there is little to find. */
#include "session/ice-session.h"
#include "session/network-report-private.h"
#include "tests/ice-side.h"
#include "tests/suite.h"
#include <string.h>

/* A relay over what, if any. */
typedef enum
{
  NONE,
  UDP,
  TCP,
  TLS
} Relay;

typedef struct
{
  IcsServerState server;
  IcsNatBehavior nat;
  Relay relay;
  const char *says;
  guint32 mapped; /* the address outside that the gateway gives */
} Row;

#define UP .answered = ICS_FACT_YES, .translated = ICS_FACT_YES
#define OUTSIDE 0xc6336502u /* 198.51.101.2 */
#define INSIDE 0x64400102u  /* 100.64.1.2 */

static const Row rows[] = {
  { ICS_SERVER_UNREACHABLE, { 0 }, NONE, "no session can begin", 0 },
  { ICS_SERVER_CAPTIVE, { UP }, UDP, "log in to this network", 0 },
  { ICS_SERVER_REFUSING, { UP }, UDP, "refuses this host", 0 },
  { ICS_SERVER_REACHABLE, { 0 }, NONE, "no STUN server to ask", 0 },
  { ICS_SERVER_REACHABLE, { .answered = ICS_FACT_NO }, NONE, "through the rendezvous server", 0 },
  { ICS_SERVER_REACHABLE, { .answered = ICS_FACT_NO }, UDP, "through a TURN relay", 0 },
  { ICS_SERVER_REACHABLE, { .answered = ICS_FACT_NO }, TCP, "through a TURN relay over TCP", 0 },
  { ICS_SERVER_REACHABLE, { .answered = ICS_FACT_NO }, TLS, "through a TURN relay over TLS", OUTSIDE },
  { ICS_SERVER_REACHABLE, { UP }, UDP, "is not known", 0 },
  { ICS_SERVER_REACHABLE, { UP }, NONE, "the router maps a port", OUTSIDE },
  { ICS_SERVER_REACHABLE, { UP, .mapping_varies = ICS_FACT_NO }, UDP, "with most peers", INSIDE },
  { ICS_SERVER_REACHABLE, { UP, .mapping_varies = ICS_FACT_NO }, UDP, "the router maps a port", OUTSIDE },
  { ICS_SERVER_REACHABLE,
    { UP, .mapping_varies = ICS_FACT_YES },
    UDP,
    "a TURN relay carries the others",
    INSIDE },
  { ICS_SERVER_REACHABLE, { UP, .mapping_varies = ICS_FACT_YES }, UDP, "the router maps a port", OUTSIDE },
  { ICS_SERVER_REACHABLE,
    { UP, .mapping_varies = ICS_FACT_YES },
    NONE,
    "the rendezvous server carries the others",
    0 },
  { ICS_SERVER_REACHABLE,
    { .answered = ICS_FACT_YES, .translated = ICS_FACT_NO, .filtering = ICS_NAT_ENDPOINT_INDEPENDENT },
    NONE,
    "no NAT and no filter",
    OUTSIDE },
  { ICS_SERVER_REACHABLE,
    { .answered = ICS_FACT_YES, .translated = ICS_FACT_NO },
    NONE,
    "there is no NAT: direct connections will work with most",
    0 },
};

static void
fill (IcsNetworkReport *report, const Row *row)
{
  const IcsRelayTrialResult works = { .address = "203.0.113.1", .setup_ms = 20, .rtt_ms = 5 };
  IcsGatewayFinding findings[ICS_GATEWAY_N_PROTOCOLS]
      = { { .maps = ICS_FACT_NO, .reason = "no answer" }, { .maps = ICS_FACT_UNKNOWN, .reason = "late" } };

  report->server_state = row->server;
  ics_network_report_add_relay (report, "turn:203.0.113.2", ICS_TURN_UDP);
  if (row->relay != NONE)
    {
      ics_network_report_add_relay (report, "turn:203.0.113.1", (IcsTurnTransport)(row->relay - UDP));
      ics_network_report_set_relay (report, 1, &works);
    }
  if (row->mapped != 0)
    {
      findings[ICS_GATEWAY_UPNP] = (IcsGatewayFinding){ .maps = ICS_FACT_YES, .external = row->mapped };
      ics_network_report_set_gateway (report, findings);
    }
  ics_network_report_seal (report, &row->nat);
}

START_TEST (verdicts)
{
  const Row *row = &rows[_i];
  g_autoptr (IcsNetworkReport) report = ics_network_report_new ();

  fill (report, row);
  ck_assert_msg (strstr (ics_network_report_get_verdict (report), row->says) != NULL, "%s",
                 ics_network_report_get_verdict (report));
  ck_assert_ptr_null (strchr (ics_network_report_get_verdict (report), '\n'));
}
END_TEST

START_TEST (rows_and_protocols)
{
  const Row row = { ICS_SERVER_REACHABLE, { UP }, TLS, "", OUTSIDE };
  g_autoptr (IcsNetworkReport) report = ics_network_report_new ();

  ck_assert_str_eq (ics_network_report_get_port_mapping (report, ICS_MAPPING_PCP), "not asked");
  ck_assert_ptr_null (ics_network_report_get_port_mapping_error (report, ICS_MAPPING_PCP));
  fill (report, &row);
  ck_assert_str_eq (ics_network_report_get_port_mapping (report, ICS_MAPPING_PCP), "no");
  ck_assert_ptr_null (ics_network_report_get_port_mapping_address (report, ICS_MAPPING_PCP));
  ck_assert_str_eq (ics_network_report_get_port_mapping_error (report, ICS_MAPPING_PCP), "no answer");
  ck_assert_str_eq (ics_network_report_get_port_mapping (report, ICS_MAPPING_NAT_PMP), "unknown");
  ck_assert_str_eq (ics_network_report_get_port_mapping (report, ICS_MAPPING_UPNP), "yes");
  ck_assert_str_eq (ics_network_report_get_port_mapping_address (report, ICS_MAPPING_UPNP), "198.51.101.2");
  ck_assert_ptr_null (ics_network_report_get_port_mapping_error (report, ICS_MAPPING_UPNP));
  ck_assert_uint_eq (ics_network_report_get_n_relays (report), 2);
  ck_assert_str_eq (ics_network_report_get_relay_transport (report, 0), "udp");
  ck_assert_ptr_nonnull (ics_network_report_get_relay_error (report, 0));
  ck_assert_str_eq (ics_network_report_get_relay_transport (report, 1), "tls");
  ck_assert (ics_network_report_get_relay_rtt_ms (report, 1) == 5);
  ck_assert_ptr_null (ics_network_report_get_relay_error (report, 1));
}
END_TEST

typedef struct
{
  gboolean done;
  IcsNetworkReport *report;
  GError *error;
} Outcome;

static void
on_probed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Outcome *outcome = user_data;

  outcome->report = ics_network_probe_run_finish (ICS_NETWORK_PROBE (source), result, &outcome->error);
  outcome->done = TRUE;
}

static void
wait_for (Outcome *outcome)
{
  while (!outcome->done)
    g_main_context_iteration (NULL, TRUE);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
}

/* Takes the port and lets nobody in. */
static GSocket *
deaf_port (guint16 *port)
{
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
  g_autoptr (GSocketAddress) bound = NULL;

  ck_assert (g_socket_bind (socket, any, FALSE, NULL));
  bound = g_socket_get_local_address (socket, NULL);
  *port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  return socket;
}

START_TEST (nobody_there)
{
  guint16 port;
  g_autoptr (GSocket) taken = deaf_port (&port);
  g_autofree char *uri = g_strdup_printf ("ws://127.0.0.1:%u", port);
  Outcome outcome = { 0 };
  g_autoptr (IcsNetworkProbe) probe = ics_network_probe_new (uri);

  ics_network_probe_run_async (probe, NULL, on_probed, &outcome);
  ck_assert (!outcome.done);
  wait_for (&outcome);
  ck_assert_ptr_nonnull (outcome.report);
  ck_assert_int_eq (ics_network_report_get_server_state (outcome.report), ICS_SERVER_UNREACHABLE);
  ck_assert_ptr_nonnull (ics_network_report_get_server_error (outcome.report));
  ck_assert (ics_network_report_get_server_rtt_ms (outcome.report) < 0);
  ck_assert_str_eq (ics_network_report_get_udp (outcome.report), "unknown");
  ck_assert_str_eq (ics_network_report_get_mapping (outcome.report), "unknown");
  ck_assert_uint_eq (ics_network_report_get_n_relays (outcome.report), 0);
  ck_assert_str_eq (ics_network_report_get_port_mapping (outcome.report, ICS_MAPPING_UPNP), "unknown");
  ics_network_report_unref (outcome.report);
}
END_TEST

START_TEST (bad_words)
{
  static const char *const wrong[] = { "no turn server", NULL };
  g_autoptr (IcsNetworkProbe) probe
      = ics_network_probe_new (_i == 0 ? "ftp://127.0.0.1" : "ws://127.0.0.1:9");
  Outcome outcome = { 0 };

  if (_i == 1)
    g_object_set (probe, "turn-uris", wrong, NULL);
  if (_i == 2)
    g_object_set (probe, "turn-ca-file", "/none", NULL);
  ics_network_probe_run_async (probe, NULL, on_probed, &outcome);
  wait_for (&outcome);
  ck_assert (g_error_matches (outcome.error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT));
  g_clear_error (&outcome.error);
}
END_TEST

static gboolean
cancel (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return G_SOURCE_REMOVE;
}

/* _i: rounds of the main loop before it. A server that accepts and says nothing, and silent TURN servers. */
START_TEST (cancelled)
{
  static const char *const turn[]
      = { "turn:alice:secret@127.0.0.1:9", "turns:alice:secret@127.0.0.1:9", NULL };
  guint16 port;
  g_autoptr (GSocket) deaf = deaf_port (&port);
  g_autofree char *uri = g_strdup_printf ("ws://127.0.0.1:%u", port);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (IcsNetworkProbe) probe
      = g_object_new (ICS_TYPE_NETWORK_PROBE, "server-uri", uri, "turn-uris", turn, NULL);
  Outcome outcome = { 0 };

  if (_i % 2 == 0)
    ck_assert (g_socket_listen (deaf, NULL));
  ics_network_probe_run_async (probe, cancellable, on_probed, &outcome);
  for (int i = 0; i < _i && !outcome.done; i++)
    g_main_context_iteration (NULL, FALSE);
  g_idle_add (cancel, cancellable);
  wait_for (&outcome);
  ck_assert_ptr_null (outcome.report);
  ck_assert (g_error_matches (outcome.error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
  g_clear_error (&outcome.error);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = { { verdicts, G_N_ELEMENTS (rows) },
                              { rows_and_protocols, 1 },
                              { nobody_there, 1 },
                              { bad_words, 3 },
                              { cancelled, 12 } };

  isolate ();
  return run_loops ("network-report", tests, G_N_ELEMENTS (tests));
}
