/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/ice-attempt-private.h"
#include "base/timeout.h"

static gboolean
on_limit (gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  ics_attempt_events_note (self->parent.events, "no pair of candidates answered within %g s",
                           self->parent.config.limit_ms / 1000.0);
  g_clear_pointer (&self->gatherer, ics_gatherer_free);
  ics_traversal_set_state (&self->parent, ICS_ICE_FAILED);
  return G_SOURCE_REMOVE;
}

static void
start_limit (IcsIceAttempt *self)
{
  ics_timeout_clear (&self->limit);
  self->limit = g_timeout_source_new (self->parent.config.limit_ms);
  g_source_set_callback (self->limit, on_limit, self, NULL);
  g_source_attach (self->limit, self->parent.config.context);
}

/* libnice also says "failed" when what it had so far failed, while candidates are still to come. */
static void
consider_failure (IcsIceAttempt *self)
{
  if (!self->gathered || self->inquiry != NULL || !ics_remote_offer_has_ended (self->parent.remote)
      || self->parent.state != ICS_ICE_CHECKING || !ics_nice_leg_has_failed (self->leg))
    return;
  ics_attempt_events_note (self->parent.events, "no pair of candidates answered");
  ics_traversal_set_state (&self->parent, ICS_ICE_FAILED);
}

static void
note_pair (IcsIceAttempt *self, const IcsIcePair *pair, gboolean wanted)
{
  g_autofree char *text
      = g_strdup_printf ("pair %s -> %s %s", pair->local, pair->remote, wanted ? "selected" : "ignored");

  if (g_strcmp0 (text, self->selected) == 0)
    return;
  ics_attempt_events_note (self->parent.events, "%s (%s, %s)", text, pair->local_type, pair->remote_type);
  g_free (self->selected);
  self->selected = g_steal_pointer (&text);
  self->pair_since = g_get_monotonic_time ();
}

gboolean
ics_ice_attempt_wants (IcsIceAttempt *self, const IcsIcePair *pair)
{
  gboolean plain = self->parent.config.one_hop && !self->parent.config.relay_only;

  /* The plain host of the two speaks to the other's relay, and to nothing else. */
  return ics_ice_pair_is_wanted (pair, self->parent.config.host_only)
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
      ics_traversal_set_state (&self->parent, ICS_ICE_CONNECTED);
      ics_ice_graduation_consider (self);
    }
  else if (self->parent.state == ICS_ICE_CONNECTED)
    ics_traversal_set_state (&self->parent, ICS_ICE_FAILED);
}

/* Once connected, the path's own probes tell whether it still works, and sooner. */
static void
note_doubt (IcsIceAttempt *self)
{
  if (self->doubted)
    return;
  self->doubted = TRUE;
  ics_attempt_events_note (self->parent.events, "the checks on the selected pair are no longer answered");
}

static void
on_leg_changed (gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  if (ics_nice_leg_is_connected (self->leg))
    consider_pair (self);
  else if (self->parent.state == ICS_ICE_CONNECTED && ics_nice_leg_has_failed (self->leg))
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
  ics_attempt_events_note (self->parent.events, "gathered %s %s", type, endpoint);
  ics_attempt_events_candidate (self->parent.events, line);
  return TRUE;
}

static void
on_leg_candidate (IcsCandidateType type, const char *line, const char *endpoint, gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  if (self->parent.config.host_only && type != ICS_CANDIDATE_HOST)
    return;
  ics_ice_attempt_signal (self, ics_candidate_type_to_string (type), line, endpoint);
  if (type == ICS_CANDIDATE_HOST)
    ics_ice_mapping_add_socket (self, endpoint);
}

static void
on_refusal_told (const char *cause, gpointer user_data)
{
  IcsIceAttempt *self = user_data;
  g_autofree char *uri = ics_turn_server_to_uri (self->parent.config.turn);

  self->inquiry = NULL;
  ics_attempt_events_note (self->parent.events, "%s refused: %s", uri, cause);
  ics_traversal_set_state (&self->parent, ICS_ICE_FAILED);
}

/* libnice does not tell what a server said. A tunnel has read it; over UDP the server is asked again. */
static void
fail_without_relay (IcsIceAttempt *self)
{
  g_autofree char *uri = ics_turn_server_to_uri (self->parent.config.turn);
  GInetSocketAddress *server = self->gatherer != NULL ? ics_gatherer_get_server (self->gatherer) : NULL;
  gboolean answered = ics_nice_leg_was_answered (self->leg);

  if (answered && server != NULL)
    {
      self->inquiry = ics_turn_inquiry_start (server, self->parent.config.turn, self->parent.config.context,
                                              on_refusal_told, self);
      return;
    }
  if (!answered)
    ics_attempt_events_note (self->parent.events, "no TURN server answered at %s", uri);
  ics_traversal_set_state (&self->parent, ICS_ICE_FAILED);
}

void
ics_ice_attempt_consider_gathered (IcsIceAttempt *self)
{
  if (self->gathered || !self->leg_gathered || self->mapping)
    return;
  self->gathered = TRUE;
  ics_attempt_events_gathered (self->parent.events);
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
  if (self->parent.config.relay_only && self->n_candidates == 0)
    fail_without_relay (self);
  else if (!self->parent.config.relay_only && self->parent.config.stun != NULL
           && !ics_nice_leg_was_answered (self->leg))
    ics_attempt_events_note (self->parent.events, "no complete answer from the STUN server %s",
                             self->parent.config.stun->host);
  ics_ice_attempt_consider_gathered (self);
}

