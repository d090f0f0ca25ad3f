/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/probe-report.h"

static char *
join (const char *const *list)
{
  return list[0] != NULL ? g_strjoinv (", ", (char **)list) : g_strdup ("unknown");
}

static char *
describe_server (const char *server, IcsNetworkReport *report)
{
  const char *error = ics_network_report_get_server_error (report);
  double rtt = ics_network_report_get_server_rtt_ms (report);

  if (error != NULL)
    return g_strdup_printf ("%s: %s (%s)", server,
                            cli_probe_state_name (ics_network_report_get_server_state (report)), error);
  return rtt < 0 ? g_strdup_printf ("%s: reachable", server)
                 : g_strdup_printf ("%s: reachable, %.0f ms", server, rtt);
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
say_port_mapping (GString *text, IcsNetworkReport *report)
{
  static const char *const names[] = { [ICS_MAPPING_PCP] = "PCP:          ",
                                       [ICS_MAPPING_NAT_PMP] = "NAT-PMP:      ",
                                       [ICS_MAPPING_UPNP] = "UPnP:         " };

  g_string_append (text, "port mapping by the router\n");
  for (IcsMappingProtocol i = 0; i < G_N_ELEMENTS (names); i++)
    {
      const char *address = ics_network_report_get_port_mapping_address (report, i);
      const char *error = ics_network_report_get_port_mapping_error (report, i);

      g_string_append_printf (text, "  %s%s", names[i], ics_network_report_get_port_mapping (report, i));
      if (address != NULL)
        g_string_append_printf (text, ", at %s", address);
      if (error != NULL)
        g_string_append_printf (text, ": %s", error);
      g_string_append_c (text, '\n');
    }
}

/* The transport first: a URI tells it to those only who know its syntax. */
static void
say_relay (GString *text, IcsNetworkReport *report, guint i)
{
  const char *address = ics_network_report_get_relay_address (report, i);
  double rtt = ics_network_report_get_relay_rtt_ms (report, i);

  g_string_append_printf (text, "  over %s:     %s", ics_network_report_get_relay_transport (report, i),
                          ics_network_report_get_relay_uri (report, i));
  if (address == NULL)
    {
      g_string_append_printf (text, ": none: %s\n", ics_network_report_get_relay_error (report, i));
      return;
    }
  g_string_append_printf (text, ": works, at %s after %.0f ms", address,
                          ics_network_report_get_relay_setup_ms (report, i));
  if (rtt >= 0)
    g_string_append_printf (text, ", round trip %.0f ms", rtt);
  g_string_append_c (text, '\n');
}

static void
say_relays (GString *text, IcsNetworkReport *report)
{
  guint n = ics_network_report_get_n_relays (report);

  g_string_append_printf (text, "relays%s\n", n == 0 ? ":         none to try" : "");
  for (guint i = 0; i < n; i++)
    say_relay (text, report, i);
}

char *
cli_probe_describe (const char *server_uri, IcsNetworkReport *report)
{
  GString *text = g_string_new (NULL);
  const char *proxy = ics_network_report_get_proxy (report);
  g_autofree char *server = describe_server (server_uri, report);
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
  say_port_mapping (text, report);
  say_relays (text, report);
  g_string_append_printf (text, "%s\n", ics_network_report_get_verdict (report));
  return g_string_free (text, FALSE);
}
