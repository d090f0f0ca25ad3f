/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/tcp-attempt-private.h"
#include "base/ics-error.h"
#include "base/secret.h"
#include <sodium.h>

/* As the other attempts. */
#define LIMIT_MS 30000
/* RFC 8445 §5.3: at least 24 and 128 bits; each ice-char has 6. */
#define UFRAG_LEN 8
#define PWD_LEN 24

/* Where the round-trip time of the signals is not known yet. */
#define SIGNAL_RTT_US (200 * G_TIME_SPAN_MILLISECOND)

static char *
random_ice_chars (gsize len)
{
  static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char *text = g_malloc0 (len + 1);

  ics_secret_init ();
  for (gsize i = 0; i < len; i++)
    text[i] = chars[randombytes_uniform (sizeof chars - 1)];
  return text;
}

/* --- states and time --- */

void
ics_tcp_attempt_set_state (IcsTcpAttempt *self, IcsIceState state)
{
  if (self->state == state || self->state == ICS_ICE_FAILED)
    return;
  g_debug ("TCP attempt %p: state %d -> %d", (void *)self, self->state, state);
  self->state = state;
  if (state == ICS_ICE_CONNECTED || state == ICS_ICE_FAILED)
    self->limit_at = G_MAXINT64;
  ics_attempt_events_state (self->events, state);
}

void
ics_tcp_attempt_rearm (IcsTcpAttempt *self)
{
  gint64 next = MIN (self->limit_at, ics_tcp_race_next_timeout (self->race));

  if (self->selected != NULL)
    next = MIN (next, ics_consent_next_timeout (&self->consent));
  g_source_set_ready_time (self->timer, next == G_MAXINT64 ? -1 : next);
}

static void
start_limit (IcsTcpAttempt *self)
{
  guint limit_ms = self->config.limit_ms != 0 ? self->config.limit_ms : LIMIT_MS;

  self->limit_at = g_get_monotonic_time () + limit_ms * G_TIME_SPAN_MILLISECOND;
  ics_tcp_attempt_rearm (self);
}

