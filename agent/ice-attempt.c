/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/ice-attempt-private.h"
#include "base/secret.h"

/* A path that is not found in this time is looked for again by a fresh attempt. */
#define LIMIT_MS 30000

static void
stop_limit (IcsIceAttempt *self)
{
  if (self->limit == NULL)
    return;
  g_source_destroy (self->limit);
  g_clear_pointer (&self->limit, g_source_unref);
}

static const char *
state_to_string (IcsIceState state)
{
  switch (state)
    {
    case ICS_ICE_GATHERING:
      return "gathering";
    case ICS_ICE_CHECKING:
      return "checking";
    case ICS_ICE_CONNECTED:
      return "connected";
    case ICS_ICE_FAILED:
      return "failed";
    }
  return "?";
}

void
ics_ice_attempt_set_state (IcsIceAttempt *self, IcsIceState state)
{
  if (self->state == state || self->state == ICS_ICE_FAILED)
    return;
  g_debug ("ICE attempt %p: %s -> %s", (void *)self, state_to_string (self->state), state_to_string (state));
  self->state = state;
  if (state == ICS_ICE_CONNECTED || state == ICS_ICE_FAILED)
    stop_limit (self);
  if (state == ICS_ICE_CONNECTED)
    ics_ice_traffic_start_consent (self);
  ics_attempt_events_state (self->events, state);
}

static gboolean
on_limit (gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  ics_attempt_events_note (self->events, "no pair of candidates answered within %g s",
                           self->config.limit_ms / 1000.0);
  g_clear_pointer (&self->gatherer, ics_gatherer_free);
  ics_ice_attempt_set_state (self, ICS_ICE_FAILED);
  return G_SOURCE_REMOVE;
}

static void
start_limit (IcsIceAttempt *self)
{
  stop_limit (self);
  self->limit = g_timeout_source_new (self->config.limit_ms);
  g_source_set_callback (self->limit, on_limit, self, NULL);
  g_source_attach (self->limit, self->config.context);
}

/* libnice also says "failed" when what it had so far failed, while candidates are still to come. */
static void
consider_failure (IcsIceAttempt *self)
{
  if (!self->gathered || self->inquiry != NULL || !ics_remote_offer_has_ended (self->remote)
      || self->state != ICS_ICE_CHECKING || !ics_nice_leg_has_failed (self->leg))
    return;
  ics_attempt_events_note (self->events, "no pair of candidates answered");
  ics_ice_attempt_set_state (self, ICS_ICE_FAILED);
}

static void
note_pair (IcsIceAttempt *self, const IcsIcePair *pair, gboolean wanted)
{
  g_autofree char *text
      = g_strdup_printf ("pair %s -> %s %s", pair->local, pair->remote, wanted ? "selected" : "ignored");

  if (g_strcmp0 (text, self->selected) == 0)
    return;
  ics_attempt_events_note (self->events, "%s (%s, %s)", text, pair->local_type, pair->remote_type);
  g_free (self->selected);
  self->selected = g_steal_pointer (&text);
  self->pair_since = g_get_monotonic_time ();
}

gboolean
ics_ice_attempt_wants (IcsIceAttempt *self, const IcsIcePair *pair)
{
  gboolean plain = self->config.one_hop && !self->config.relay_only;

  /* The plain host of the two speaks to the other's relay, and to nothing else. */
  return ics_ice_pair_is_wanted (pair, self->config.host_only)
         && (!plain || g_str_equal (pair->remote_type, "relay"));
}

/* A pair that is not wanted may become so when the peer signals the candidate that was learned from its
 * check, or give way to a better one. */
