/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/ice-attempt.h"
#include "agent/attempt-events.h"
#include "agent/local-addresses.h"
#include "agent/nice-leg.h"
#include "agent/remote-candidate.h"
#include "agent/server-lookup.h"
#include "base/secret.h"
#include <string.h>

/* A path that is not found in this time is looked for again by a fresh attempt. */
#define ATTEMPT_LIMIT_MS 30000

/* Host candidates wait for the STUN server's name, relayed ones are nothing without the TURN server's. */
#define STUN_LOOKUP_MS 3000
#define TURN_LOOKUP_MS 5000

#define REFUSAL_NOTES_MAX 8
#define RECEIVE_BUFFER_WANTED (4 * 1024 * 1024)

struct _IcsIceAttempt
{
  IcsIceConfig config; /* its servers are copies */
  IcsAttemptEvents *events;
  IcsIceState state;
  IcsNiceLeg *leg;
  IcsServerLookup *lookup;
  GPtrArray *local; /* direct leg: GInetAddress */
  GSource *limit;

  char *ufrag, *pwd;
  guint n_candidates;
  gboolean started, gathering, gathered;

  IcsCandidateRules rules;
  IcsRemoteCandidateList remote;
  char *remote_ufrag, *remote_pwd;
  gboolean credentials_delivered;
  guint n_delivered;
  gboolean remote_done;
  guint n_refused;

  char *selected;   /* the pair as last noted */
  gboolean doubted; /* libnice has given up the selected pair */

  void (*closed) (gpointer);
  gpointer closed_data;
};

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

static void
set_state (IcsIceAttempt *self, IcsIceState state)
{
  if (self->state == state || self->state == ICS_ICE_FAILED)
    return;
  g_debug ("ICE attempt %p: %s -> %s", (void *)self, state_to_string (self->state), state_to_string (state));
  self->state = state;
  if (state == ICS_ICE_CONNECTED || state == ICS_ICE_FAILED)
    stop_limit (self);
  ics_attempt_events_state (self->events, state);
}

static gboolean
on_limit (gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  ics_attempt_events_note (self->events, "no pair of candidates answered within %d s",
                           ATTEMPT_LIMIT_MS / 1000);
  set_state (self, ICS_ICE_FAILED);
  return G_SOURCE_REMOVE;
}

static void
start_limit (IcsIceAttempt *self)
{
  stop_limit (self);
  self->limit = g_timeout_source_new (ATTEMPT_LIMIT_MS);
  g_source_set_callback (self->limit, on_limit, self, NULL);
  g_source_attach (self->limit, self->config.context);
}

/* libnice also says "failed" when what it had so far failed, while candidates are still to come. */
static void
consider_failure (IcsIceAttempt *self)
{
  if (!self->gathered || !self->remote_done || self->state != ICS_ICE_CHECKING
      || !ics_nice_leg_has_failed (self->leg))
    return;
  ics_attempt_events_note (self->events, "no pair of candidates answered");
  set_state (self, ICS_ICE_FAILED);
}

static void
note_selected_pair (IcsIceAttempt *self)
{
  IcsIcePair pair = { 0 };
  g_autofree char *text = NULL;

  if (!ics_nice_leg_get_pair (self->leg, &pair))
    return;
  text = g_strdup_printf ("%s -> %s", pair.local, pair.remote);
  if (g_strcmp0 (text, self->selected) != 0)
    {
      ics_attempt_events_note (self->events, "pair %s selected (%s, %s)", text, pair.local_type,
                               pair.remote_type);
      g_free (self->selected);
      self->selected = g_steal_pointer (&text);
    }
  ics_ice_pair_clear (&pair);
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
    {
      self->doubted = FALSE;
      note_selected_pair (self);
      set_state (self, ICS_ICE_CONNECTED);
    }
  else if (self->state == ICS_ICE_CONNECTED && ics_nice_leg_has_failed (self->leg))
    note_doubt (self);
  else
    consider_failure (self);
}