static gboolean
on_timer (gpointer user_data)
{
  IcsTcpAttempt *self = user_data;
  gint64 now = g_get_monotonic_time ();

  if (now >= self->limit_at)
    {
      ics_attempt_events_note (self->events, "the peer's candidates did not come in time");
      ics_tcp_attempt_set_state (self, ICS_ICE_FAILED);
    }
  ics_tcp_race_handle_timeout (self->race, now);
  ics_tcp_traffic_handle_timeout (self, now);
  ics_tcp_links_run (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
run_callback (G_GNUC_UNUSED GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static GSourceFuncs timer_funcs = { .dispatch = run_callback };

/* --- the exchange --- */

/* The controlling host's end of candidates is the last word: the one who says it and the one who hears it
 * count from there. */
static void
consider_start (IcsTcpAttempt *self)
{
  gboolean heard = ics_remote_offer_has_ended (self->remote) && self->stun != NULL;

  if (self->gathered && !self->said_end && (heard || !self->config.controlling))
    {
      self->said_end = TRUE;
      ics_attempt_events_gathered (self->events);
    }
  if (heard && self->said_end && self->state == ICS_ICE_CHECKING)
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
  ics_remote_offer_set_nat64 (self->remote, &self->nat64);
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
get_credentials (IcsTraversal *traversal, const char **ufrag, const char **pwd)
{
  IcsTcpAttempt *self = (IcsTcpAttempt *)traversal;

  *ufrag = self->ufrag;
  *pwd = self->pwd;
}

static void
set_remote_credentials (IcsTraversal *traversal, const char *ufrag, const char *pwd)
{
  IcsTcpAttempt *self = (IcsTcpAttempt *)traversal;
  IcsStunCredentials credentials = { .local_ufrag = self->ufrag, .local_pwd = self->pwd };

  if (self->state == ICS_ICE_FAILED || !ics_remote_offer_set_credentials (self->remote, ufrag, pwd))
    return;
  credentials.remote_ufrag = ufrag;
  credentials.remote_pwd = pwd;
  self->stun = ics_stun_peer_new (&credentials, self->config.controlling);
  ics_tcp_attempt_set_state (self, ICS_ICE_CHECKING);
  start_limit (self);
  consider_start (self);
}

static gboolean
add_remote_candidate (IcsTraversal *traversal, const char *line)
{
  IcsTcpAttempt *self = (IcsTcpAttempt *)traversal;

  if (self->state == ICS_ICE_FAILED || !ics_remote_offer_add (self->remote, line))
    return FALSE;
  ics_tcp_links_add_targets (self);
  return TRUE;
}

static void
end_of_candidates (IcsTraversal *traversal)
{
  IcsTcpAttempt *self = (IcsTcpAttempt *)traversal;

  if (ics_remote_offer_has_ended (self->remote))
    return;
  ics_remote_offer_end (self->remote);
  consider_start (self);
}

static IcsIceState
get_state (IcsTraversal *traversal)
{
  return ((IcsTcpAttempt *)traversal)->state;
}

/* --- from birth to death --- */

static gboolean
on_free_idle (gpointer user_data)
{
  IcsTcpAttempt *self = user_data;
  void (*closed) (gpointer) = self->closed;
  gpointer closed_data = self->closed_data;

  g_clear_pointer ((IcsTurnServer **)&self->config.stun, ics_turn_server_free);
  g_main_context_unref (self->config.context);
  g_free (self->ufrag);
  ics_secret_free (self->pwd);
  ics_remote_offer_free (self->remote);
  g_clear_pointer (&self->stun, ics_stun_peer_free);
  ics_tcp_race_free (self->race);
  g_array_unref (self->targets);
  g_hash_table_unref (self->links);
  g_source_unref (self->timer);
  g_rand_free (self->random);
  g_free (self);
  if (closed != NULL)
    closed (closed_data);
  return G_SOURCE_REMOVE;
}

/* The caller may be a callback of one of the connections. */
static void
end (IcsTraversal *traversal, void (*closed) (gpointer), gpointer closed_data)
{
  IcsTcpAttempt *self = (IcsTcpAttempt *)traversal;
  g_autoptr (GSource) source = g_idle_source_new ();

  self->closed = closed;
  self->closed_data = closed_data;
  ics_attempt_events_free (g_steal_pointer (&self->events));
  g_clear_pointer (&self->gatherer, ics_tcp_gatherer_free);
  ics_tcp_links_stop_listening (self);
  ics_tcp_links_close_all (self);
  g_source_destroy (self->timer);
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_free_idle, self, NULL);
  g_source_attach (source, self->config.context);
}

static const IcsTraversalClass tcp_class = {
  .start = start,
  .get_credentials = get_credentials,
  .set_remote_credentials = set_remote_credentials,
  .add_remote_candidate = add_remote_candidate,
  .end_of_candidates = end_of_candidates,
  .get_state = get_state,
  .send_segments = ics_tcp_attempt_send_segments,
  .get_base = ics_tcp_attempt_get_base,
  .confirm_consent = ics_tcp_attempt_confirm_consent,
  .get_pair = ics_tcp_attempt_get_pair,
  .free = end,
};

IcsTraversal *
ics_tcp_attempt_new (const IcsIceConfig *config, const IcsIceCallbacks *callbacks, gpointer user_data)
{
  IcsTcpAttempt *self = g_new0 (IcsTcpAttempt, 1);
  IcsCandidateRules rules = { .tcp = TRUE, .host_only = config->host_only, .family = config->family };

  self->traversal.class = &tcp_class;
  self->config = *config;
  self->config.stun = config->stun != NULL && !config->host_only ? ics_turn_server_copy (config->stun) : NULL;
  self->config.turn = NULL;
  g_main_context_ref (self->config.context);
  self->events = ics_attempt_events_new (&self->traversal, callbacks, user_data, config->context);
  self->ufrag = random_ice_chars (UFRAG_LEN);
  self->pwd = random_ice_chars (PWD_LEN);
  self->listeners[0].fd = self->listeners[1].fd = -1;
  self->gatherer = ics_tcp_gatherer_new (&self->config, self->events, on_gathered, self);
  rules.allow_loopback = ics_tcp_gatherer_has_only_loopback (self->gatherer);
  self->remote = ics_remote_offer_new (&rules, self->events);
  self->race = ics_tcp_race_new (config->controlling,
                                 config->signal_rtt_us != 0 ? config->signal_rtt_us : SIGNAL_RTT_US);
  self->targets = g_array_new (FALSE, FALSE, sizeof (guint));
  self->links = ics_tcp_links_new ();
  self->random = g_rand_new ();
  self->limit_at = G_MAXINT64;
  self->timer = g_source_new (&timer_funcs, sizeof (GSource));
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_attach (self->timer, config->context);
  return &self->traversal;
}