static void
consider_pair (IcsIceAttempt *self)
{
  IcsIcePair pair = { 0 };
  gboolean wanted;

  if (!ics_nice_leg_get_pair (self->leg, &pair))
    return;
  ics_ice_mapping_name_pair (self, &pair);
  wanted = ics_ice_attempt_wants (self, &pair);
  note_pair (self, &pair, wanted);
  ics_ice_pair_clear (&pair);
  if (wanted)
    {
      self->doubted = FALSE;
      ics_ice_attempt_set_state (self, ICS_ICE_CONNECTED);
      ics_ice_graduation_consider (self);
    }
  else if (self->state == ICS_ICE_CONNECTED)
    ics_ice_attempt_set_state (self, ICS_ICE_FAILED);
}

/* Once connected, the path's own probes tell whether it still works, and sooner. */
static void
note_doubt (IcsIceAttempt *self)
{
  if (self->doubted)
    return;
  self->doubted = TRUE;
  ics_attempt_events_note (self->events, "the checks on the selected pair are no longer answered");
}

static void
on_leg_changed (gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  if (ics_nice_leg_is_connected (self->leg))
    consider_pair (self);
  else if (self->state == ICS_ICE_CONNECTED && ics_nice_leg_has_failed (self->leg))
    note_doubt (self);
  else
    consider_failure (self);
}

gboolean
ics_ice_attempt_signal (IcsIceAttempt *self, const char *type, const char *line, const char *endpoint)
{
  if (self->gathered || self->n_candidates >= ICS_REMOTE_CANDIDATES_MAX
      || g_ptr_array_find_with_equal_func (self->signalled, endpoint, g_str_equal, NULL))
    return FALSE;
  self->n_candidates++;
  g_ptr_array_add (self->signalled, g_strdup (endpoint));
  ics_attempt_events_note (self->events, "gathered %s %s", type, endpoint);
  ics_attempt_events_candidate (self->events, line);
  return TRUE;
}

static void
on_leg_candidate (IcsCandidateType type, const char *line, const char *endpoint, gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  if (self->config.host_only && type != ICS_CANDIDATE_HOST)
    return;
  ics_ice_attempt_signal (self, ics_candidate_type_to_string (type), line, endpoint);
  if (type == ICS_CANDIDATE_HOST)
    ics_ice_mapping_add_socket (self, endpoint);
}

static void
on_refusal_told (const char *cause, gpointer user_data)
{
  IcsIceAttempt *self = user_data;
  g_autofree char *uri = ics_turn_server_to_uri (self->config.turn);

  self->inquiry = NULL;
  ics_attempt_events_note (self->events, "%s refused: %s", uri, cause);
  ics_ice_attempt_set_state (self, ICS_ICE_FAILED);
}

/* libnice does not tell what a server said. A tunnel has read it; over UDP the server is asked again. */
static void
fail_without_relay (IcsIceAttempt *self)
{
  g_autofree char *uri = ics_turn_server_to_uri (self->config.turn);
  GInetSocketAddress *server = self->gatherer != NULL ? ics_gatherer_get_server (self->gatherer) : NULL;
  gboolean answered = ics_nice_leg_was_answered (self->leg);

  if (answered && server != NULL)
    {
      self->inquiry
          = ics_turn_inquiry_start (server, self->config.turn, self->config.context, on_refusal_told, self);
      return;
    }
  if (!answered)
    ics_attempt_events_note (self->events, "no TURN server answered at %s", uri);
  ics_ice_attempt_set_state (self, ICS_ICE_FAILED);
}

void
ics_ice_attempt_consider_gathered (IcsIceAttempt *self)
{
  if (self->gathered || !self->leg_gathered || self->mapping)
    return;
  self->gathered = TRUE;
  ics_attempt_events_gathered (self->events);
  if (self->leg != NULL)
    consider_failure (self);
}

static void
on_leg_gathered (gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  if (self->leg_gathered)
    return;
  self->leg_gathered = TRUE;
  if (self->config.relay_only && self->n_candidates == 0)
    fail_without_relay (self);
  else if (!self->config.relay_only && self->config.stun != NULL && !ics_nice_leg_was_answered (self->leg))
    ics_attempt_events_note (self->events, "no complete answer from the STUN server %s",
                             self->config.stun->host);
  ics_ice_attempt_consider_gathered (self);
}

