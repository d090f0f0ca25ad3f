/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/local-addresses.h"
#include "agent/nice-candidate.h"
#include "agent/nice-leg-private.h"
#include "agent/nice-sockets.h"

#define COMPONENT NICE_COMPONENT_TYPE_RTP

/* A lone pair of hosts may pace faster than RFC 8445 §14.2's default of 50 ms, as two hosts do not congest
 * anything. */
#define TA_DIRECT_MS 5
#define TA_RELAY_MS 20

/* RFC 8489 §6.2.1: RTO, and Rc sendings; the last wait is halved by libnice: 0.5 + 1 + 2 + 1 s. */
#define RTO_MS 500
#define RC 4
#define UNANSWERED_MS 4500

/* So that libnice drops none of the pairs of a host with many interfaces, best ones first or not. */
#define MAX_CHECKS (ICS_LOCAL_ADDRESSES_MAX * ICS_REMOTE_CANDIDATES_MAX)

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
  g_signal_connect (self->agent, "candidate-gathering-done", G_CALLBACK (ics_nice_leg_on_gathered), self);
  g_signal_connect (self->agent, "component-state-changed", G_CALLBACK (on_state), self);
  g_signal_connect (self->agent, "new-selected-pair-full", G_CALLBACK (on_pair), self);

  self->stream = nice_agent_add_stream (self->agent, 1);
  self->outlet = ics_nice_outlet_new (self->agent, self->stream, config->context, hooks->writable, user_data);
  nice_agent_attach_recv (self->agent, self->stream, COMPONENT, config->context, on_received, self);
  return self;
}

void
ics_nice_leg_get_credentials (IcsNiceLeg *self, char **ufrag, char **pwd)
{
  nice_agent_get_local_credentials (self->agent, self->stream, ufrag, pwd);
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
    ics_nice_leg_follow_resolver (self);
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
