/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/network-report-private.h"
#include <arpa/inet.h>

G_DEFINE_BOXED_TYPE (IcsNetworkReport, ics_network_report, ics_network_report_ref, ics_network_report_unref)

static void
clear_relay (gpointer data)
{
  IcsReportedRelay *relay = data;

  g_free (relay->uri);
  g_free (relay->address);
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

void
ics_network_report_add_relay (IcsNetworkReport *self, const char *uri, const char *address, double setup_ms)
{
  IcsReportedRelay relay = { g_strdup (uri), g_strdup (address), setup_ms };

  g_array_append_val (self->relays, relay);
}

static const IcsReportedRelay *
relay_at (IcsNetworkReport *self, guint i)
{
  return &g_array_index (self->relays, IcsReportedRelay, i);
}

/* --- conclusions --- */

static char **
list_mapped (const IcsNatBehavior *nat)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new ();

  for (guint i = 0; i < nat->n_observations; i++)
    {
      const IcsSockaddr *mapped = &nat->observations[i].mapped;
      char text[INET6_ADDRSTRLEN] = "";

      if (mapped->any.sa_family == AF_INET6)
        inet_ntop (AF_INET6, &mapped->v6.sin6_addr, text, sizeof text);
      else
        inet_ntop (AF_INET, &mapped->v4.sin_addr, text, sizeof text);
      if (!g_ptr_array_find_with_equal_func (list, text, g_str_equal, NULL))
        g_ptr_array_add (list, g_strdup (text));
    }
  g_ptr_array_add (list, NULL);
  return (char **)g_ptr_array_free (g_steal_pointer (&list), FALSE);
}

static gboolean
has_relay (IcsNetworkReport *self)
{
  for (guint i = 0; i < self->relays->len; i++)
    if (relay_at (self, i)->address != NULL)
      return TRUE;
  return FALSE;
}

static const char *
judge_server (IcsNetworkReport *self)
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
judge_nat (IcsNetworkReport *self)
{
  const IcsNatBehavior *nat = &self->nat;

  if (nat->translated == ICS_FACT_NO)
    return nat->filtering == ICS_NAT_ENDPOINT_INDEPENDENT
               ? "there is no NAT and no filter: direct connections will work with every peer that has UDP"
               : "there is no NAT: direct connections will work with most peers";
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

static const char *
judge (IcsNetworkReport *self)
{
  const char *server = judge_server (self);

  if (server != NULL)
    return server;
  switch (self->nat.answered)
    {
    case ICS_FACT_YES:
      return judge_nat (self);
    case ICS_FACT_NO:
      return has_relay (self)
                 ? "no STUN server answered over UDP: sessions will go through a TURN relay"
                 : "no STUN server answered over UDP: sessions will go through the rendezvous server";
    case ICS_FACT_UNKNOWN:
      return "there is no STUN server to ask: whether direct connections will work is not known";
    }
  return "";
}

void
ics_network_report_seal (IcsNetworkReport *self, const IcsNatBehavior *nat)
{
  if (nat != NULL)
    self->nat = *nat;
  g_strfreev (self->mapped_addresses);
  self->mapped_addresses = list_mapped (&self->nat);
  self->verdict = judge (self);
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

guint
ics_network_report_get_n_relays (IcsNetworkReport *self)
{
  return self->relays->len;
}

const char *
ics_network_report_get_relay_uri (IcsNetworkReport *self, guint i)
{
  return relay_at (self, i)->uri;
}

const char *
ics_network_report_get_relay_address (IcsNetworkReport *self, guint i)
{
  return relay_at (self, i)->address;
}

double
ics_network_report_get_relay_setup_ms (IcsNetworkReport *self, guint i)
{
  return relay_at (self, i)->setup_ms;
}

const char *
ics_network_report_get_verdict (IcsNetworkReport *self)
{
  return self->verdict;
}
