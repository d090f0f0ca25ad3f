/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/gateway-survey.h"
#include "agent/nat-prober.h"
#include "agent/server-lookup.h"
#include "session/network-report-private.h"
#include "session/relay-trial.h"
#include "signaling/ws-channel.h"

G_BEGIN_DECLS

/* Between the files network-probe*.c. One after the other: the proxy, whether the rendezvous server answers,
 * what it hands out; then, at a time, the NAT and the relays; and the gateway all the while. */

/* Of each transport. */
#define ICS_PROBE_RELAYS_MAX 3
#define ICS_PROBE_TRIALS_MAX (3 * ICS_PROBE_RELAYS_MAX)

/* Reference-counted: whatever is under way holds a reference. */
typedef struct
{
  GTask *task; /* NULL once it has returned */
  IcsNetworkReport *report;
  GMainContext *context;
  int family;
  GTlsDatabase *turn_ca;     /* NULL: none but the system's */
  GCancellable *cancellable; /* of what is under way */
  GSource *outer_source;     /* the caller's cancellable */
  GSource *limit;
  gboolean ending; /* nothing more is measured */
  GError *error;   /* with which it ends */
  guint n_open;    /* what has to be given back yet */

  /* network-probe-server.c */
  GUri *uri;
  char *server_uri;
  IcsWsChannel *channel;
  gint64 asked_at;
  gboolean no_server_turn;
  GPtrArray *servers; /* IcsTurnServer */

  /* network-probe-nat.c */
  guint looked_up;
  GPtrArray *addresses; /* GInetSocketAddress of STUN servers */
  IcsServerLookup *lookup;
  IcsNatProber *prober;
  IcsNatBehavior nat;
  gboolean nat_done;
  IcsGatewaySurvey *survey;

  /* network-probe-relays.c */
  IcsRelayTrial *trials[ICS_PROBE_TRIALS_MAX]; /* as in the report; NULL where it is done */
  guint n_trials, trials_left;
} IcsNetworkProbe;

/* network-probe.c */
IcsNetworkProbe *ics_network_probe_hold (IcsNetworkProbe *self);
void ics_network_probe_release (gpointer self);
/* Something that has to be given back is there; and it is given back: takes the reference with it. */
IcsNetworkProbe *ics_network_probe_open (IcsNetworkProbe *self);
void ics_network_probe_closed (gpointer self);
void ics_network_probe_end_if_done (IcsNetworkProbe *self);
/* The rendezvous server has been asked. */
void ics_network_probe_measure (IcsNetworkProbe *self);

/* network-probe-server.c */
void ics_network_probe_ask_server (IcsNetworkProbe *self);
void ics_network_probe_close_channel (IcsNetworkProbe *self);

/* network-probe-nat.c */
void ics_network_probe_look_at_nat (IcsNetworkProbe *self);
void ics_network_probe_ask_gateway (IcsNetworkProbe *self);
void ics_network_probe_stop_nat (IcsNetworkProbe *self);

/* network-probe-relays.c */
void ics_network_probe_try_relays (IcsNetworkProbe *self);
void ics_network_probe_stop_relays (IcsNetworkProbe *self);

G_END_DECLS
