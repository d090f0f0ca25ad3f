/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <base/ics-error.h>
#include <gio/gio.h>
#include <session/ics-network-report.h>

G_BEGIN_DECLS

#define ICS_TYPE_NETWORK_PROBE (ics_network_probe_get_type ())
ICS_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (IcsNetworkProbe, ics_network_probe, ICS, NETWORK_PROBE, GObject)

/**
 * IcsNetworkProbe:
 *
 * Looks at the network that this host is in: by means of a rendezvous server, of the STUN and TURN servers
 * that it names or that are named here, and of this host's gateway, which is asked to map a port by each
 * protocol. Allocations and mappings are given back before it ends.
 *
 * Since: 0.1
 */

/**
 * ics_network_probe_new:
 * @server_uri: the rendezvous server, "wss://rv.example.org"
 *
 * Makes a probe that has not run.
 *
 * Returns: (transfer full): the probe
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 IcsNetworkProbe *ics_network_probe_new (const char *server_uri);

/**
 * ics_network_probe_run_async:
 * @self: a probe
 * @cancellable: (nullable): ends it early
 * @callback: (nullable): called with the report
 * @user_data: for @callback
 *
 * Looks, with what the properties say now. Ends within 47 s, mostly within 7. It runs on the thread-default
 * main context, which should not be blocked meanwhile: what is measured would be wrong.
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 void ics_network_probe_run_async (IcsNetworkProbe *self, GCancellable *cancellable,
                                                       GAsyncReadyCallback callback, gpointer user_data);

/**
 * ics_network_probe_run_finish:
 * @self: a probe
 * @result: what the callback was given
 * @error: return location for an error: %ICS_ERROR_INVALID_ARGUMENT (a URI does not parse, a file cannot be
 *   read), %G_IO_ERROR_CANCELLED. A server that is not reachable is no error: the report says so
 *
 * Finishes [method@NetworkProbe.run_async].
 *
 * Returns: (transfer full): what was found
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 IcsNetworkReport *ics_network_probe_run_finish (IcsNetworkProbe *self,
                                                                     GAsyncResult *result, GError **error);

G_END_DECLS
