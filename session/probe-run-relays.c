/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/probe-run.h"
#include "session/server-way.h"

/* The relays: a trial for each server and transport, all at a time. */

static void
on_trial (IcsRelayTrial *trial, const IcsRelayTrialResult *result, gpointer user_data)
{
  IcsProbeRun *self = user_data;

  for (guint i = 0; i < self->n_trials; i++)
    if (self->trials[i] == trial)
      {
        ics_network_report_set_relay (self->report, i, result);
        self->trials[i] = NULL;
        self->trials_left--;
      }
  ics_relay_trial_free (trial, ics_probe_run_closed, self);
  ics_probe_run_end_if_done (self);
}

static gboolean
is_listed (IcsNetworkReport *report, const char *uri)
{
  for (guint i = 0; i < ics_network_report_get_n_relays (report); i++)
    if (g_str_equal (ics_network_report_get_relay_uri (report, i), uri))
      return TRUE;
  return FALSE;
}

/* The rows stand in the order in which a session would take the servers. */
static void
start_trial (IcsProbeRun *self, const IcsTurnServer *server)
{
  IcsRelayTrialConfig config
      = { .server = server, .ca = self->turn_ca, .family = self->family, .context = self->context };
  g_autofree char *uri = ics_turn_server_to_uri (server);

  if (is_listed (self->report, uri))
    return;
  ics_network_report_add_relay (self->report, uri, server->transport);
  self->trials[self->n_trials++] = ics_relay_trial_start (&config, on_trial, ics_probe_run_open (self));
}

void
ics_probe_run_try_relays (IcsProbeRun *self)
{
  static const IcsTurnTransport transports[] = { ICS_TURN_UDP, ICS_TURN_TCP, ICS_TURN_TLS };

  for (guint k = 0; k < G_N_ELEMENTS (transports); k++)
    {
      guint end = self->n_trials + ICS_PROBE_RELAYS_MAX;

      for (guint i = 0; i < self->servers->len && self->n_trials < end; i++)
        {
          const IcsTurnServer *server = self->servers->pdata[i];

          /* None of a family that this host has not. */
          if (server->transport == transports[k] && !server->is_stun
              && ics_server_way (server, self->family) != ICS_WAY_NONE)
            start_trial (self, server);
        }
    }
  self->trials_left = self->n_trials;
}

void
ics_probe_run_stop_relays (IcsProbeRun *self)
{
  for (guint i = 0; i < self->n_trials; i++)
    if (self->trials[i] != NULL)
      ics_relay_trial_free (g_steal_pointer (&self->trials[i]), ics_probe_run_closed, self);
}
