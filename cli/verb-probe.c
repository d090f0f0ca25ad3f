/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/exits.h"
#include "cli/probe-report.h"
#include "cli/verbs.h"
#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>

typedef struct
{
  GMainLoop *loop;
  GCancellable *cancellable;
  IcsNetworkReport *report;
  GError *error;
  int signal;
} Probe;

static void
on_probed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Probe *self = user_data;

  self->report = ics_network_probe_run_finish (ICS_NETWORK_PROBE (source), result, &self->error);
  g_main_loop_quit (self->loop);
}

static gboolean
on_sigint (gpointer user_data)
{
  ((Probe *)user_data)->signal = SIGINT;
  g_cancellable_cancel (((Probe *)user_data)->cancellable);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_sigterm (gpointer user_data)
{
  ((Probe *)user_data)->signal = SIGTERM;
  g_cancellable_cancel (((Probe *)user_data)->cancellable);
  return G_SOURCE_CONTINUE;
}

/* The result: on standard output, unless the events are there. */
static gboolean
print (CliContext *context, IcsNetworkReport *report, GError **error)
{
  g_autofree char *text = cli_probe_describe (context->settings->server, report);

  if (context->settings->json || (fputs (text, stdout) >= 0 && fflush (stdout) == 0))
    return TRUE;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
               "standard output does not take the result: %s", g_strerror (errno));
  return FALSE;
}

static void
run (CliContext *context, Probe *self)
{
  const CliSettings *settings = context->settings;
  g_autoptr (IcsNetworkProbe) probe = g_object_new (
      ICS_TYPE_NETWORK_PROBE, "server-uri", settings->server, "turn-uris", settings->turn_uris, "server-turn",
      !settings->no_server_turn, "turn-ca-file", settings->turn_ca, "family", settings->family,
      "port-mapping", !settings->no_port_mapping, NULL);
  guint sigint = g_unix_signal_add (SIGINT, on_sigint, self);
  guint sigterm = g_unix_signal_add (SIGTERM, on_sigterm, self);

  cli_term_say (context->term, "asking %s, its servers and this network's router; this takes some seconds",
                settings->server);
  ics_network_probe_run_async (probe, self->cancellable, on_probed, self);
  g_main_loop_run (self->loop);
  g_source_remove (sigint);
  g_source_remove (sigterm);
}

int
cli_verb_probe (CliContext *context, GError **error)
{
  Probe self = { 0 };
  int status = CLI_EXIT_OK;

  if (!cli_settings_check_server (context->settings, error))
    return CLI_EXIT_USAGE;
  self.loop = g_main_loop_new (NULL, FALSE);
  self.cancellable = g_cancellable_new ();
  run (context, &self);
  if (self.report == NULL)
    status = self.signal != 0 ? CLI_EXIT_SIGNAL + self.signal : cli_exit_from_error (self.error);
  else if (ics_network_report_get_server_state (self.report) != ICS_SERVER_REACHABLE)
    status = CLI_EXIT_SERVER;
  if (self.report != NULL)
    cli_events_emit (context->events, cli_probe_to_event (context->settings->server, self.report));
  if (self.report != NULL && !print (context, self.report, &self.error))
    status = CLI_EXIT_IO;
  g_clear_pointer (&self.report, ics_network_report_unref);
  g_main_loop_unref (self.loop);
  g_object_unref (self.cancellable);
  if (self.error != NULL)
    g_propagate_error (error, self.error);
  return status;
}
