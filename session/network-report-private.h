/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/nat-behavior.h"
#include "session/ics-network-report.h"

G_BEGIN_DECLS

typedef struct
{
  char *uri;
  char *address; /* NULL: no allocation */
  double setup_ms;
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
  GArray *relays; /* IcsReportedRelay */
  const char *verdict;
};

/* Nothing is known. */
IcsNetworkReport *ics_network_report_new (void);
/* Takes nothing; -1 and NULL when there was no allocation. */
void ics_network_report_add_relay (IcsNetworkReport *self, const char *uri, const char *address,
                                   double setup_ms);
/* All is in: draws the conclusions. */
void ics_network_report_seal (IcsNetworkReport *self, const IcsNatBehavior *nat);

G_END_DECLS