static void
on_leg_candidate (IcsCandidateType type, const char *line, const char *endpoint, gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  if (self->n_candidates >= ICS_REMOTE_CANDIDATES_MAX
      || (self->config.host_only && type != ICS_CANDIDATE_HOST))
    return;
  self->n_candidates++;
  ics_attempt_events_note (self->events, "gathered %s %s", ics_candidate_type_to_string (type), endpoint);
  ics_attempt_events_candidate (self->events, line);
}

static void
fail_without_relay (IcsIceAttempt *self)
{
  g_autofree char *uri = ics_turn_server_to_uri (self->config.turn);

  if (ics_nice_leg_was_answered (self->leg))
    ics_attempt_events_note (self->events, "%s refused: wrong or expired credentials, or nothing to allocate",
                             uri);
  else
    ics_attempt_events_note (self->events, "no TURN server answered at %s", uri);
  set_state (self, ICS_ICE_FAILED);
}

static void
on_leg_gathered (gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  if (self->gathered)
    return;
  self->gathered = TRUE;
  ics_attempt_events_gathered (self->events);
  if (self->config.relay_only && self->n_candidates == 0)
    fail_without_relay (self);
  else if (!self->config.relay_only && self->config.stun != NULL && !ics_nice_leg_was_answered (self->leg))
    ics_attempt_events_note (self->events, "no complete answer from the STUN server %s",
                             self->config.stun->host);
  consider_failure (self);
}

