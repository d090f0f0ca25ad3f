/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The probe with a rendezvous server and a TURN server of its own. Over UDP the relay's trial alone: a probe
 * also asks what the NAT does, and waits for silence. */
#include "session/ice-session.h"
#include "session/relay-trial.h"
#include "tests/certificate.h"
#include "tests/coturn.h"
#include "tests/ice-side.h"
#include "tests/suite.h"
#include "tests/wait.h"
#include <glib/gstdio.h>
#include <string.h>

typedef struct
{
  IcsServer *server;
  char *url;
  Coturn *coturn;
  char *dir, *certificate, *other;
  gboolean done;
  IcsNetworkReport *report;
} World;

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

/* The TURN server is none of the rendezvous server's, so that one test needs no other's secret. */
static void
world_init (World *w)
{
  static const char *const loopback[] = { "127.0.0.1:0", NULL }, *const none[] = { "none", NULL };

  memset (w, 0, sizeof *w);
  w->dir = g_mkdtemp (g_strdup ("/tmp/ice-session-test-XXXXXX"));
  w->certificate = certificate_write (w->dir, "own.pem", "127.0.0.1");
  w->other = certificate_write (w->dir, "other.pem", "127.0.0.1");
  w->coturn = coturn_start_streams ("127.0.0.1", "127.0.0.1", w->certificate);
  w->server
      = g_object_new (ICS_TYPE_SERVER, "listen", loopback, "turn-uris", none, "state-dir", w->dir, NULL);
  g_signal_connect (w->server, "listening", G_CALLBACK (on_listening), &w->url);
  ck_assert (ics_server_start (w->server, NULL));
}

static void
world_clear (World *w)
{
  gboolean stopped = FALSE;

  ics_server_stop_async (w->server, NULL, on_stopped, &stopped);
  WAIT (is_true, &stopped);
  g_object_unref (w->server);
  coturn_stop (w->coturn);
  spin ();
  g_unlink (w->certificate);
  g_unlink (w->other);
  ck_assert_int_eq (g_rmdir (w->dir), 0);
  g_free (w->certificate);
  g_free (w->other);
  g_free (w->dir);
  g_free (w->url);
  g_clear_pointer (&w->report, ics_network_report_unref);
}

static void
on_probed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  World *w = user_data;

  w->report = ics_network_probe_run_finish (ICS_NETWORK_PROBE (source), result, NULL);
  w->done = TRUE;
}

static char *
uri (World *w, const char *user, const char *transport)
{
  if (g_str_equal (transport, "tls"))
    return g_strdup_printf ("turns:%s:secret@127.0.0.1:%u", user, coturn_get_tls_port (w->coturn));
  return g_strdup_printf ("turn:%s:secret@127.0.0.1:%u?transport=%s", user, coturn_get_port (w->coturn),
                          transport);
}

static void
probe (World *w, const char *const *uris, const char *ca)
{
  g_autoptr (IcsNetworkProbe) probe = g_object_new (ICS_TYPE_NETWORK_PROBE, "server-uri", w->url, "turn-uris",
                                                    uris, "turn-ca-file", ca, "port-mapping", FALSE, NULL);
  guint safety = add_safety ("the probe");

  g_clear_pointer (&w->report, ics_network_report_unref);
  w->done = FALSE;
  ics_network_probe_run_async (probe, NULL, on_probed, w);
  WAIT (is_true, &w->done);
  g_source_remove (safety);
  ck_assert_ptr_nonnull (w->report);
  ck_assert_int_eq (ics_network_report_get_server_state (w->report), ICS_SERVER_REACHABLE);
  ck_assert_str_eq (ics_network_report_get_port_mapping (w->report, ICS_MAPPING_PCP), "not asked");
}

static void
expect_relay (World *w, guint i, const char *transport)
{
  ck_assert_str_eq (ics_network_report_get_relay_transport (w->report, i), transport);
  ck_assert_msg (ics_network_report_get_relay_error (w->report, i) == NULL, "%s: %s", transport,
                 ics_network_report_get_relay_error (w->report, i));
  ck_assert_str_eq (ics_network_report_get_relay_address (w->report, i), "127.0.0.1");
  ck_assert (ics_network_report_get_relay_setup_ms (w->report, i) > 0);
  ck_assert (ics_network_report_get_relay_rtt_ms (w->report, i) > 0);
}

/* The quota is one allocation a user: the second round works only if the first gave its own back before it
 * ended. The rows are in the order of the transports; what is named twice is tried once. */
START_TEST (over_streams)
{
  World w;
  char *uris[4] = { NULL };

  world_init (&w);
  uris[0] = uri (&w, "user0", "tls");
  uris[1] = uri (&w, "bob", "tcp");
  uris[2] = uri (&w, "user1", "tcp");
  for (guint round = 0; round < 2; round++)
    {
      probe (&w, (const char *const *)uris, w.certificate);
      ck_assert_uint_eq (ics_network_report_get_n_relays (w.report), 2);
      expect_relay (&w, 0, "tcp");
      expect_relay (&w, 1, "tls");
    }
  for (guint i = 0; i < 3; i++)
    g_free (uris[i]);
  world_clear (&w);
}
END_TEST

