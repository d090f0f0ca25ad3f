/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/nice-leg.h"
#include "agent/local-addresses.h"
#include "agent/nice-candidate.h"
#include "agent/nice-outlet.h"
#include "agent/nice-sockets.h"
#include "base/timeout.h"
#include <nice/agent.h>

#define COMPONENT NICE_COMPONENT_TYPE_RTP

/* A lone pair of hosts may pace faster than RFC 8445 §14.2's default of 50 ms, as two hosts do not congest
 * anything. */
#define TA_DIRECT_MS 5
#define TA_RELAY_MS 20

/* RFC 8489 §6.2.1: RTO, and Rc sendings; the last wait is halved by libnice: 0.5 + 1 + 2 + 1 s. */
#define RTO_MS 500
#define RC 4
#define UNANSWERED_MS 4500

/* How long the end of a leg waits for an allocation that is under way. */
#define ALLOCATION_PATIENCE_MS 1000

/* So that libnice drops none of the pairs of a host with many interfaces, best ones first or not. */
#define MAX_CHECKS (ICS_LOCAL_ADDRESSES_MAX * ICS_REMOTE_CANDIDATES_MAX)

struct _IcsNiceLeg
{
  NiceAgent *agent;
  guint stream;
  gboolean relay_only;
  const char *transport; /* between this host and its relay, or the peer */
  GMainContext *context;
  IcsNiceLegHooks hooks;
  gpointer user_data;
  IcsNiceOutlet *outlet; /* until closing */
  gint64 gather_started;
  gint64 gather_done;
  gboolean resolving;      /* libnice's own look-up of the STUN server is under way */
  gboolean teardown_waits; /* for the end of it */
  GSource *patience;       /* its own end */
  gboolean patient;
  gboolean torn_down;
  gboolean closing;
  gboolean muted; /* no hook runs any more */
  void (*closed) (gpointer);
  gpointer closed_data;
};

static void
attach (IcsNiceLeg *self, GSource *source, GSourceFunc func)
{
  g_source_set_callback (source, func, self, NULL);
  g_source_attach (source, self->context);
}

static void
attach_idle (IcsNiceLeg *self, GSourceFunc func)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  attach (self, source, func);
}

static gboolean
finish (gpointer user_data)
{
  IcsNiceLeg *self = user_data;
  void (*closed) (gpointer) = self->closed;
  gpointer closed_data = self->closed_data;

  nice_agent_remove_stream (self->agent, self->stream);
  g_object_unref (self->agent);
  g_main_context_unref (self->context);
  g_free (self);
  if (closed != NULL)
    closed (closed_data);
  return G_SOURCE_REMOVE;
}

/* This may run inside a callback of libnice that goes on to use the stream. */
static void
on_closed (G_GNUC_UNUSED GObject *source, G_GNUC_UNUSED GAsyncResult *result, gpointer user_data)
{
  attach_idle (user_data, finish);
}

/* libnice's look-up of the STUN server warns when it is cancelled, crashes when its stream is gone and leaks
 * when its agent is. An allocation that is granted after the agent began to close would never be given back:
 * worth waiting for, but not for long; what a slow server may still grant lapses there by itself. */
static gboolean
must_wait (IcsNiceLeg *self)
{
  return self->resolving
         || (self->patient && self->relay_only && self->gather_started != 0 && self->gather_done == 0);
}

/* The stream stays until the agent is closed: without it nobody reads the TURN server's answers, and each
 * allocation takes seconds of retransmissions to give back. */
static gboolean
teardown (gpointer user_data)
{
  IcsNiceLeg *self = user_data;

  self->teardown_waits = must_wait (self);
  /* The end of the gathering and that of the patience may come at the same time. */
  if (self->teardown_waits || self->torn_down)
    return G_SOURCE_REMOVE;
  self->torn_down = TRUE;
  ics_timeout_clear (&self->patience);
  g_signal_handlers_disconnect_by_data (self->agent, self);
  g_main_context_push_thread_default (self->context);
  nice_agent_close_async (self->agent, on_closed, self);
  g_main_context_pop_thread_default (self->context);
  return G_SOURCE_REMOVE;
}

