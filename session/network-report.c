/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/network-report-private.h"
#include <arpa/inet.h>

/* The library's own, and the one that it shows. */
G_STATIC_ASSERT ((int)ICS_MAPPING_PCP == (int)ICS_GATEWAY_PCP);
G_STATIC_ASSERT ((int)ICS_MAPPING_NAT_PMP == (int)ICS_GATEWAY_NAT_PMP);
G_STATIC_ASSERT ((int)ICS_MAPPING_UPNP == (int)ICS_GATEWAY_UPNP);

G_DEFINE_ENUM_TYPE (IcsServerState, ics_server_state, G_DEFINE_ENUM_VALUE (ICS_SERVER_REACHABLE, "reachable"),
                    G_DEFINE_ENUM_VALUE (ICS_SERVER_UNREACHABLE, "unreachable"),
                    G_DEFINE_ENUM_VALUE (ICS_SERVER_CAPTIVE, "captive"),
                    G_DEFINE_ENUM_VALUE (ICS_SERVER_REFUSING, "refusing"))

G_DEFINE_ENUM_TYPE (IcsMappingProtocol, ics_mapping_protocol, G_DEFINE_ENUM_VALUE (ICS_MAPPING_PCP, "pcp"),
                    G_DEFINE_ENUM_VALUE (ICS_MAPPING_NAT_PMP, "nat-pmp"),
                    G_DEFINE_ENUM_VALUE (ICS_MAPPING_UPNP, "upnp"))

G_DEFINE_BOXED_TYPE (IcsNetworkReport, ics_network_report, ics_network_report_ref, ics_network_report_unref)

static void
clear_relay (gpointer data)
{
  IcsReportedRelay *relay = data;

  g_free (relay->uri);
  g_free (relay->address);
  g_free (relay->error);
}

IcsNetworkReport *
ics_network_report_new (void)
{
  IcsNetworkReport *self = g_new0 (IcsNetworkReport, 1);

  g_atomic_ref_count_init (&self->refs);
  self->server_state = ICS_SERVER_UNREACHABLE;
  self->server_rtt_ms = -1;
  self->local_addresses = g_new0 (char *, 1);
  self->mapped_addresses = g_new0 (char *, 1);
  ics_nat_behavior_init (&self->nat);
  self->relays = g_array_new (FALSE, FALSE, sizeof (IcsReportedRelay));
  g_array_set_clear_func (self->relays, clear_relay);
  return self;
}

IcsNetworkReport *
ics_network_report_ref (IcsNetworkReport *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
ics_network_report_unref (IcsNetworkReport *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_free (self->server_error);
  g_free (self->proxy);
  g_strfreev (self->local_addresses);
  g_strfreev (self->mapped_addresses);
  g_array_unref (self->relays);
  g_free (self);
}

/* --- what is found --- */

static IcsReportedRelay *
relay_at (IcsNetworkReport *self, guint i)
{
  return &g_array_index (self->relays, IcsReportedRelay, i);
}

void
ics_network_report_add_relay (IcsNetworkReport *self, const char *uri, IcsTurnTransport transport)
{
  IcsReportedRelay relay = { .uri = g_strdup (uri),
                             .transport = transport,
                             .setup_ms = -1,
                             .rtt_ms = -1,
                             .error = g_strdup ("no answer in time") };

  g_array_append_val (self->relays, relay);
}

void
ics_network_report_set_relay (IcsNetworkReport *self, guint i, const IcsRelayTrialResult *result)
{
  IcsReportedRelay *relay = relay_at (self, i);

  relay->address = g_strdup (result->address);
  relay->setup_ms = result->setup_ms;
  relay->rtt_ms = result->rtt_ms;
  g_free (relay->error);
  relay->error = g_strdup (result->error);
}

void
ics_network_report_set_gateway (IcsNetworkReport *self, const IcsGatewayFinding *findings)
{
  self->gateway_asked = TRUE;
  for (guint i = 0; i < ICS_GATEWAY_N_PROTOCOLS; i++)
    {
      struct in_addr in = { .s_addr = htonl (findings[i].external) };

      self->gateway[i] = findings[i];
      inet_ntop (AF_INET, &in, self->external[i], sizeof self->external[i]);
    }
}

/* --- conclusions --- */

static char **
list_mapped (const IcsNatBehavior *nat)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new ();

  for (guint i = 0; i < nat->n_observations; i++)
    {
      g_autoptr (GInetAddress) mapped = ics_sockaddr_to_inet (&nat->observations[i].mapped);
      g_autofree char *text = g_inet_address_to_string (mapped);

      if (!g_ptr_array_find_with_equal_func (list, text, g_str_equal, NULL))
        g_ptr_array_add (list, g_steal_pointer (&text));
    }
  g_ptr_array_add (list, NULL);
  return (char **)g_ptr_array_free (g_steal_pointer (&list), FALSE);
}