static void
on_leg_received (const guint8 *data, gsize len, gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  ics_attempt_events_received (self->parent.events, data, len, len);
}

static void
on_leg_writable (gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  ics_attempt_events_writable (self->parent.events);
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
  if (self->gathering && self->udp.endpoint == NULL
      && ics_remote_offer_deliver (self->parent.remote, self->leg))
    on_leg_changed (self);
}

static void
on_gathering (gboolean gathering, gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  const IcsNat64Prefix *nat64 = ics_gatherer_get_nat64 (self->gatherer);

  self->gathering = gathering;
  /* A relay has a family of its own, whichever way it was asked; behind a translator is no LAN. */
  if (nat64 != NULL && !self->parent.config.relay_only && !self->parent.config.host_only)
    ics_remote_offer_set_nat64 (self->parent.remote, nat64);
  if (gathering)
    {
      ics_ice_mapping_start (self);
      deliver_remote (self);
    }
  else
    ics_traversal_set_state (&self->parent, ICS_ICE_FAILED);
}

static gboolean
start (IcsTraversal *traversal, GError **error)
{
  IcsIceAttempt *self = (IcsIceAttempt *)traversal;

  if (self->started || (self->parent.config.relay_only && self->parent.config.turn == NULL))
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
state_changed (IcsTraversal *traversal)
{
  IcsIceAttempt *self = (IcsIceAttempt *)traversal;

  if (traversal->state == ICS_ICE_CONNECTED || traversal->state == ICS_ICE_FAILED)
    ics_timeout_clear (&self->limit);
  if (traversal->state == ICS_ICE_CONNECTED)
    ics_ice_traffic_start_consent (self);
}

static void
credentials_came (IcsTraversal *traversal)
{
  IcsIceAttempt *self = (IcsIceAttempt *)traversal;

  if (self->started)
    start_limit (self);
  deliver_remote (self);
}

static void
more_came (IcsTraversal *traversal)
{
  deliver_remote ((IcsIceAttempt *)traversal);
}

/* --- the end --- */

static void
stop (IcsTraversal *traversal)
{
  IcsIceAttempt *self = (IcsIceAttempt *)traversal;

  g_clear_pointer (&self->gatherer, ics_gatherer_free);
  g_clear_pointer (&self->inquiry, ics_turn_inquiry_cancel);
  ics_timeout_clear (&self->limit);
  ics_ice_graduation_stop (self);
  ics_ice_traffic_stop_consent (self);
  ics_attempt_endpoint_close (&self->udp);
  /* Sockets and mappings, in whichever order. */
  if (self->mapper != NULL)
    {
      ics_traversal_hold (traversal);
      ics_port_mapper_close (self->mapper, ics_traversal_release, self);
    }
  if (self->leg != NULL)
    {
      ics_traversal_hold (traversal);
      ics_nice_leg_close (self->leg, ics_traversal_release, self);
    }
}

static void
clear (IcsTraversal *traversal)
{
  IcsIceAttempt *self = (IcsIceAttempt *)traversal;

  g_ptr_array_unref (self->signalled);
  g_ptr_array_unref (self->mapped);
  ics_attempt_endpoint_clear (&self->udp);
  g_free (self->selected);
}

static const IcsTraversalClass ice_class = {
  .start = start,
  .credentials_came = credentials_came,
  .candidate_came = more_came,
  .candidates_ended = more_came,
  .state_changed = state_changed,
  .send_segments = ics_ice_attempt_send_segments,
  .get_base = ics_ice_attempt_get_base,
  .graduate = ics_ice_attempt_graduate,
  .confirm_consent = ics_ice_attempt_confirm_consent,
  .get_pair = ics_ice_attempt_get_pair,
  .stop = stop,
  .clear = clear,
};

IcsTraversal *
ics_ice_attempt_new (const IcsIceConfig *config, const IcsIceCallbacks *callbacks, gpointer user_data)
{
  IcsIceAttempt *self = ics_traversal_new (&ice_class, sizeof *self, config, callbacks, user_data);
  IcsCandidateRules rules = { .relay_only = config->relay_only != config->one_hop,
                              .host_only = config->host_only,
                              .family = config->relay_only ? 0 : config->family };

  self->leg = ics_nice_leg_new (&self->parent.config, &leg_hooks, self);
  ics_nice_leg_get_credentials (self->leg, &self->parent.ufrag, &self->parent.pwd);
  self->signalled = g_ptr_array_new_with_free_func (g_free);
  ics_ice_mapping_init (self);
  self->gatherer = ics_gatherer_new (&self->parent.config, self->leg, self->parent.events);
  /* What a relay reaches is its own business. */
  rules.allow_loopback = config->relay_only || ics_gatherer_has_only_loopback (self->gatherer);
  self->parent.remote = ics_remote_offer_new (&rules, self->parent.events);
  return &self->parent;
}

void
ics_ice_attempt_set_tunnel (IcsTraversal *traversal, guint16 port)
{
  ics_gatherer_set_tunnel (((IcsIceAttempt *)traversal)->gatherer, port);
}