static gboolean
on_patience_over (gpointer user_data)
{
  IcsNiceLeg *self = user_data;

  self->patient = FALSE;
  if (self->teardown_waits)
    teardown (self);
  return G_SOURCE_REMOVE;
}

static void
start_patience (IcsNiceLeg *self)
{
  self->patient = TRUE;
  self->patience = g_timeout_source_new (ALLOCATION_PATIENCE_MS);
  attach (self, self->patience, on_patience_over);
}

static void
on_new_candidate (NiceAgent *agent, NiceCandidate *candidate, gpointer user_data)
{
  IcsNiceLeg *self = user_data;
  IcsCandidateType type = ics_nice_candidate_get_type (candidate);
  g_autofree char *line = NULL;
  g_autofree char *endpoint = NULL;

  if (type == ICS_CANDIDATE_PRFLX || (type == ICS_CANDIDATE_RELAY) != self->relay_only)
    return;
  line = ics_nice_candidate_to_line (agent, candidate);
  endpoint = ics_nice_candidate_to_endpoint (candidate);
  if (line != NULL)
    self->hooks.candidate (type, line, endpoint, self->user_data);
}

static void
on_gathered (G_GNUC_UNUSED NiceAgent *agent, G_GNUC_UNUSED guint stream, gpointer user_data)
{
  IcsNiceLeg *self = user_data;

  self->gather_done = g_get_monotonic_time ();
  if (!self->closing)
    self->hooks.gathered (self->user_data);
  else if (self->teardown_waits)
    attach_idle (self, teardown);
}

static void
on_state (G_GNUC_UNUSED NiceAgent *agent, G_GNUC_UNUSED guint stream, G_GNUC_UNUSED guint component,
          G_GNUC_UNUSED guint state, gpointer user_data)
{
  IcsNiceLeg *self = user_data;

  self->hooks.changed (self->user_data);
}

static void
on_pair (G_GNUC_UNUSED NiceAgent *agent, G_GNUC_UNUSED guint stream, G_GNUC_UNUSED guint component,
         G_GNUC_UNUSED NiceCandidate *local, G_GNUC_UNUSED NiceCandidate *remote, gpointer user_data)
{
  IcsNiceLeg *self = user_data;

  self->hooks.changed (self->user_data);
}

static void
on_received (G_GNUC_UNUSED NiceAgent *agent, G_GNUC_UNUSED guint stream, G_GNUC_UNUSED guint component,
             guint len, gchar *data, gpointer user_data)
{
  IcsNiceLeg *self = user_data;

  if (!self->muted)
    self->hooks.received ((const guint8 *)data, len, self->user_data);
}

static const char *
transport_to_string (IcsTurnTransport transport)
{
  switch (transport)
    {
    case ICS_TURN_UDP:
      return "udp";
    case ICS_TURN_TCP:
      return "tcp";
    case ICS_TURN_TLS:
      return "tls";
    }
  return "?";
}

IcsNiceLeg *
ics_nice_leg_new (const IcsIceConfig *config, const IcsNiceLegHooks *hooks, gpointer user_data)
{
  IcsNiceLeg *self = g_new0 (IcsNiceLeg, 1);

  self->hooks = *hooks;
  self->user_data = user_data;
  self->relay_only = config->relay_only;
  self->transport
      = config->relay_only && config->turn != NULL ? transport_to_string (config->turn->transport) : "udp";
  self->context = g_main_context_ref (config->context);
  /* Not regular nomination: libnice then waits for every pair of higher priority to fail, 4.5 s for the inner
   * addresses of two NATs, before it nominates the one that works. */
  self->agent
      = nice_agent_new_full (config->context, NICE_COMPATIBILITY_RFC5245, NICE_AGENT_OPTION_ICE_TRICKLE);
  g_object_set (self->agent, "force-relay", config->relay_only, NULL);
  g_object_set (self->agent, "controlling-mode", config->controlling, "upnp", FALSE, "ice-tcp", FALSE,
                "keepalive-conncheck", TRUE, "stun-pacing-timer",
                config->relay_only ? TA_RELAY_MS : TA_DIRECT_MS, "stun-initial-timeout", RTO_MS,
                "stun-max-retransmissions", RC, "max-connectivity-checks", MAX_CHECKS, NULL);
  g_signal_connect (self->agent, "new-candidate-full", G_CALLBACK (on_new_candidate), self);
  g_signal_connect (self->agent, "candidate-gathering-done", G_CALLBACK (on_gathered), self);
  g_signal_connect (self->agent, "component-state-changed", G_CALLBACK (on_state), self);
  g_signal_connect (self->agent, "new-selected-pair-full", G_CALLBACK (on_pair), self);

  self->stream = nice_agent_add_stream (self->agent, 1);
  self->outlet = ics_nice_outlet_new (self->agent, self->stream, config->context, hooks->writable, user_data);
  nice_agent_attach_recv (self->agent, self->stream, COMPONENT, config->context, on_received, self);
  return self;
}