typedef struct
{
  gboolean told, closed;
  char *address, *error;
  double setup_ms, rtt_ms;
} Trial;

static void
on_trial (IcsRelayTrial *self, const IcsRelayTrialResult *result, gpointer user_data)
{
  Trial *trial = user_data;

  trial->told = TRUE;
  trial->address = g_strdup (result->address);
  trial->error = g_strdup (result->error);
  trial->setup_ms = result->setup_ms;
  trial->rtt_ms = result->rtt_ms;
  ics_relay_trial_free (self, set_true, &trial->closed);
}

/* _i: 1 with a user whom the server does not know. */
START_TEST (over_udp)
{
  Trial trial = { 0 };
  World w;
  g_autoptr (IcsTurnServer) server = NULL;
  g_autofree char *text = NULL;
  IcsRelayTrialConfig config = { .context = g_main_context_default () };

  world_init (&w);
  text = uri (&w, _i == 1 ? "mallory" : "alice", "udp");
  config.server = server = ics_turn_server_parse (text, NULL);
  ics_relay_trial_start (&config, on_trial, &trial);
  ck_assert (!trial.told);
  WAIT (is_true, &trial.told);
  WAIT (is_true, &trial.closed);
  if (_i == 0)
    {
      ck_assert_str_eq (trial.address, "127.0.0.1");
      ck_assert_ptr_null (trial.error);
      ck_assert (trial.setup_ms > 0 && trial.rtt_ms > 0);
    }
  else
    {
      ck_assert_ptr_null (trial.address);
      ck_assert_str_eq (trial.error, "refused: wrong or expired credentials (401)");
      ck_assert (trial.setup_ms < 0);
    }
  g_free (trial.address);
  g_free (trial.error);
  world_clear (&w);
}
END_TEST

typedef struct
{
  const char *user, *transport;
  gboolean trusted;
  const char *error;
} Refusal;

static const Refusal refusals[] = {
  { "mallory", "tcp", TRUE, "refused: wrong or expired credentials (401)" },
  { "mallory", "tls", TRUE, "refused: wrong or expired credentials (401)" },
  { "alice", "tls", FALSE, "its certificate is not trusted" },
};

START_TEST (refused)
{
  const Refusal *refusal = &refusals[_i];
  World w;
  char *uris[2] = { NULL };

  world_init (&w);
  uris[0] = uri (&w, refusal->user, refusal->transport);
  probe (&w, (const char *const *)uris, refusal->trusted ? w.certificate : w.other);
  ck_assert_uint_eq (ics_network_report_get_n_relays (w.report), 1);
  ck_assert_str_eq (ics_network_report_get_relay_transport (w.report, 0), refusal->transport);
  ck_assert_ptr_null (ics_network_report_get_relay_address (w.report, 0));
  ck_assert (ics_network_report_get_relay_setup_ms (w.report, 0) < 0);
  ck_assert_msg (strstr (ics_network_report_get_relay_error (w.report, 0), refusal->error) != NULL, "%s",
                 ics_network_report_get_relay_error (w.report, 0));
  g_free (uris[0]);
  world_clear (&w);
}
END_TEST

/* What is no TURN server at all: the rendezvous server, and a port where nobody is. */
START_TEST (nobody_there)
{
  World w;
  const char *wrong[3] = { NULL };
  g_autofree char *rendezvous = NULL;

  world_init (&w);
  rendezvous = g_strdup_printf ("turn:alice:secret@%s?transport=tcp", w.url + strlen ("ws://"));
  wrong[0] = rendezvous;
  wrong[1] = "turns:alice:secret@127.0.0.1:9";
  probe (&w, wrong, NULL);
  ck_assert_uint_eq (ics_network_report_get_n_relays (w.report), 2);
  for (guint i = 0; i < 2; i++)
    ck_assert_ptr_null (ics_network_report_get_relay_address (w.report, i));
  ck_assert_msg (strstr (ics_network_report_get_relay_error (w.report, 0), "no TURN server") != NULL, "%s",
                 ics_network_report_get_relay_error (w.report, 0));
  ck_assert_msg (strstr (ics_network_report_get_relay_error (w.report, 1), "no connection to") != NULL, "%s",
                 ics_network_report_get_relay_error (w.report, 1));
  world_clear (&w);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[]
      = { { over_streams, 1 }, { over_udp, 2 }, { refused, G_N_ELEMENTS (refusals) }, { nobody_there, 1 } };

  isolate ();
  return run_loops ("network-probe", tests, G_N_ELEMENTS (tests));
}
