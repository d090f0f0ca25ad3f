/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/gateway-survey.h"
#include "agent/nat-behavior.h"
#include "session/ics-network-report.h"
#include "session/relay-trial.h"

G_BEGIN_DECLS

typedef struct
{
  char *uri;
  IcsTurnTransport transport;
  char *address; /* NULL: no allocation */
  double setup_ms, rtt_ms;
  char *error;
} IcsReportedRelay;

struct _IcsNetworkReport
{
  gatomicrefcount refs;
  IcsServerState server_state;
  char *server_error;
  double server_rtt_ms;
  char *proxy;
  char **local_addresses;
  char **mapped_addresses;
  IcsNatBehavior nat;
  gboolean gateway_asked;
  IcsGatewayFinding gateway[ICS_GATEWAY_N_PROTOCOLS];
  char external[ICS_GATEWAY_N_PROTOCOLS][INET_ADDRSTRLEN];
  GArray *relays; /* IcsReportedRelay */
  const char *verdict;
};

/* Nothing is known. */
IcsNetworkReport *ics_network_report_new (void);
/* One that nothing is known of yet. */
void ics_network_report_add_relay (IcsNetworkReport *self, const char *uri, IcsTurnTransport transport);
/* @i: as they were added. */
void ics_network_report_set_relay (IcsNetworkReport *self, guint i, const IcsRelayTrialResult *result);
/* @findings: one for each protocol. */
void ics_network_report_set_gateway (IcsNetworkReport *self, const IcsGatewayFinding *findings);
/* All is in: draws the conclusions. */
void ics_network_report_seal (IcsNetworkReport *self, const IcsNatBehavior *nat);

/* network-verdict.c: what all this comes to, in one line; static. */
const char *ics_network_report_judge (const IcsNetworkReport *self);

G_END_DECLS
