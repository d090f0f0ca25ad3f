/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/events.h"
#include "cli/probe-report.h"

const char *
cli_probe_state_name (IcsServerState state)
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
set_port_mapping (JsonObject *event, IcsNetworkReport *report)
{
  static const char *const names[]
      = { [ICS_MAPPING_PCP] = "pcp", [ICS_MAPPING_NAT_PMP] = "nat_pmp", [ICS_MAPPING_UPNP] = "upnp" };
  JsonObject *all = json_object_new ();

  for (IcsMappingProtocol i = 0; i < G_N_ELEMENTS (names); i++)
    {
      JsonObject *one = json_object_new ();

      set_text (one, "maps", ics_network_report_get_port_mapping (report, i));
      set_text (one, "address", ics_network_report_get_port_mapping_address (report, i));
      set_text (one, "error", ics_network_report_get_port_mapping_error (report, i));
      json_object_set_object_member (all, names[i], one);
    }
  json_object_set_object_member (event, "port_mapping", all);
}

static void
set_relays (JsonObject *event, IcsNetworkReport *report)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < ics_network_report_get_n_relays (report); i++)
    {
      JsonObject *relay = json_object_new ();

      json_object_set_string_member (relay, "uri", ics_network_report_get_relay_uri (report, i));
      set_text (relay, "transport", ics_network_report_get_relay_transport (report, i));
      set_text (relay, "address", ics_network_report_get_relay_address (report, i));
      set_ms (relay, "setup_ms", ics_network_report_get_relay_setup_ms (report, i));
      set_ms (relay, "rtt_ms", ics_network_report_get_relay_rtt_ms (report, i));
      set_text (relay, "error", ics_network_report_get_relay_error (report, i));
      json_array_add_object_element (array, relay);
    }
  json_object_set_array_member (event, "relays", array);
}

JsonObject *
cli_probe_to_event (const char *server, IcsNetworkReport *report)
{
  JsonObject *event = cli_event_new ("probe");

  set_text (event, "server", server);
  set_text (event, "server_state", cli_probe_state_name (ics_network_report_get_server_state (report)));
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
  set_port_mapping (event, report);
  set_relays (event, report);
  set_text (event, "verdict", ics_network_report_get_verdict (report));
  return event;
}
