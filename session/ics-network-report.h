/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <base/ics-macros.h>
#include <gio/gio.h>

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

/**
 * IcsNetworkReport:
 *
 * What a network allows, as far as it could be measured: an immutable boxed value. What could not be measured
 * is "unknown", -1 or empty. Strings are borrowed from the report.
 *
 * Since: 0.1
 */
#define ICS_TYPE_NETWORK_REPORT (ics_network_report_get_type ())
typedef struct _IcsNetworkReport IcsNetworkReport;
ICS_API GType ics_network_report_get_type (void);
ICS_API IcsNetworkReport *ics_network_report_ref (IcsNetworkReport *self);
ICS_API void ics_network_report_unref (IcsNetworkReport *self);

ICS_API IcsServerState ics_network_report_get_server_state (IcsNetworkReport *self);
/* Why it is not reachable, in people's words; NULL when it is. */
ICS_API const char *ics_network_report_get_server_error (IcsNetworkReport *self);
/* One request and its answer; -1 = not measured. */
ICS_API double ics_network_report_get_server_rtt_ms (IcsNetworkReport *self);
/* Through which GIO reaches the server, "http://proxy.example:3128"; NULL = none. */
ICS_API const char *ics_network_report_get_proxy (IcsNetworkReport *self);

/* This host's own addresses, and those under which STUN servers see it: "192.0.2.1". NULL-terminated. */
ICS_API const char *const *ics_network_report_get_local_addresses (IcsNetworkReport *self);
ICS_API const char *const *ics_network_report_get_mapped_addresses (IcsNetworkReport *self);

/* "yes": a STUN server answered over UDP; "no": some were asked, none answered; "unknown": there was none to
 * ask. */
ICS_API const char *ics_network_report_get_udp (IcsNetworkReport *self);
/* "yes", "no" or "unknown": there is a NAT. */
ICS_API const char *ics_network_report_get_nat (IcsNetworkReport *self);
/* RFC 4787: "endpoint-independent", "address-dependent", "address-and-port-dependent", "unknown". */
ICS_API const char *ics_network_report_get_mapping (IcsNetworkReport *self);
ICS_API const char *ics_network_report_get_filtering (IcsNetworkReport *self);
/* "yes", "no" or "unknown": the mapping depends on the destination, in whatever way. */
ICS_API const char *ics_network_report_get_mapping_varies (IcsNetworkReport *self);
/* "preserved", "sequential", "random", "unknown". */
ICS_API const char *ics_network_report_get_ports (IcsNetworkReport *self);
/* "yes", "no" or "unknown": hosts behind the NAT reach each other under its outside address. */
ICS_API const char *ics_network_report_get_hairpin (IcsNetworkReport *self);
/* To the nearest STUN server; -1 = not measured. */
ICS_API double ics_network_report_get_stun_rtt_ms (IcsNetworkReport *self);

/* "yes": this host's gateway maps a port by it; "no": it does not; "unknown": there is no gateway, or it gave
 * no answer in time; "not asked". IPv4 only. */
ICS_API const char *ics_network_report_get_port_mapping (IcsNetworkReport *self, IcsMappingProtocol protocol);
/* The address outside, "203.0.113.9"; NULL if it maps none. */
ICS_API const char *ics_network_report_get_port_mapping_address (IcsNetworkReport *self,
                                                                 IcsMappingProtocol protocol);
/* Why not, in people's words; NULL if it maps or was not asked. */
ICS_API const char *ics_network_report_get_port_mapping_error (IcsNetworkReport *self,
                                                               IcsMappingProtocol protocol);

/* The TURN servers that were tried, one for each transport: of those over UDP, TCP and TLS three at most. */
ICS_API guint ics_network_report_get_n_relays (IcsNetworkReport *self);
ICS_API const char *ics_network_report_get_relay_uri (IcsNetworkReport *self, guint i);
/* "udp", "tcp", "tls". */
ICS_API const char *ics_network_report_get_relay_transport (IcsNetworkReport *self, guint i);
/* The address that it relays from; NULL if there was no allocation. */
ICS_API const char *ics_network_report_get_relay_address (IcsNetworkReport *self, guint i);
/* Until the allocation was there: name, connection and all; -1 = there was none. */
ICS_API double ics_network_report_get_relay_setup_ms (IcsNetworkReport *self, guint i);
/* Of one request to the server, over that transport and through the proxy if there is one; -1 = not measured.
 */
ICS_API double ics_network_report_get_relay_rtt_ms (IcsNetworkReport *self, guint i);
/* Why there was no allocation, in people's words; NULL if there was one. */
ICS_API const char *ics_network_report_get_relay_error (IcsNetworkReport *self, guint i);

/* One line. (transfer none) */
ICS_API const char *ics_network_report_get_verdict (IcsNetworkReport *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsNetworkReport, ics_network_report_unref)

/**
 * IcsProbeConfig:
 * @server_uri: the rendezvous server
 * @turn_uris: (nullable): TURN servers besides those that it names, with credentials; "none" among them: only
 *   those
 * @turn_ca_file: (nullable): certificates (PEM) of authorities that are trusted for TURN over TLS besides the
 *   system's store
 * @family: 0 any, 4 or 6
 * @no_port_mapping: do not ask this host's gateway to map ports
 *
 * What to look at. Zero and %NULL are the defaults.
 *
 * Since: 0.1
 */
typedef struct
{
  const char *server_uri;
  const char *const *turn_uris;
  const char *turn_ca_file;
  int family;
  gboolean no_port_mapping;
} IcsProbeConfig;

/* Looks at the network that this host is in, by means of the rendezvous server and the STUN and TURN servers
 * that it names or that are named here, and of this host's gateway, which is asked to map a port by each
 * protocol. Allocations and mappings are given back before it ends. Ends within 47 s, mostly within 7. Runs
 * on the thread-default main context. Errors: ICS_ERROR_INVALID_ARGUMENT (a URI does not parse, the file
 * cannot be read), G_IO_ERROR_CANCELLED. A server that is not reachable is no error: the report says so. */
ICS_API void ics_probe_network_async (const IcsProbeConfig *config, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data);
/* (transfer full) */
ICS_API IcsNetworkReport *ics_probe_network_finish (GAsyncResult *result, GError **error);

G_END_DECLS
