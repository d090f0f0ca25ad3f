/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/exits.h"
#include "cli/verbs.h"
#include <errno.h>
#include <glib-unix.h>
#include <session/ice-session.h>
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
on_probed (G_GNUC_UNUSED GObject *source, GAsyncResult *result, gpointer user_data)
{
  Probe *self = user_data;

  self->report = ics_probe_network_finish (result, &self->error);
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

/* --- as an event --- */

static const char *
state_name (IcsServerState state)
{
  switch (state)
    {
    case ICS_SERVER_REACHABLE:
      return "reachable";
    case ICS_SERVER_UNREACHABLE:
      return "unreachable";
    case ICS_SERVER_CAPTIVE:
      return "captive";
    case ICS_SERVER_REFUSING:
      return "refusing";
    }
  return "unknown";
}

/* What was not measured is null. */
static void
set_ms (JsonObject *event, const char *name, double ms)
{
  if (ms < 0)
    json_object_set_null_member (event, name);
  else
    json_object_set_double_member (event, name, ms);
}

static void
set_text (JsonObject *event, const char *name, const char *text)
{
  if (text == NULL)
    json_object_set_null_member (event, name);
  else
    json_object_set_string_member (event, name, text);
}

static void
set_list (JsonObject *event, const char *name, const char *const *list)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; list[i] != NULL; i++)
    json_array_add_string_element (array, list[i]);
  json_object_set_array_member (event, name, array);
}

static void
set_relays (JsonObject *event, IcsNetworkReport *report)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < ics_network_report_get_n_relays (report); i++)
    {
      JsonObject *relay = json_object_new ();

      json_object_set_string_member (relay, "uri", ics_network_report_get_relay_uri (report, i));
      json_object_set_string_member (relay, "transport", "udp");
      set_text (relay, "address", ics_network_report_get_relay_address (report, i));
      set_ms (relay, "setup_ms", ics_network_report_get_relay_setup_ms (report, i));
      json_array_add_object_element (array, relay);
    }
  json_object_set_array_member (event, "relays", array);
}

static void
emit (CliContext *context, IcsNetworkReport *report)
{
  JsonObject *event = cli_event_new ("probe");

  set_text (event, "server", context->settings->server);
  set_text (event, "server_state", state_name (ics_network_report_get_server_state (report)));
  set_text (event, "server_error", ics_network_report_get_server_error (report));
  set_ms (event, "server_rtt_ms", ics_network_report_get_server_rtt_ms (report));
  set_text (event, "proxy", ics_network_report_get_proxy (report));
  set_list (event, "local_addresses", ics_network_report_get_local_addresses (report));
  set_list (event, "mapped_addresses", ics_network_report_get_mapped_addresses (report));
  set_text (event, "udp", ics_network_report_get_udp (report));
  set_text (event, "nat", ics_network_report_get_nat (report));
  set_text (event, "mapping", ics_network_report_get_mapping (report));
  set_text (event, "mapping_varies", ics_network_report_get_mapping_varies (report));
  set_text (event, "filtering", ics_network_report_get_filtering (report));
  set_text (event, "ports", ics_network_report_get_ports (report));
  set_text (event, "hairpin", ics_network_report_get_hairpin (report));
  set_ms (event, "stun_rtt_ms", ics_network_report_get_stun_rtt_ms (report));
  set_relays (event, report);
  set_text (event, "verdict", ics_network_report_get_verdict (report));
  cli_events_emit (context->events, event);
}

/* --- for people --- */

static char *
join (const char *const *list)
{
  return list[0] != NULL ? g_strjoinv (", ", (char **)list) : g_strdup ("unknown");
}

static char *
describe_server (CliContext *context, IcsNetworkReport *report)
{
  const char *error = ics_network_report_get_server_error (report);
  double rtt = ics_network_report_get_server_rtt_ms (report);

  if (error != NULL)
    return g_strdup_printf ("%s: %s (%s)", context->settings->server,
                            state_name (ics_network_report_get_server_state (report)), error);
  return rtt < 0 ? g_strdup_printf ("%s: reachable", context->settings->server)
                 : g_strdup_printf ("%s: reachable, %.0f ms", context->settings->server, rtt);
}

static char *
describe_udp (IcsNetworkReport *report)
{
  const char *udp = ics_network_report_get_udp (report);
  double rtt = ics_network_report_get_stun_rtt_ms (report);

  if (g_str_equal (udp, "yes"))
    return rtt < 0 ? g_strdup ("works") : g_strdup_printf ("works, %.0f ms to the nearest STUN server", rtt);
  return g_strdup (g_str_equal (udp, "no") ? "no STUN server answered: it is blocked, or they are down"
                                           : "unknown: there was no STUN server to ask");
}

