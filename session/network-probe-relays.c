/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/network-probe-private.h"
#include "session/server-way.h"

/* The relays: a trial for each server and transport, all at a time. */

static void
on_trial (IcsRelayTrial *trial, const IcsRelayTrialResult *result, gpointer user_data)
{
  IcsNetworkProbe *self = user_data;

  for (guint i = 0; i < self->n_trials; i++)
    if (self->trials[i] == trial)
      {
        ics_network_report_set_relay (self->report, i, result);
        self->trials[i] = NULL;
        self->trials_left--;
      }
  ics_relay_trial_free (trial, ics_network_probe_closed, self);
  ics_network_probe_end_if_done (self);
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
start_trial (IcsNetworkProbe *self, const IcsTurnServer *server)
{
  IcsRelayTrialConfig config
      = { .server = server, .ca = self->turn_ca, .family = self->family, .context = self->context };
  g_autofree char *uri = ics_turn_server_to_uri (server);

  if (is_listed (self->report, uri))
    return;
  ics_network_report_add_relay (self->report, uri, server->transport);
  self->trials[self->n_trials++] = ics_relay_trial_start (&config, on_trial, ics_network_probe_open (self));
}

void
ics_network_probe_try_relays (IcsNetworkProbe *self)
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
ics_network_probe_stop_relays (IcsNetworkProbe *self)
{
  for (guint i = 0; i < self->n_trials; i++)
    if (self->trials[i] != NULL)
      ics_relay_trial_free (g_steal_pointer (&self->trials[i]), ics_network_probe_closed, self);
}
