/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/port-slot.h"
#include "session/network-report-private.h"

/* What a report comes to, in one line. */

static gboolean
has_relay_over (const IcsNetworkReport *self, IcsTurnTransport transport)
{
  for (guint i = 0; i < self->relays->len; i++)
    {
      const IcsReportedRelay *relay = &g_array_index (self->relays, IcsReportedRelay, i);

      if (relay->address != NULL && relay->transport == transport)
        return TRUE;
    }
  return FALSE;
}

static gboolean
has_relay (const IcsNetworkReport *self)
{
  return has_relay_over (self, ICS_TURN_UDP) || has_relay_over (self, ICS_TURN_TCP)
         || has_relay_over (self, ICS_TURN_TLS);
}

/* To an address that the internet can reach: no other NAT is in front. */
static gboolean
can_map (const IcsNetworkReport *self)
{
  for (guint i = 0; i < ICS_GATEWAY_N_PROTOCOLS; i++)
    if (self->gateway[i].maps == ICS_FACT_YES && ics_port_mapping_is_outside (self->gateway[i].external))
      return TRUE;
  return FALSE;
}

static const char *
judge_server (const IcsNetworkReport *self)
{
  switch (self->server_state)
    {
    case ICS_SERVER_REACHABLE:
      return NULL;
    case ICS_SERVER_UNREACHABLE:
      return "the rendezvous server is not reachable: no session can begin";
    case ICS_SERVER_CAPTIVE:
      return "something else answers in the rendezvous server's place: log in to this network with a "
             "browser, or ask "
             "for a proxy that lets WebSockets pass";
    case ICS_SERVER_REFUSING:
      return "the rendezvous server refuses this host for now";
    }
  return NULL;
}

/* With UDP. */
static const char *
judge_nat (const IcsNetworkReport *self)
{
  const IcsNatBehavior *nat = &self->nat;

  if (nat->translated == ICS_FACT_NO)
    return nat->filtering == ICS_NAT_ENDPOINT_INDEPENDENT
               ? "there is no NAT and no filter: direct connections will work with every peer that has UDP"
               : "there is no NAT: direct connections will work with most peers";
  if (can_map (self))
    return "the router maps a port when it is asked: direct connections will work with every peer that has "
           "UDP";
  if (nat->mapping_varies == ICS_FACT_YES)
    return has_relay (self)
               ? "the NAT gives each destination another port: direct connections will work with some "
                 "peers, a TURN relay carries the others"
               : "the NAT gives each destination another port: direct connections will work with some "
                 "peers, the rendezvous server carries the others";
  if (nat->mapping_varies == ICS_FACT_NO)
    return "direct connections will work with most peers";
  return "UDP works, but how the NAT behaves could not be measured: whether direct connections will work is "
         "not known";
}

/* Without. */
static const char *
judge_relays (const IcsNetworkReport *self)
{
  if (has_relay_over (self, ICS_TURN_UDP))
    return "no STUN server answered over UDP: sessions will go through a TURN relay";
  if (has_relay_over (self, ICS_TURN_TCP))
    return "no STUN server answered over UDP: sessions will go through a TURN relay over TCP, "
           "if not directly over TCP";
  if (has_relay_over (self, ICS_TURN_TLS))
    return "no STUN server answered over UDP: sessions will go through a TURN relay over TLS";
  return "no STUN server answered over UDP: sessions will go through the rendezvous server";
}

const char *
ics_network_report_judge (const IcsNetworkReport *self)
{
  const char *server = judge_server (self);

  if (server != NULL)
    return server;
  switch (self->nat.answered)
    {
    case ICS_FACT_YES:
      return judge_nat (self);
    case ICS_FACT_NO:
      return judge_relays (self);
    case ICS_FACT_UNKNOWN:
      return "there is no STUN server to ask: whether direct connections will work is not known";
    }
  return "";
}