static void
begin_closing (IcsNiceLeg *self)
{
  self->closing = TRUE;
  g_signal_handlers_block_matched (self->agent, G_SIGNAL_MATCH_DATA, 0, 0, NULL, NULL, self);
  g_signal_handlers_unblock_by_func (self->agent, on_gathered, self);
  g_clear_pointer (&self->outlet, ics_nice_outlet_free);
  start_patience (self);
  attach_idle (self, teardown);
}

void
ics_nice_leg_close (IcsNiceLeg *self, void (*closed) (gpointer), gpointer closed_data)
{
  self->muted = TRUE;
  self->closed = closed;
  self->closed_data = closed_data;
  if (!self->closing)
    begin_closing (self);
}

GArray *
ics_nice_leg_retire (IcsNiceLeg *self, IcsFlow *selected, void (*closed) (gpointer), gpointer closed_data)
{
  GArray *fds = ics_nice_sockets_duplicate (self->agent, self->stream, selected);

  if (fds == NULL)
    return NULL;
  self->closed = closed;
  self->closed_data = closed_data;
  begin_closing (self);
  return fds;
}

void
ics_nice_leg_get_credentials (IcsNiceLeg *self, char **ufrag, char **pwd)
{
  nice_agent_get_local_credentials (self->agent, self->stream, ufrag, pwd);
}

static void
on_resolver_settled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  IcsNiceLeg *self = user_data;

  g_resolver_free_addresses (g_resolver_lookup_by_name_finish (G_RESOLVER (source), result, NULL));
  self->resolving = FALSE;
  if (self->teardown_waits)
    attach_idle (self, teardown);
}

/* libnice does not say when its look-up of the STUN server (a literal by now) is over. The same look-up,
 * started right after it in the same context, is answered right after it. */
static gboolean
follow_resolver (gpointer user_data)
{
  IcsNiceLeg *self = user_data;
  g_autoptr (GResolver) resolver = g_resolver_get_default ();
  g_autofree char *host = NULL;

  g_object_get (self->agent, "stun-server", &host, NULL);
  g_main_context_push_thread_default (self->context);
  g_resolver_lookup_by_name_async (resolver, host, NULL, on_resolver_settled, self);
  g_main_context_pop_thread_default (self->context);
  return G_SOURCE_REMOVE;
}

static void
add_server (IcsNiceLeg *self, GInetSocketAddress *server, const IcsTurnServer *turn)
{
  g_autofree char *host = g_inet_address_to_string (g_inet_socket_address_get_address (server));
  guint port = g_inet_socket_address_get_port (server);

  if (self->relay_only)
    nice_agent_set_relay_info (
        self->agent, self->stream, COMPONENT, host, port, turn->username, turn->password,
        turn->transport == ICS_TURN_UDP ? NICE_RELAY_TYPE_TURN_UDP : NICE_RELAY_TYPE_TURN_TCP);
  else
    g_object_set (self->agent, "stun-server", host, "stun-server-port", port, NULL);
}

static void
add_local_addresses (IcsNiceLeg *self, GPtrArray *local)
{
  for (guint i = 0; i < local->len; i++)
    {
      g_autofree char *text = g_inet_address_to_string (g_ptr_array_index (local, i));
      NiceAddress address;

      nice_address_init (&address);
      if (nice_address_set_from_string (&address, text))
        nice_agent_add_local_address (self->agent, &address);
    }
}