void
ics_network_report_seal (IcsNetworkReport *self, const IcsNatBehavior *nat)
{
  if (nat != NULL)
    self->nat = *nat;
  g_strfreev (self->mapped_addresses);
  self->mapped_addresses = list_mapped (&self->nat);
  self->verdict = ics_network_report_judge (self);
}

/* --- questions --- */

IcsServerState
ics_network_report_get_server_state (IcsNetworkReport *self)
{
  return self->server_state;
}

const char *
ics_network_report_get_server_error (IcsNetworkReport *self)
{
  return self->server_error;
}

double
ics_network_report_get_server_rtt_ms (IcsNetworkReport *self)
{
  return self->server_rtt_ms;
}

const char *
ics_network_report_get_proxy (IcsNetworkReport *self)
{
  return self->proxy;
}

const char *const *
ics_network_report_get_local_addresses (IcsNetworkReport *self)
{
  return (const char *const *)self->local_addresses;
}

const char *const *
ics_network_report_get_mapped_addresses (IcsNetworkReport *self)
{
  return (const char *const *)self->mapped_addresses;
}

const char *
ics_network_report_get_udp (IcsNetworkReport *self)
{
  return ics_fact_to_string (self->nat.answered);
}

const char *
ics_network_report_get_nat (IcsNetworkReport *self)
{
  return ics_fact_to_string (self->nat.translated);
}

const char *
ics_network_report_get_mapping (IcsNetworkReport *self)
{
  return ics_nat_dependence_to_string (self->nat.mapping);
}

const char *
ics_network_report_get_filtering (IcsNetworkReport *self)
{
  return ics_nat_dependence_to_string (self->nat.filtering);
}

const char *
ics_network_report_get_mapping_varies (IcsNetworkReport *self)
{
  return ics_fact_to_string (self->nat.mapping_varies);
}

const char *
ics_network_report_get_ports (IcsNetworkReport *self)
{
  return ics_nat_ports_to_string (self->nat.ports);
}

const char *
ics_network_report_get_hairpin (IcsNetworkReport *self)
{
  return ics_fact_to_string (self->nat.hairpin);
}

double
ics_network_report_get_stun_rtt_ms (IcsNetworkReport *self)
{
  return self->nat.rtt < 0 ? -1 : (double)self->nat.rtt / G_TIME_SPAN_MILLISECOND;
}

const char *
ics_network_report_get_port_mapping (IcsNetworkReport *self, IcsMappingProtocol protocol)
{
  g_return_val_if_fail ((guint)protocol < ICS_GATEWAY_N_PROTOCOLS, NULL);
  return self->gateway_asked ? ics_fact_to_string (self->gateway[protocol].maps) : "not asked";
}

const char *
ics_network_report_get_port_mapping_address (IcsNetworkReport *self, IcsMappingProtocol protocol)
{
  g_return_val_if_fail ((guint)protocol < ICS_GATEWAY_N_PROTOCOLS, NULL);
  return self->gateway[protocol].maps == ICS_FACT_YES ? self->external[protocol] : NULL;
}

const char *
ics_network_report_get_port_mapping_error (IcsNetworkReport *self, IcsMappingProtocol protocol)
{
  g_return_val_if_fail ((guint)protocol < ICS_GATEWAY_N_PROTOCOLS, NULL);
  return self->gateway[protocol].reason;
}

guint
ics_network_report_get_n_relays (IcsNetworkReport *self)
{
  return self->relays->len;
}

const char *
ics_network_report_get_relay_uri (IcsNetworkReport *self, guint i)
{
  g_return_val_if_fail (i < self->relays->len, NULL);
  return relay_at (self, i)->uri;
}

const char *
ics_network_report_get_relay_transport (IcsNetworkReport *self, guint i)
{
  g_return_val_if_fail (i < self->relays->len, NULL);
  switch (relay_at (self, i)->transport)
    {
    case ICS_TURN_UDP:
      return "udp";
    case ICS_TURN_TCP:
      return "tcp";
    case ICS_TURN_TLS:
      return "tls";
    }
  return "";
}

const char *
ics_network_report_get_relay_address (IcsNetworkReport *self, guint i)
{
  g_return_val_if_fail (i < self->relays->len, NULL);
  return relay_at (self, i)->address;
}

double
ics_network_report_get_relay_setup_ms (IcsNetworkReport *self, guint i)
{
  g_return_val_if_fail (i < self->relays->len, -1);
  return relay_at (self, i)->setup_ms;
}

double
ics_network_report_get_relay_rtt_ms (IcsNetworkReport *self, guint i)
{
  g_return_val_if_fail (i < self->relays->len, -1);
  return relay_at (self, i)->rtt_ms;
}

const char *
ics_network_report_get_relay_error (IcsNetworkReport *self, guint i)
{
  g_return_val_if_fail (i < self->relays->len, NULL);
  return relay_at (self, i)->error;
}

const char *
ics_network_report_get_verdict (IcsNetworkReport *self)
{
  return self->verdict;
}
