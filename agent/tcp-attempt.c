/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/tcp-attempt-private.h"
#include "base/ics-error.h"
#include "base/timeout.h"

/* Where the round-trip time of the signals is not known yet. */
#define SIGNAL_RTT_US (200 * G_TIME_SPAN_MILLISECOND)

/* --- states and time --- */

void
ics_tcp_attempt_rearm (IcsTcpAttempt *self)
{
  gint64 next = MIN (self->limit_at, ics_tcp_race_next_timeout (self->race));

  if (self->selected != NULL)
    next = MIN (next, ics_consent_next_timeout (&self->consent));
  ics_timer_set (self->timer, next);
}

static void
start_limit (IcsTcpAttempt *self)
{
  self->limit_at = g_get_monotonic_time () + self->parent.config.limit_ms * G_TIME_SPAN_MILLISECOND;
  ics_tcp_attempt_rearm (self);
}

static gboolean
on_timer (gpointer user_data)
{
  IcsTcpAttempt *self = user_data;
  gint64 now = g_get_monotonic_time ();

  if (now >= self->limit_at)
    {
      ics_attempt_events_note (self->parent.events, "the peer's candidates did not come in time");
      ics_traversal_set_state (&self->parent, ICS_ICE_FAILED);
    }
  ics_tcp_race_handle_timeout (self->race, now);
  ics_tcp_traffic_handle_timeout (self, now);
  ics_tcp_links_run (self);
  return G_SOURCE_CONTINUE;
}

/* --- the exchange --- */

/* The controlling host's end of candidates is the last word: the one who says it and the one who hears it
 * count from there. */
static void
consider_start (IcsTcpAttempt *self)
{
  gboolean heard = ics_remote_offer_has_ended (self->parent.remote) && self->stun != NULL;

  if (self->gathered && !self->said_end && (heard || !self->parent.config.controlling))
    {
      self->said_end = TRUE;
      ics_attempt_events_gathered (self->parent.events);
    }
  if (heard && self->said_end && self->parent.state == ICS_ICE_CHECKING)
    {
      self->limit_at = G_MAXINT64; /* the race ends by itself */
      ics_tcp_race_start (self->race, g_get_monotonic_time ());
      ics_tcp_links_run (self);
    }
}

static void
on_gathered (gpointer user_data)
{
  IcsTcpAttempt *self = user_data;

  self->gathered = TRUE;
  self->nat64 = *ics_tcp_gatherer_get_nat64 (self->gatherer);
  ics_remote_offer_set_nat64 (self->parent.remote, &self->nat64);
  consider_start (self);
}

static gboolean
start (IcsTraversal *traversal, GError **error)
{
  IcsTcpAttempt *self = (IcsTcpAttempt *)traversal;

  if (self->started || !ics_tcp_links_listen (self))
    {
      g_set_error (error, ICS_ERROR, self->started ? ICS_ERROR_INVALID_ARGUMENT : ICS_ERROR_FAILED,
                   self->started ? "The attempt was started before" : "no TCP port can be opened");
      return FALSE;
    }
  self->started = TRUE;
  start_limit (self);
  ics_tcp_gatherer_start (self->gatherer, self->listeners[0].port, self->listeners[1].port);
  return TRUE;
}

static void
credentials_came (IcsTraversal *traversal)
{
  IcsTcpAttempt *self = (IcsTcpAttempt *)traversal;
  const IcsStunCredentials credentials = { .local_ufrag = self->parent.ufrag,
                                           .local_pwd = self->parent.pwd,
                                           .remote_ufrag = ics_remote_offer_get_ufrag (self->parent.remote),
                                           .remote_pwd = ics_remote_offer_get_pwd (self->parent.remote) };

  self->stun = ics_stun_peer_new (&credentials, self->parent.config.controlling);
  start_limit (self);
  consider_start (self);
}

static void
candidate_came (IcsTraversal *traversal)
{
  ics_tcp_links_add_targets ((IcsTcpAttempt *)traversal);
}

static void
candidates_ended (IcsTraversal *traversal)
{
  consider_start ((IcsTcpAttempt *)traversal);
}

static void
state_changed (IcsTraversal *traversal)
{
  if (traversal->state == ICS_ICE_CONNECTED || traversal->state == ICS_ICE_FAILED)
    ((IcsTcpAttempt *)traversal)->limit_at = G_MAXINT64;
}

/* --- from birth to death --- */

static void
stop (IcsTraversal *traversal)
{
  IcsTcpAttempt *self = (IcsTcpAttempt *)traversal;

  g_clear_pointer (&self->gatherer, ics_tcp_gatherer_free);
  ics_tcp_links_stop_listening (self);
  ics_tcp_links_close_all (self);
  g_source_destroy (self->timer);
}

static void
clear (IcsTraversal *traversal)
{
  IcsTcpAttempt *self = (IcsTcpAttempt *)traversal;

  g_clear_pointer (&self->stun, ics_stun_peer_free);
  ics_tcp_race_free (self->race);
  g_array_unref (self->targets);
  g_hash_table_unref (self->links);
  g_source_unref (self->timer);
  g_rand_free (self->random);
}

static const IcsTraversalClass tcp_class = {
  .start = start,
  .credentials_came = credentials_came,
  .candidate_came = candidate_came,
  .candidates_ended = candidates_ended,
  .state_changed = state_changed,
  .send_segments = ics_tcp_attempt_send_segments,
  .get_base = ics_tcp_attempt_get_base,
  .confirm_consent = ics_tcp_attempt_confirm_consent,
  .get_pair = ics_tcp_attempt_get_pair,
  .stop = stop,
  .clear = clear,
};

IcsTraversal *
ics_tcp_attempt_new (const IcsIceConfig *config, const IcsIceCallbacks *callbacks, gpointer user_data)
{
  IcsTcpAttempt *self = ics_traversal_new (&tcp_class, sizeof *self, config, callbacks, user_data);
  IcsCandidateRules rules = { .tcp = TRUE, .host_only = config->host_only, .family = config->family };

  ics_traversal_make_credentials (&self->parent);
  self->listeners[0].fd = self->listeners[1].fd = -1;
  self->gatherer = ics_tcp_gatherer_new (&self->parent.config, self->parent.events, on_gathered, self);
  rules.allow_loopback = ics_tcp_gatherer_has_only_loopback (self->gatherer);
  self->parent.remote = ics_remote_offer_new (&rules, self->parent.events);
  self->race = ics_tcp_race_new (config->controlling,
                                 config->signal_rtt_us != 0 ? config->signal_rtt_us : SIGNAL_RTT_US);
  self->targets = g_array_new (FALSE, FALSE, sizeof (guint));
  self->links = ics_tcp_links_new ();
  self->random = g_rand_new ();
  self->limit_at = G_MAXINT64;
  self->timer = ics_timer_new (config->context, on_timer, self);
  return &self->parent;
}