static void
on_leg_received (const guint8 *data, gsize len, gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  ics_attempt_events_received (self->events, data, len);
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

IcsIceAttempt *
ics_ice_attempt_new (const IcsIceConfig *config, const IcsIceCallbacks *callbacks, gpointer user_data)
{
  IcsIceAttempt *self = g_new0 (IcsIceAttempt, 1);

  self->config = *config;
  self->config.stun = config->stun != NULL && !config->host_only ? ics_turn_server_copy (config->stun) : NULL;
  self->config.turn = config->turn != NULL ? ics_turn_server_copy (config->turn) : NULL;
  g_main_context_ref (self->config.context);
  self->events = ics_attempt_events_new (self, callbacks, user_data, config->context);

  self->rules.relay_only = config->relay_only;
  self->rules.host_only = config->host_only;
  self->rules.family = config->family;
  if (!config->relay_only)
    {
      self->local = ics_local_addresses_get (config->family);
      self->rules.allow_loopback
          = self->local->len > 0 && g_inet_address_get_is_loopback (g_ptr_array_index (self->local, 0));
    }
  self->leg = ics_nice_leg_new (&self->config, &leg_hooks, self);
  ics_nice_leg_get_credentials (self->leg, &self->ufrag, &self->pwd);
  return self;
}

/* The credentials before the candidates, and both after libnice has its sockets. */
static void
deliver_remote (IcsIceAttempt *self)
{
  if (!self->gathering || self->remote_ufrag == NULL)
    return;
  if (!self->credentials_delivered)
    ics_nice_leg_set_remote_credentials (self->leg, self->remote_ufrag, self->remote_pwd);
  self->credentials_delivered = TRUE;
  while (self->n_delivered < self->remote.len)
    {
      const IcsRemoteCandidate *candidate = &self->remote.items[self->n_delivered++];

      if (!ics_nice_leg_add_remote (self->leg, candidate))
        ics_attempt_events_note (self->events, "libnice does not take the candidate %s", candidate->address);
    }
  if (self->remote_done)
    {
      ics_nice_leg_end_of_candidates (self->leg);
      consider_failure (self);
    }
}

static void
gather (IcsIceAttempt *self, GPtrArray *local, GInetSocketAddress *server)
{
  int buffer;

  if (self->state == ICS_ICE_FAILED)
    return;
  if (!ics_nice_leg_gather (self->leg, local, server, self->config.turn))
    {
      ics_attempt_events_note (self->events, "no socket could be opened on any local address");
      set_state (self, ICS_ICE_FAILED);
      return;
    }
  self->gathering = TRUE;
  buffer = ics_nice_leg_get_receive_buffer (self->leg);
  if (buffer < RECEIVE_BUFFER_WANTED)
    ics_attempt_events_note (self->events, "receive buffers of %d KiB only (see net.core.rmem_max)",
                             buffer / 1024);
  deliver_remote (self);
}

static void
on_stun_found (GInetSocketAddress *server, G_GNUC_UNUSED GInetAddress *source, const char *reason,
               gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  self->lookup = NULL;
  if (server == NULL)
    ics_attempt_events_note (self->events, "the STUN server %s is not to be had: %s", self->config.stun->host,
                             reason);
  gather (self, self->local, server);
}

/* One local address, or libnice asks for a relay from each. */
static void
on_turn_found (GInetSocketAddress *server, GInetAddress *source, const char *reason, gpointer user_data)
{
  IcsIceAttempt *self = user_data;
  g_autoptr (GPtrArray) local = g_ptr_array_new ();

  self->lookup = NULL;
  if (server != NULL)
    {
      g_ptr_array_add (local, source);
      gather (self, local, server);
      return;
    }
  ics_attempt_events_note (self->events, "the TURN server %s is not to be had: %s", self->config.turn->host,
                           reason);
  set_state (self, ICS_ICE_FAILED);
}

static void
start_lookup (IcsIceAttempt *self, const IcsTurnServer *server, guint timeout_ms, IcsServerLookupFunc done)
{
  IcsServerLookupConfig config = { .host = server->host,
                                   .port = server->port,
                                   .family = self->config.family,
                                   .context = self->config.context,
                                   .timeout_ms = timeout_ms };

  self->lookup = ics_server_lookup_start (&config, done, self);
}

static void
start_direct (IcsIceAttempt *self)
{
  const IcsTurnServer *stun = self->config.stun;

  if (self->local->len == 0)
    {
      ics_attempt_events_note (self->events, "this host has no address to connect from");
      set_state (self, ICS_ICE_FAILED);
    }
  else if (stun != NULL && stun->transport == ICS_TURN_UDP)
    start_lookup (self, stun, STUN_LOOKUP_MS, on_stun_found);
  else
    gather (self, self->local, NULL);
}

static void
start_relay (IcsIceAttempt *self)
{
  const IcsTurnServer *turn = self->config.turn;
  g_autofree char *uri = ics_turn_server_to_uri (turn);

  if (turn->transport == ICS_TURN_UDP && turn->username != NULL && turn->password != NULL)
    {
      start_lookup (self, turn, TURN_LOOKUP_MS, on_turn_found);
      return;
    }
  if (turn->transport != ICS_TURN_UDP)
    ics_attempt_events_note (self->events, "%s cannot be used: TURN is spoken over UDP only", uri);
  else
    ics_attempt_events_note (self->events, "%s cannot be used: no credentials for it", uri);
  set_state (self, ICS_ICE_FAILED);
}

gboolean
ics_ice_attempt_start (IcsIceAttempt *self, GError **error)
{
  if (self->started || (self->config.relay_only && self->config.turn == NULL))
    {
      g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
                   self->started ? "The attempt was started before" : "A relay attempt needs a TURN server");
      return FALSE;
    }
  self->started = TRUE;
  start_limit (self);
  if (self->config.relay_only)
    start_relay (self);
  else
    start_direct (self);
  return TRUE;
}

void
ics_ice_attempt_get_credentials (IcsIceAttempt *self, const char **ufrag, const char **pwd)
{
  *ufrag = self->ufrag;
  *pwd = self->pwd;
}