gboolean
ics_nice_leg_gather (IcsNiceLeg *self, GPtrArray *local, GInetSocketAddress *server,
                     const IcsTurnServer *turn)
{
  add_local_addresses (self, local);
  if (server != NULL)
    add_server (self, server, turn);
  self->gather_started = g_get_monotonic_time ();
  if (!nice_agent_gather_candidates (self->agent, self->stream))
    return FALSE;

  if (server != NULL && !self->relay_only)
    {
      g_autoptr (GSource) source = g_timeout_source_new (0);

      self->resolving = TRUE;
      attach (self, source, follow_resolver);
    }
  ics_nice_sockets_enlarge_buffers (self->agent, self->stream);
  return TRUE;
}

gboolean
ics_nice_leg_was_answered (IcsNiceLeg *self)
{
  return self->gather_done - self->gather_started < UNANSWERED_MS * G_TIME_SPAN_MILLISECOND;
}

int
ics_nice_leg_get_receive_buffer (IcsNiceLeg *self)
{
  return ics_nice_sockets_get_receive_buffer (self->agent, self->stream);
}

void
ics_nice_leg_set_remote_credentials (IcsNiceLeg *self, const char *ufrag, const char *pwd)
{
  nice_agent_set_remote_credentials (self->agent, self->stream, ufrag, pwd);
}

gboolean
ics_nice_leg_add_remote (IcsNiceLeg *self, const IcsRemoteCandidate *candidate)
{
  g_autofree char *sdp = ics_remote_candidate_to_sdp (candidate);
  NiceCandidate *parsed = nice_agent_parse_remote_candidate_sdp (self->agent, self->stream, sdp);
  GSList *list;

  if (parsed == NULL)
    return FALSE;
  list = g_slist_prepend (NULL, parsed);
  nice_agent_set_remote_candidates (self->agent, self->stream, COMPONENT, list);
  g_slist_free_full (list, (GDestroyNotify)nice_candidate_free);
  return TRUE;
}

void
ics_nice_leg_end_of_candidates (IcsNiceLeg *self)
{
  nice_agent_peer_candidate_gathering_done (self->agent, self->stream);
}

static NiceComponentState
component_state (IcsNiceLeg *self)
{
  return nice_agent_get_component_state (self->agent, self->stream, COMPONENT);
}

gboolean
ics_nice_leg_is_connected (IcsNiceLeg *self)
{
  NiceComponentState state = component_state (self);
  NiceCandidate *local = NULL, *remote = NULL;

  return (state == NICE_COMPONENT_STATE_CONNECTED || state == NICE_COMPONENT_STATE_READY)
         && nice_agent_get_selected_pair (self->agent, self->stream, COMPONENT, &local, &remote);
}

gboolean
ics_nice_leg_is_ready (IcsNiceLeg *self)
{
  return component_state (self) == NICE_COMPONENT_STATE_READY;
}

gboolean
ics_nice_leg_has_failed (IcsNiceLeg *self)
{
  return component_state (self) == NICE_COMPONENT_STATE_FAILED;
}

gboolean
ics_nice_leg_get_pair (IcsNiceLeg *self, IcsIcePair *pair)
{
  NiceCandidate *local = NULL, *remote = NULL;

  if (!nice_agent_get_selected_pair (self->agent, self->stream, COMPONENT, &local, &remote))
    return FALSE;
  pair->local = ics_nice_candidate_to_endpoint (local);
  pair->remote = ics_nice_candidate_to_endpoint (remote);
  pair->local_type = ics_candidate_type_to_string (ics_nice_candidate_get_type (local));
  pair->remote_type = ics_candidate_type_to_string (ics_nice_candidate_get_type (remote));
  pair->transport = self->transport;
  return TRUE;
}

GInetAddress *
ics_nice_leg_get_base (IcsNiceLeg *self)
{
  return ics_nice_sockets_get_base (self->agent, self->stream);
}

IcsSendResult
ics_nice_leg_send (IcsNiceLeg *self, const guint8 *data, gsize len)
{
  return ics_nice_outlet_send (self->outlet, data, len);
}
