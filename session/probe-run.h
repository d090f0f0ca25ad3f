/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/gateway-survey.h"
#include "agent/nat-prober.h"
#include "agent/server-lookup.h"
#include "session/network-report-private.h"
#include "session/relay-trial.h"
#include "signaling/ws-channel.h"

G_BEGIN_DECLS

/* One look at the network, for IcsNetworkProbe. Between the files probe-run*.c. One after the other: the
 * proxy, whether the rendezvous server answers, what it hands out; then, at a time, the NAT and the relays;
 * and the gateway all the while. */

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

  /* probe-run-server.c */
  GUri *uri;
  char *server_uri;
  IcsWsChannel *channel;
  gint64 asked_at;
  gboolean no_server_turn;
  GPtrArray *servers; /* IcsTurnServer */

  /* probe-run-nat.c */
  guint looked_up;
  GPtrArray *addresses; /* GInetSocketAddress of STUN servers */
  IcsServerLookup *lookup;
  IcsNatProber *prober;
  IcsNatBehavior nat;
  gboolean nat_done;
  IcsGatewaySurvey *survey;

  /* probe-run-relays.c */
  IcsRelayTrial *trials[ICS_PROBE_TRIALS_MAX]; /* as in the report; NULL where it is done */
  guint n_trials, trials_left;
} IcsProbeRun;

/* What to look at. Zero and NULL are the defaults. */
typedef struct
{
  const char *server_uri;
  const char *const *turn_uris; /* besides the server's */
  gboolean no_server_turn;      /* only those */
  const char *turn_ca_file;
  int family;
  gboolean no_port_mapping;
} IcsProbeConfig;

/* probe-run.c */
/* Sets it off, on the thread-default main context; @task returns an IcsNetworkReport. Takes @task. */
void ics_probe_run_start (const IcsProbeConfig *config, GTask *task);
IcsProbeRun *ics_probe_run_hold (IcsProbeRun *self);
void ics_probe_run_release (gpointer self);
/* Something that has to be given back is there; and it is given back: takes the reference with it. */
IcsProbeRun *ics_probe_run_open (IcsProbeRun *self);
void ics_probe_run_closed (gpointer self);
void ics_probe_run_end_if_done (IcsProbeRun *self);
/* The rendezvous server has been asked. */
void ics_probe_run_measure (IcsProbeRun *self);

/* probe-run-server.c */
void ics_probe_run_ask_server (IcsProbeRun *self);
void ics_probe_run_close_channel (IcsProbeRun *self);

/* probe-run-nat.c */
void ics_probe_run_look_at_nat (IcsProbeRun *self);
void ics_probe_run_ask_gateway (IcsProbeRun *self);
void ics_probe_run_stop_nat (IcsProbeRun *self);

/* probe-run-relays.c */
void ics_probe_run_try_relays (IcsProbeRun *self);
void ics_probe_run_stop_relays (IcsProbeRun *self);

G_END_DECLS
