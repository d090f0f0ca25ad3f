/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/probe-run.h"

/* What stands between this host and the internet: how it maps and filters, and whether it maps a port when it
 * is asked. */

#define LOOKUP_MS 3000
/* Servers to compare what they see; one of them may have no second address. */
#define STUN_SERVERS_MAX 2

/* --- STUN --- */

static void
on_behavior (const IcsNatBehavior *behavior, gpointer user_data)
{
  IcsProbeRun *self = user_data;

  self->nat = *behavior;
  self->nat_done = TRUE;
  g_clear_pointer (&self->prober, ics_nat_prober_free);
  ics_probe_run_end_if_done (self);
}

/* Where the TURN server answers on its next port as well, that is another destination. */
static void
add_next_port (IcsProbeRun *self)
{
  GInetSocketAddress *first = self->addresses->pdata[0];
  guint16 port = g_inet_socket_address_get_port (first);

  if (port < G_MAXUINT16)
    g_ptr_array_add (self->addresses,
                     g_inet_socket_address_new (g_inet_socket_address_get_address (first), port + 1));
}

static void
start_prober (IcsProbeRun *self)
{
  IcsNatProberConfig config = { .servers = self->addresses, .context = self->context };

  if (self->addresses->len > 0)
    {
      add_next_port (self);
      self->prober = ics_nat_prober_start (&config, on_behavior, self);
    }
  self->nat_done = self->prober == NULL;
  ics_probe_run_end_if_done (self);
}

static void
on_server (const IcsServerFound *found, gpointer user_data)
{
  IcsProbeRun *self = user_data;
  GInetSocketAddress *first = self->addresses->len > 0 ? self->addresses->pdata[0] : NULL;

  self->lookup = NULL;
  if (found->server != NULL
      && (first == NULL
          || g_socket_address_get_family (G_SOCKET_ADDRESS (first))
                 == g_socket_address_get_family (G_SOCKET_ADDRESS (found->server))))
    g_ptr_array_add (self->addresses, g_object_ref (found->server));
  ics_probe_run_look_at_nat (self);
}

/* One server's name after the other. */
void
ics_probe_run_look_at_nat (IcsProbeRun *self)
{
  while (self->looked_up < self->servers->len && self->addresses->len < STUN_SERVERS_MAX)
    {
      const IcsTurnServer *server = self->servers->pdata[self->looked_up++];
      IcsServerLookupConfig config = { .host = server->host,
                                       .port = server->port,
                                       .family = self->family,
                                       .context = self->context,
                                       .timeout_ms = LOOKUP_MS };

      if (server->transport != ICS_TURN_UDP)
        continue;
      self->lookup = ics_server_lookup_start (&config, on_server, self);
      return;
    }
  start_prober (self);
}

/* --- the gateway --- */

static void
on_findings (const IcsGatewayFinding *findings, gpointer user_data)
{
  IcsProbeRun *self = user_data;

  self->survey = NULL;
  if (self->report != NULL)
    ics_network_report_set_gateway (self->report, findings);
  if (!self->ending)
    ics_probe_run_end_if_done (self);
  ics_probe_run_closed (self);
}

void
ics_probe_run_ask_gateway (IcsProbeRun *self)
{
  self->survey
      = ics_gateway_survey_start (self->family, self->context, on_findings, ics_probe_run_open (self));
}

void
ics_probe_run_stop_nat (IcsProbeRun *self)
{
  if (self->lookup != NULL)
    ics_server_lookup_cancel (g_steal_pointer (&self->lookup));
  g_clear_pointer (&self->prober, ics_nat_prober_free);
  if (self->survey != NULL)
    ics_gateway_survey_stop (self->survey);
}