void
ics_ice_attempt_set_remote_credentials (IcsIceAttempt *self, const char *ufrag, const char *pwd)
{
  if (self->remote_ufrag != NULL || self->state == ICS_ICE_FAILED)
    return;
  if (!ics_ice_credentials_are_valid (ufrag, pwd))
    {
      ics_attempt_events_note (self->events, "the peer's ICE credentials are malformed");
      return;
    }
  self->remote_ufrag = g_strdup (ufrag);
  self->remote_pwd = g_strdup (pwd);
  set_state (self, ICS_ICE_CHECKING);
  if (self->started)
    start_limit (self);
  deliver_remote (self);
}

gboolean
ics_ice_attempt_add_remote_candidate (IcsIceAttempt *self, const char *line)
{
  IcsRemoteCandidate candidate;
  IcsCandidateVerdict verdict;
  g_autofree char *endpoint = NULL;

  if (self->remote_done || self->state == ICS_ICE_FAILED)
    return FALSE;
  verdict = ics_remote_candidate_parse (line, &self->rules, &candidate);
  if (verdict == ICS_CANDIDATE_OK)
    verdict = ics_remote_candidate_list_add (&self->remote, &candidate);
  if (verdict != ICS_CANDIDATE_OK)
    {
      if (++self->n_refused <= REFUSAL_NOTES_MAX)
        ics_attempt_events_note (self->events, "a candidate of the peer was refused: %s",
                                 ics_candidate_verdict_to_string (verdict));
      return FALSE;
    }
  endpoint = ics_remote_candidate_to_endpoint (&candidate);
  ics_attempt_events_note (self->events, "peer offers %s %s", ics_candidate_type_to_string (candidate.type),
                           endpoint);
  deliver_remote (self);
  return TRUE;
}

void
ics_ice_attempt_end_of_candidates (IcsIceAttempt *self)
{
  if (self->remote_done)
    return;
  self->remote_done = TRUE;
  deliver_remote (self);
}

IcsIceState
ics_ice_attempt_get_state (IcsIceAttempt *self)
{
  return self->state;
}

IcsSendResult
ics_ice_attempt_send (IcsIceAttempt *self, const guint8 *data, gsize len)
{
  IcsSendResult result;

  if (self->state != ICS_ICE_CONNECTED)
    return ICS_SEND_FAILED;
  result = ics_nice_leg_send (self->leg, data, len);
  if (result == ICS_SEND_FAILED && self->doubted)
    {
      ics_attempt_events_note (self->events, "the selected pair cannot be used any more");
      set_state (self, ICS_ICE_FAILED);
    }
  return result;
}

gboolean
ics_ice_attempt_get_pair (IcsIceAttempt *self, IcsIcePair *pair)
{
  return ics_nice_leg_get_pair (self->leg, pair);
}

void
ics_ice_pair_clear (IcsIcePair *pair)
{
  g_free (pair->local);
  g_free (pair->remote);
  memset (pair, 0, sizeof *pair);
}

static void
on_leg_closed (gpointer user_data)
{
  IcsIceAttempt *self = user_data;
  void (*closed) (gpointer) = self->closed;
  gpointer closed_data = self->closed_data;

  g_clear_pointer ((IcsTurnServer **)&self->config.stun, ics_turn_server_free);
  g_clear_pointer ((IcsTurnServer **)&self->config.turn, ics_turn_server_free);
  g_main_context_unref (self->config.context);
  g_clear_pointer (&self->local, g_ptr_array_unref);
  g_free (self->ufrag);
  ics_secret_free (self->pwd);
  g_free (self->remote_ufrag);
  ics_secret_free (self->remote_pwd);
  g_free (self->selected);
  g_free (self);
  if (closed != NULL)
    closed (closed_data);
}

void
ics_ice_attempt_free (IcsIceAttempt *self, void (*closed) (gpointer), gpointer closed_data)
{
  self->closed = closed;
  self->closed_data = closed_data;
  if (self->lookup != NULL)
    ics_server_lookup_cancel (g_steal_pointer (&self->lookup));
  stop_limit (self);
  ics_attempt_events_free (g_steal_pointer (&self->events));
  ics_nice_leg_close (self->leg, on_leg_closed, self);
}
