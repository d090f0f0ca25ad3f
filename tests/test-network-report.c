/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The report on a network: what it concludes, and the probe where there is little to find. */
#include "session/ice-session.h"
#include "session/network-report-private.h"
#include "tests/suite.h"
#include <string.h>

typedef struct
{
  IcsServerState server;
  IcsNatBehavior nat;
  gboolean relay;
  const char *says;
} Row;

#define UP .answered = ICS_FACT_YES, .translated = ICS_FACT_YES

static const Row rows[] = {
  { ICS_SERVER_UNREACHABLE, { 0 }, FALSE, "no session can begin" },
  { ICS_SERVER_CAPTIVE, { UP }, TRUE, "log in to this network" },
  { ICS_SERVER_REFUSING, { UP }, TRUE, "refuses this host" },
  { ICS_SERVER_REACHABLE, { 0 }, FALSE, "no STUN server to ask" },
  { ICS_SERVER_REACHABLE, { .answered = ICS_FACT_NO }, FALSE, "through the rendezvous server" },
  { ICS_SERVER_REACHABLE, { .answered = ICS_FACT_NO }, TRUE, "through a TURN relay" },
  { ICS_SERVER_REACHABLE, { UP }, TRUE, "is not known" },
  { ICS_SERVER_REACHABLE, { UP, .mapping_varies = ICS_FACT_NO }, TRUE, "with most peers" },
  { ICS_SERVER_REACHABLE, { UP, .mapping_varies = ICS_FACT_YES }, TRUE, "a TURN relay carries the others" },
  { ICS_SERVER_REACHABLE,
    { UP, .mapping_varies = ICS_FACT_YES },
    FALSE,
    "the rendezvous server carries the others" },
  { ICS_SERVER_REACHABLE,
    { .answered = ICS_FACT_YES, .translated = ICS_FACT_NO, .filtering = ICS_NAT_ENDPOINT_INDEPENDENT },
    FALSE,
    "no NAT and no filter" },
  { ICS_SERVER_REACHABLE,
    { .answered = ICS_FACT_YES, .translated = ICS_FACT_NO },
    FALSE,
    "there is no NAT: direct connections will work with most" },
};

START_TEST (verdicts)
{
  const Row *row = &rows[_i];
  g_autoptr (IcsNetworkReport) report = ics_network_report_new ();

  report->server_state = row->server;
  if (row->relay)
    ics_network_report_add_relay (report, "turn:203.0.113.1", "203.0.113.1", 20);
  ics_network_report_add_relay (report, "turn:203.0.113.2", NULL, -1);
  ics_network_report_seal (report, &row->nat);
  ck_assert_msg (strstr (ics_network_report_get_verdict (report), row->says) != NULL, "%s",
                 ics_network_report_get_verdict (report));
  ck_assert_ptr_null (strchr (ics_network_report_get_verdict (report), '\n'));
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

  outcome->report = ics_probe_network_finish (result, &outcome->error);
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

  ics_probe_network_async (uri, NULL, 0, NULL, on_probed, &outcome);
  ck_assert (!outcome.done);
  wait_for (&outcome);
  ck_assert_ptr_nonnull (outcome.report);
  ck_assert_int_eq (ics_network_report_get_server_state (outcome.report), ICS_SERVER_UNREACHABLE);
  ck_assert_ptr_nonnull (ics_network_report_get_server_error (outcome.report));
  ck_assert (ics_network_report_get_server_rtt_ms (outcome.report) < 0);
  ck_assert_str_eq (ics_network_report_get_udp (outcome.report), "unknown");
  ck_assert_str_eq (ics_network_report_get_mapping (outcome.report), "unknown");
  ck_assert_uint_eq (ics_network_report_get_n_relays (outcome.report), 0);
  ics_network_report_unref (outcome.report);
}
END_TEST

START_TEST (bad_uris)
{
  static const char *const wrong[] = { "no turn server", NULL };
  Outcome outcome = { 0 };

  ics_probe_network_async ("ftp://127.0.0.1", NULL, 0, NULL, on_probed, &outcome);
  wait_for (&outcome);
  ck_assert (g_error_matches (outcome.error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT));
  g_clear_error (&outcome.error);
  outcome.done = FALSE;
  ics_probe_network_async ("ws://127.0.0.1:9", wrong, 0, NULL, on_probed, &outcome);
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

/* _i: rounds of the main loop before it. A server that accepts and says nothing, and a silent TURN server. */
START_TEST (cancelled)
{
  static const char *const turn[] = { "turn:alice:secret@127.0.0.1:9", NULL };
  guint16 port;
  g_autoptr (GSocket) deaf = deaf_port (&port);
  g_autofree char *uri = g_strdup_printf ("ws://127.0.0.1:%u", port);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Outcome outcome = { 0 };

  if (_i % 2 == 0)
    ck_assert (g_socket_listen (deaf, NULL));
  ics_probe_network_async (uri, turn, 0, cancellable, on_probed, &outcome);
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
  const SuiteLoop tests[]
      = { { verdicts, G_N_ELEMENTS (rows) }, { nobody_there, 1 }, { bad_uris, 1 }, { cancelled, 12 } };

  return run_loops ("network-report", tests, G_N_ELEMENTS (tests));
}
