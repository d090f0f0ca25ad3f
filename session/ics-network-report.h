/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <base/ics-macros.h>
#include <glib-object.h>

G_BEGIN_DECLS

/**
 * IcsServerState:
 * @ICS_SERVER_REACHABLE: the rendezvous server answered
 * @ICS_SERVER_UNREACHABLE: nobody answered
 * @ICS_SERVER_CAPTIVE: somebody else answered in its place: a log-in page, or a proxy that does not pass
 *   WebSockets on
 * @ICS_SERVER_REFUSING: it answered and refused (a limit)
 *
 * What became of the connection to the rendezvous server.
 *
 * Since: 0.1
 */
typedef enum
{
  ICS_SERVER_REACHABLE,
  ICS_SERVER_UNREACHABLE,
  ICS_SERVER_CAPTIVE,
  ICS_SERVER_REFUSING
} IcsServerState;

#define ICS_TYPE_SERVER_STATE (ics_server_state_get_type ())
ICS_AVAILABLE_IN_1_0 GType ics_server_state_get_type (void) G_GNUC_CONST;

/**
 * IcsMappingProtocol:
 * @ICS_MAPPING_PCP: RFC 6887
 * @ICS_MAPPING_NAT_PMP: RFC 6886
 * @ICS_MAPPING_UPNP: WANIPConnection of an Internet Gateway Device
 *
 * By which a gateway is asked to map a port.
 *
 * Since: 0.1
 */
typedef enum
{
  ICS_MAPPING_PCP,
  ICS_MAPPING_NAT_PMP,
  ICS_MAPPING_UPNP
} IcsMappingProtocol;

#define ICS_TYPE_MAPPING_PROTOCOL (ics_mapping_protocol_get_type ())
ICS_AVAILABLE_IN_1_0 GType ics_mapping_protocol_get_type (void) G_GNUC_CONST;

/**
 * IcsNetworkReport:
 *
 * What a network allows, as far as it could be measured: an immutable boxed value, for any thread. What could
 * not be measured is "unknown", -1 or empty. Strings are borrowed from the report.
 *
 * Since: 0.1
 */
typedef struct _IcsNetworkReport IcsNetworkReport;

#define ICS_TYPE_NETWORK_REPORT (ics_network_report_get_type ())
ICS_AVAILABLE_IN_1_0 GType ics_network_report_get_type (void) G_GNUC_CONST;