static void
on_leg_received (const guint8 *data, gsize len, gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  ics_attempt_events_received (self->events, data, len, len);
}

static void
on_leg_writable (gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  ics_attempt_events_writable (self->events);
}

static const IcsNiceLegHooks leg_hooks = {
  .candidate = on_leg_candidate,
  .gathered = on_leg_gathered,
  .changed = on_leg_changed,
  .received = on_leg_received,
  .writable = on_leg_writable,
};

/* The credentials before the candidates, and both after libnice has its sockets. */
static void
deliver_remote (IcsIceAttempt *self)
{
  if (self->gathering && self->endpoint == NULL && ics_remote_offer_deliver (self->remote, self->leg))
    on_leg_changed (self);
}

static void
on_gathering (gboolean gathering, gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  const IcsNat64Prefix *nat64 = ics_gatherer_get_nat64 (self->gatherer);

  self->gathering = gathering;
  /* A relay has a family of its own, whichever way it was asked; behind a translator is no LAN. */
  if (nat64 != NULL && !self->config.relay_only && !self->config.host_only)
    ics_remote_offer_set_nat64 (self->remote, nat64);
  if (gathering)
    {
      ics_ice_mapping_start (self);
      deliver_remote (self);
    }
  else
    ics_ice_attempt_set_state (self, ICS_ICE_FAILED);
}

static gboolean
start (IcsTraversal *traversal, GError **error)
{
  IcsIceAttempt *self = (IcsIceAttempt *)traversal;

  if (self->started || (self->config.relay_only && self->config.turn == NULL))
    {
      g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
                   self->started ? "The attempt was started before" : "A relay attempt needs a TURN server");
      return FALSE;
    }
  self->started = TRUE;
  start_limit (self);
  ics_gatherer_start (self->gatherer, on_gathering, self);
  return TRUE;
}

static void
get_credentials (IcsTraversal *traversal, const char **ufrag, const char **pwd)
{
  IcsIceAttempt *self = (IcsIceAttempt *)traversal;

  *ufrag = self->ufrag;
  *pwd = self->pwd;
}

static void
set_remote_credentials (IcsTraversal *traversal, const char *ufrag, const char *pwd)
{
  IcsIceAttempt *self = (IcsIceAttempt *)traversal;

  if (self->state == ICS_ICE_FAILED || !ics_remote_offer_set_credentials (self->remote, ufrag, pwd))
    return;
  ics_ice_attempt_set_state (self, ICS_ICE_CHECKING);
  if (self->started)
    start_limit (self);
  deliver_remote (self);
}

static gboolean
add_remote_candidate (IcsTraversal *traversal, const char *line)
{
  IcsIceAttempt *self = (IcsIceAttempt *)traversal;

  if (self->state == ICS_ICE_FAILED || !ics_remote_offer_add (self->remote, line))
    return FALSE;
  deliver_remote (self);
  return TRUE;
}

static void
end_of_candidates (IcsTraversal *traversal)
{
  IcsIceAttempt *self = (IcsIceAttempt *)traversal;

  if (ics_remote_offer_has_ended (self->remote))
    return;
  ics_remote_offer_end (self->remote);
  deliver_remote (self);
}

static IcsIceState
get_state (IcsTraversal *traversal)
{
  IcsIceAttempt *self = (IcsIceAttempt *)traversal;

  return self->state;
}

static void
finish (IcsIceAttempt *self)
{
  void (*closed) (gpointer) = self->closed;
  gpointer closed_data = self->closed_data;

  g_clear_pointer ((IcsTurnServer **)&self->config.stun, ics_turn_server_free);
  g_clear_pointer ((IcsTurnServer **)&self->config.turn, ics_turn_server_free);
  g_main_context_unref (self->config.context);
  g_free (self->ufrag);
  ics_secret_free (self->pwd);
  ics_remote_offer_free (self->remote);
  g_ptr_array_unref (self->signalled);
  g_ptr_array_unref (self->mapped);
  ics_ice_pair_clear (&self->pair);
  g_free (self->selected);
  g_free (self);
  if (closed != NULL)
    closed (closed_data);
}

