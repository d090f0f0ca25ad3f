/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/relay-trial.h"
#include "agent/ice-attempt.h"
#include "agent/remote-candidate.h"

#define LIMIT_MS 8000

struct _IcsRelayTrial
{
  IcsTurnServer *server;
  IcsTraversal *attempt;
  gint64 started_at;
  GSource *late; /* when it could not even start */
  gboolean told;
  IcsRelayTrialFunc done;
  gpointer user_data;
};

static void
tell (IcsRelayTrial *self, const char *address)
{
  double ms = (double)(g_get_monotonic_time () - self->started_at) / G_TIME_SPAN_MILLISECOND;

  if (self->told)
    return;
  self->told = TRUE;
  self->done (self, address, address != NULL ? ms : -1, self->user_data);
}

static void
on_candidate (G_GNUC_UNUSED IcsTraversal *attempt, const char *line, gpointer user_data)
{
  static const IcsCandidateRules rules = { .relay_only = TRUE };
  IcsRemoteCandidate candidate;

  if (ics_remote_candidate_parse (line, &rules, &candidate) == ICS_CANDIDATE_OK)
    tell (user_data, candidate.address);
}

static void
on_gathered (G_GNUC_UNUSED IcsTraversal *attempt, gpointer user_data)
{
  tell (user_data, NULL);
}

static void
on_state (G_GNUC_UNUSED IcsTraversal *attempt, IcsIceState state, gpointer user_data)
{
  if (state == ICS_ICE_FAILED)
    tell (user_data, NULL);
}

static void
on_received (G_GNUC_UNUSED IcsTraversal *attempt, G_GNUC_UNUSED const guint8 *data, G_GNUC_UNUSED gsize len,
             G_GNUC_UNUSED gsize segment, G_GNUC_UNUSED gpointer user_data)
{
}

static void
on_writable (G_GNUC_UNUSED IcsTraversal *attempt, G_GNUC_UNUSED gpointer user_data)
{
}

static void
on_note (G_GNUC_UNUSED IcsTraversal *attempt, const char *line, G_GNUC_UNUSED gpointer user_data)
{
  g_debug ("relay trial: %s", line);
}

static gboolean
on_late (gpointer user_data)
{
  tell (user_data, NULL);
  return G_SOURCE_REMOVE;
}

IcsRelayTrial *
ics_relay_trial_start (const IcsTurnServer *server, int family, GMainContext *context, IcsRelayTrialFunc done,
                       gpointer user_data)
{
  static const IcsIceCallbacks callbacks = { .candidate = on_candidate,
                                             .gathered = on_gathered,
                                             .state = on_state,
                                             .received = on_received,
                                             .writable = on_writable,
                                             .note = on_note };
  IcsRelayTrial *self = g_new0 (IcsRelayTrial, 1);
  IcsIceConfig config = {
    .controlling = TRUE, .relay_only = TRUE, .family = family, .limit_ms = LIMIT_MS, .context = context
  };

  config.turn = self->server = ics_turn_server_copy (server);
  self->done = done;
  self->user_data = user_data;
  self->started_at = g_get_monotonic_time ();
  self->attempt = ics_ice_attempt_new (&config, &callbacks, self);
  if (ics_traversal_start (self->attempt, NULL))
    return self;
  self->late = g_idle_source_new ();
  g_source_set_callback (self->late, on_late, self, NULL);
  g_source_attach (self->late, context);
  return self;
}

const IcsTurnServer *
ics_relay_trial_get_server (IcsRelayTrial *self)
{
  return self->server;
}

void
ics_relay_trial_free (IcsRelayTrial *self, void (*closed) (gpointer), gpointer closed_data)
{
  if (self->late != NULL)
    g_source_destroy (self->late);
  g_clear_pointer (&self->late, g_source_unref);
  ics_traversal_free (self->attempt, closed, closed_data);
  ics_turn_server_free (self->server);
  g_free (self);
}