/**
 * ics_network_report_ref:
 * @self: a report
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 IcsNetworkReport *ics_network_report_ref (IcsNetworkReport *self);

/**
 * ics_network_report_unref:
 * @self: (transfer full): a report
 *
 * Gives a reference back.
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 void ics_network_report_unref (IcsNetworkReport *self);

/**
 * ics_network_report_get_server_state:
 * @self: a report
 *
 * What became of the connection to the rendezvous server.
 *
 * Returns: the state
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 IcsServerState ics_network_report_get_server_state (IcsNetworkReport *self);

/**
 * ics_network_report_get_server_error:
 * @self: a report
 *
 * Why the server is not reachable.
 *
 * Returns: (transfer none) (nullable): words for people; %NULL when it is
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_network_report_get_server_error (IcsNetworkReport *self);

/**
 * ics_network_report_get_server_rtt_ms:
 * @self: a report
 *
 * One request to the server and its answer.
 *
 * Returns: milliseconds; -1 = not measured
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 double ics_network_report_get_server_rtt_ms (IcsNetworkReport *self);

/**
 * ics_network_report_get_proxy:
 * @self: a report
 *
 * The proxy through which GIO reaches the server.
 *
 * Returns: (transfer none) (nullable): "http://proxy.example:3128"; %NULL when there is none
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_network_report_get_proxy (IcsNetworkReport *self);

/**
 * ics_network_report_get_local_addresses:
 * @self: a report
 *
 * This host's own addresses.
 *
 * Returns: (transfer none) (array zero-terminated=1): "192.0.2.1", "2001:db8::1"
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *const *ics_network_report_get_local_addresses (IcsNetworkReport *self);

/**
 * ics_network_report_get_mapped_addresses:
 * @self: a report
 *
 * The addresses under which STUN servers see this host (RFC 8489).
 *
 * Returns: (transfer none) (array zero-terminated=1): "192.0.2.1", "2001:db8::1"
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *const *ics_network_report_get_mapped_addresses (IcsNetworkReport *self);

/**
 * ics_network_report_get_udp:
 * @self: a report
 *
 * Whether UDP gets through.
 *
 * Returns: (transfer none): "yes": a STUN server answered over UDP; "no": some were asked, none answered;
 * "unknown": there was none to ask
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_network_report_get_udp (IcsNetworkReport *self);

/**
 * ics_network_report_get_nat:
 * @self: a report
 *
 * Whether there is a NAT.
 *
 * Returns: (transfer none): "yes", "no" or "unknown"
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_network_report_get_nat (IcsNetworkReport *self);

/**
 * ics_network_report_get_mapping:
 * @self: a report
 *
 * How the NAT maps (RFC 4787 §4.1).
 *
 * Returns: (transfer none): "endpoint-independent", "address-dependent", "address-and-port-dependent" or
 * "unknown"
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_network_report_get_mapping (IcsNetworkReport *self);

/**
 * ics_network_report_get_filtering:
 * @self: a report
 *
 * How the NAT filters (RFC 4787 §5).
 *
 * Returns: (transfer none): "endpoint-independent", "address-dependent", "address-and-port-dependent" or
 * "unknown"
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_network_report_get_filtering (IcsNetworkReport *self);

/**
 * ics_network_report_get_mapping_varies:
 * @self: a report
 *
 * Whether the mapping depends on the destination, in whatever way.
 *
 * Returns: (transfer none): "yes", "no" or "unknown"
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_network_report_get_mapping_varies (IcsNetworkReport *self);

/**
 * ics_network_report_get_ports:
 * @self: a report
 *
 * Which ports the NAT takes (RFC 4787 §4.2).
 *
 * Returns: (transfer none): "preserved", "sequential", "random" or "unknown"
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_network_report_get_ports (IcsNetworkReport *self);

/**
 * ics_network_report_get_hairpin:
 * @self: a report
 *
 * Whether hosts behind the NAT reach each other under its outside address (RFC 4787 §6).
 *
 * Returns: (transfer none): "yes", "no" or "unknown"
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_network_report_get_hairpin (IcsNetworkReport *self);

/**
 * ics_network_report_get_stun_rtt_ms:
 * @self: a report
 *
 * The round-trip time to the nearest STUN server.
 *
 * Returns: milliseconds; -1 = not measured
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 double ics_network_report_get_stun_rtt_ms (IcsNetworkReport *self);

/**
 * ics_network_report_get_port_mapping:
 * @self: a report
 * @protocol: the protocol
 *
 * Whether this host's gateway maps a port by @protocol. IPv4 only.
 *
 * Returns: (transfer none): "yes", "no", "unknown" (there is no gateway, or it gave no answer in time) or
 * "not asked"
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_network_report_get_port_mapping (IcsNetworkReport *self,
                                                                      IcsMappingProtocol protocol);

/**
 * ics_network_report_get_port_mapping_address:
 * @self: a report
 * @protocol: the protocol
 *
 * The address outside under which the gateway maps a port by @protocol.
 *
 * Returns: (transfer none) (nullable): "203.0.113.9"; %NULL if it maps none
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_network_report_get_port_mapping_address (IcsNetworkReport *self,
                                                                              IcsMappingProtocol protocol);

/**
 * ics_network_report_get_port_mapping_error:
 * @self: a report
 * @protocol: the protocol
 *
 * Why the gateway maps no port by @protocol.
 *
 * Returns: (transfer none) (nullable): words for people; %NULL if it maps or was not asked
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_network_report_get_port_mapping_error (IcsNetworkReport *self,
                                                                            IcsMappingProtocol protocol);

/**
 * ics_network_report_get_n_relays:
 * @self: a report
 *
 * How many TURN servers were tried: of those over UDP, TCP and TLS three at most each.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 guint ics_network_report_get_n_relays (IcsNetworkReport *self);

/**
 * ics_network_report_get_relay_uri:
 * @self: a report
 * @i: which one, below [method@NetworkReport.get_n_relays]
 *
 * The URI of a TURN server, without credentials (RFC 7065).
 *
 * Returns: (transfer none): the URI
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_network_report_get_relay_uri (IcsNetworkReport *self, guint i);

/**
 * ics_network_report_get_relay_transport:
 * @self: a report
 * @i: which one, below [method@NetworkReport.get_n_relays]
 *
 * How a TURN server was reached.
 *
 * Returns: (transfer none): "udp", "tcp" or "tls"
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_network_report_get_relay_transport (IcsNetworkReport *self, guint i);

/**
 * ics_network_report_get_relay_address:
 * @self: a report
 * @i: which one, below [method@NetworkReport.get_n_relays]
 *
 * The address that a TURN server relays from.
 *
 * Returns: (transfer none) (nullable): the address; %NULL if there was no allocation
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_network_report_get_relay_address (IcsNetworkReport *self, guint i);

/**
 * ics_network_report_get_relay_setup_ms:
 * @self: a report
 * @i: which one, below [method@NetworkReport.get_n_relays]
 *
 * How long it took until the allocation was there: name, connection and all.
 *
 * Returns: milliseconds; -1 = there was none
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 double ics_network_report_get_relay_setup_ms (IcsNetworkReport *self, guint i);

/**
 * ics_network_report_get_relay_rtt_ms:
 * @self: a report
 * @i: which one, below [method@NetworkReport.get_n_relays]
 *
 * One request to a TURN server and its answer, over its transport and through the proxy if there is one.
 *
 * Returns: milliseconds; -1 = not measured
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 double ics_network_report_get_relay_rtt_ms (IcsNetworkReport *self, guint i);

/**
 * ics_network_report_get_relay_error:
 * @self: a report
 * @i: which one, below [method@NetworkReport.get_n_relays]
 *
 * Why a TURN server gave no allocation.
 *
 * Returns: (transfer none) (nullable): words for people; %NULL if it gave one
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_network_report_get_relay_error (IcsNetworkReport *self, guint i);

/**
 * ics_network_report_get_verdict:
 * @self: a report
 *
 * What all this comes to.
 *
 * Returns: (transfer none): one line, for people
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_network_report_get_verdict (IcsNetworkReport *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsNetworkReport, ics_network_report_unref)

G_END_DECLS