/* Sockets and mappings, in whichever order. */
static void
on_part_closed (gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  if (--self->closing_parts == 0)
    finish (self);
}

static gboolean
on_free_idle (gpointer user_data)
{
  on_part_closed (user_data);
  return G_SOURCE_REMOVE;
}

static void
free_later (IcsIceAttempt *self)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_free_idle, self, NULL);
  g_source_attach (source, self->config.context);
}

static void
end (IcsTraversal *traversal, void (*closed) (gpointer), gpointer closed_data)
{
  IcsIceAttempt *self = (IcsIceAttempt *)traversal;

  self->closed = closed;
  self->closed_data = closed_data;
  g_clear_pointer (&self->gatherer, ics_gatherer_free);
  g_clear_pointer (&self->inquiry, ics_turn_inquiry_cancel);
  stop_limit (self);
  ics_ice_graduation_stop (self);
  ics_ice_traffic_stop_consent (self);
  ics_attempt_events_free (g_steal_pointer (&self->events));
  g_clear_pointer (&self->endpoint, ics_udp_endpoint_free);
  self->closing_parts = self->mapper != NULL ? 2 : 1;
  if (self->mapper != NULL)
    ics_port_mapper_close (self->mapper, on_part_closed, self);
  if (self->leg != NULL)
    ics_nice_leg_close (self->leg, on_part_closed, self);
  else
    free_later (self);
}

static const IcsTraversalClass ice_class = {
  .start = start,
  .get_credentials = get_credentials,
  .set_remote_credentials = set_remote_credentials,
  .add_remote_candidate = add_remote_candidate,
  .end_of_candidates = end_of_candidates,
  .get_state = get_state,
  .send_segments = ics_ice_attempt_send_segments,
  .get_base = ics_ice_attempt_get_base,
  .graduate = ics_ice_attempt_graduate,
  .confirm_consent = ics_ice_attempt_confirm_consent,
  .get_pair = ics_ice_attempt_get_pair,
  .free = end,
};

IcsTraversal *
ics_ice_attempt_new (const IcsIceConfig *config, const IcsIceCallbacks *callbacks, gpointer user_data)
{
  IcsIceAttempt *self = g_new0 (IcsIceAttempt, 1);
  IcsCandidateRules rules = { .relay_only = config->relay_only != config->one_hop,
                              .host_only = config->host_only,
                              .family = config->relay_only ? 0 : config->family };

  self->traversal.class = &ice_class;
  self->config = *config;
  self->config.stun = config->stun != NULL && !config->host_only ? ics_turn_server_copy (config->stun) : NULL;
  self->config.turn = config->turn != NULL ? ics_turn_server_copy (config->turn) : NULL;
  self->config.limit_ms = config->limit_ms != 0 ? config->limit_ms : LIMIT_MS;
  g_main_context_ref (self->config.context);
  self->events = ics_attempt_events_new (&self->traversal, callbacks, user_data, config->context);
  self->leg = ics_nice_leg_new (&self->config, &leg_hooks, self);
  ics_nice_leg_get_credentials (self->leg, &self->ufrag, &self->pwd);
  self->signalled = g_ptr_array_new_with_free_func (g_free);
  ics_ice_mapping_init (self);
  self->gatherer = ics_gatherer_new (&self->config, self->leg, self->events);
  /* What a relay reaches is its own business. */
  rules.allow_loopback = config->relay_only || ics_gatherer_has_only_loopback (self->gatherer);
  self->remote = ics_remote_offer_new (&rules, self->events);
  return &self->traversal;
}

void
ics_ice_attempt_set_tunnel (IcsTraversal *traversal, guint16 port)
{
  ics_gatherer_set_tunnel (((IcsIceAttempt *)traversal)->gatherer, port);
}