static char *
describe_nat (IcsNetworkReport *report)
{
  const char *nat = ics_network_report_get_nat (report);

  return g_strdup (g_str_equal (nat, "yes")  ? "there is one"
                   : g_str_equal (nat, "no") ? "there is none"
                                             : nat);
}

static char *
describe_mapping (IcsNetworkReport *report)
{
  const char *mapping = ics_network_report_get_mapping (report);
  const char *varies = ics_network_report_get_mapping_varies (report);

  if (!g_str_equal (mapping, "unknown") || g_str_equal (varies, "unknown"))
    return g_strdup (mapping);
  return g_strdup (g_str_equal (varies, "yes") ? "depends on the destination"
                                               : "the same for all ports of one address");
}

static void
say_relays (GString *text, IcsNetworkReport *report)
{
  guint n = ics_network_report_get_n_relays (report);

  if (n == 0)
    g_string_append (text, "relays:         none to try\n");
  for (guint i = 0; i < n; i++)
    {
      const char *address = ics_network_report_get_relay_address (report, i);

      g_string_append_printf (text, "%s%s: ", i == 0 ? "relays:         " : "                ",
                              ics_network_report_get_relay_uri (report, i));
      if (address != NULL)
        g_string_append_printf (text, "works, at %s after %.0f ms\n", address,
                                ics_network_report_get_relay_setup_ms (report, i));
      else
        g_string_append (text, "gave no relay\n");
    }
}

static char *
compose (CliContext *context, IcsNetworkReport *report)
{
  GString *text = g_string_new (NULL);
  const char *proxy = ics_network_report_get_proxy (report);
  g_autofree char *server = describe_server (context, report);
  g_autofree char *local = join (ics_network_report_get_local_addresses (report));
  g_autofree char *mapped = join (ics_network_report_get_mapped_addresses (report));
  g_autofree char *udp = describe_udp (report);
  g_autofree char *nat = describe_nat (report);
  g_autofree char *mapping = describe_mapping (report);

  g_string_append_printf (text, "server:         %s\n", server);
  g_string_append_printf (text, "proxy:          %s\n", proxy != NULL ? proxy : "none");
  g_string_append_printf (text, "own addresses:  %s\n", local);
  g_string_append_printf (text, "seen from:      %s\n", mapped);
  g_string_append_printf (text, "UDP:            %s\n", udp);
  g_string_append_printf (text, "NAT:            %s\n", nat);
  g_string_append_printf (text, "  mapping:      %s\n", mapping);
  g_string_append_printf (text, "  filtering:    %s\n", ics_network_report_get_filtering (report));
  g_string_append_printf (text, "  ports:        %s\n", ics_network_report_get_ports (report));
  g_string_append_printf (text, "  hairpin:      %s\n", ics_network_report_get_hairpin (report));
  say_relays (text, report);
  g_string_append_printf (text, "%s\n", ics_network_report_get_verdict (report));
  return g_string_free (text, FALSE);
}

/* The result: on standard output, unless the events are there. */
static gboolean
print (CliContext *context, IcsNetworkReport *report, GError **error)
{
  g_autofree char *text = compose (context, report);

  if (context->settings->json || (fputs (text, stdout) >= 0 && fflush (stdout) == 0))
    return TRUE;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
               "standard output does not take the result: %s", g_strerror (errno));
  return FALSE;
}

/* As ics_probe_network_async() wants them. (transfer full) */
static char **
list_turn_uris (const CliSettings *settings)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  if (settings->turn_uris != NULL)
    g_strv_builder_addv (builder, (const char **)settings->turn_uris);
  if (settings->no_server_turn)
    g_strv_builder_add (builder, "none");
  return g_strv_builder_end (builder);
}

static void
run (CliContext *context, Probe *self)
{
  const CliSettings *settings = context->settings;
  g_auto (GStrv) turn = list_turn_uris (settings);
  guint sigint = g_unix_signal_add (SIGINT, on_sigint, self);
  guint sigterm = g_unix_signal_add (SIGTERM, on_sigterm, self);

  cli_term_say (context->term, "asking %s and its servers; this takes some seconds", settings->server);
  ics_probe_network_async (settings->server, (const char *const *)turn, settings->family, self->cancellable,
                           on_probed, self);
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
    emit (context, self.report);
  if (self.report != NULL && !print (context, self.report, &self.error))
    status = CLI_EXIT_IO;
  g_clear_pointer (&self.report, ics_network_report_unref);
  g_main_loop_unref (self.loop);
  g_object_unref (self.cancellable);
  if (self.error != NULL)
    g_propagate_error (error, self.error);
  return status;
}
