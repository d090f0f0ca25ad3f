/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/relay-trial.h"
#include "agent/ice-attempt.h"
#include "agent/remote-candidate.h"
#include "agent/stun-ping.h"
#include "turn-fallback/turn-tunnel.h"

/* The connection over TCP or TLS, then the allocation; an inquiry takes two seconds more. */
#define CONNECT_MS 4000
#define LIMIT_MS 8000

struct _IcsRelayTrial
{
  IcsTurnServer *server;
  IcsTraversal *attempt;
  IcsTurnTunnel *tunnel; /* NULL over UDP */
  gint64 started_at;
  IcsStunPing *ping; /* over UDP, while it has no answer */
  gint64 rtt;        /* µs; -1 = not measured */
  char *address;     /* of the relay, while that is waited for */
  double setup_ms;
  GSource *late; /* when it could not even start */
  gboolean told;
  char *cause;          /* the last thing that was said */
  gboolean from_server; /* it was the tunnel that said it: it knows better */
  IcsRelayTrialFunc done;
  gpointer user_data;
  void (*closed) (gpointer);
  gpointer closed_data;
};

static void
tell (IcsRelayTrial *self)
{
  IcsRelayTrialResult result = { .address = self->address, .setup_ms = self->setup_ms, .rtt_ms = -1 };

  if (self->told || (self->address != NULL && self->ping != NULL))
    return;
  self->told = TRUE;
  if (self->tunnel != NULL)
    self->rtt = ics_turn_tunnel_get_rtt (self->tunnel);
  if (self->rtt >= 0)
    result.rtt_ms = (double)self->rtt / G_TIME_SPAN_MILLISECOND;
  if (self->address == NULL)
    result.error = self->cause != NULL ? self->cause : "it gave no relay, and no reason";
  self->done (self, &result, self->user_data);
}

static void
on_ping (gint64 rtt, gpointer user_data)
{
  IcsRelayTrial *self = user_data;

  self->ping = NULL;
  self->rtt = rtt;
  if (self->address != NULL)
    tell (self);
}

/* The server's name is known to whoever reads it. */
static void
keep_cause (IcsRelayTrial *self, const char *line)
{
  g_autofree char *uri = ics_turn_server_to_uri (self->server);
  const char *rest = g_str_has_prefix (line, uri) ? line + strlen (uri) : line;

  g_free (self->cause);
  self->cause = g_strdup (*rest == ' ' ? rest + 1 : line);
}

/* --- the attempt --- */

static void
on_candidate (G_GNUC_UNUSED IcsTraversal *attempt, const char *line, gpointer user_data)
{
  static const IcsCandidateRules rules = { .relay_only = TRUE };
  IcsRelayTrial *self = user_data;
  IcsRemoteCandidate candidate;

  if (self->address != NULL || ics_remote_candidate_parse (line, &rules, &candidate) != ICS_CANDIDATE_OK)
    return;
  self->address = g_strdup (candidate.address);
  self->setup_ms = (double)(g_get_monotonic_time () - self->started_at) / G_TIME_SPAN_MILLISECOND;
  tell (self);
}

/* Without a relay the attempt goes on to find out why, and fails. */
static void
on_gathered (G_GNUC_UNUSED IcsTraversal *attempt, G_GNUC_UNUSED gpointer user_data)
{
}

static void
on_state (G_GNUC_UNUSED IcsTraversal *attempt, IcsIceState state, gpointer user_data)
{
  if (state == ICS_ICE_FAILED)
    tell (user_data);
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
on_note (G_GNUC_UNUSED IcsTraversal *attempt, const char *line, gpointer user_data)
{
  IcsRelayTrial *self = user_data;

  g_debug ("relay trial: %s", line);
  if (!self->from_server)
    keep_cause (self, line);
}

static gboolean
on_late (gpointer user_data)
{
  tell (user_data);
  return G_SOURCE_REMOVE;
}

static void
begin (IcsRelayTrial *self, GMainContext *context)
{
  if (ics_traversal_start (self->attempt, NULL))
    return;
  self->late = g_idle_source_new ();
  g_source_set_callback (self->late, on_late, self, NULL);
  g_source_attach (self->late, context);
}

/* --- the tunnel --- */

static void
on_tunnel_ready (guint16 port, gpointer user_data)
{
  IcsRelayTrial *self = user_data;

  g_clear_pointer (&self->cause, g_free);
  self->from_server = FALSE;
  ics_ice_attempt_set_tunnel (self->attempt, port);
  begin (self, g_main_context_get_thread_default ());
}

static void
on_tunnel_ended (gpointer user_data)
{
  tell (user_data);
}

static void
on_tunnel_note (const char *line, gpointer user_data)
{
  IcsRelayTrial *self = user_data;

  g_debug ("relay trial: %s", line);
  keep_cause (self, line);
  self->from_server = TRUE;
}

static void
open_tunnel (IcsRelayTrial *self, const IcsRelayTrialConfig *config)
{
  static const IcsTurnTunnelCallbacks callbacks
      = { .ready = on_tunnel_ready, .ended = on_tunnel_ended, .note = on_tunnel_note };
  IcsTurnTunnelConfig tunnel
      = { .server = self->server, .ca = config->ca, .family = config->family, .timeout_ms = CONNECT_MS };

  self->tunnel = ics_turn_tunnel_new (&tunnel, &callbacks, self);
}

/* --- from birth to death --- */

IcsRelayTrial *
ics_relay_trial_start (const IcsRelayTrialConfig *config, IcsRelayTrialFunc done, gpointer user_data)
{
  static const IcsIceCallbacks callbacks = { .candidate = on_candidate,
                                             .gathered = on_gathered,
                                             .state = on_state,
                                             .received = on_received,
                                             .writable = on_writable,
                                             .note = on_note };
  IcsRelayTrial *self = g_new0 (IcsRelayTrial, 1);
  IcsIceConfig ice = { .controlling = TRUE,
                       .relay_only = TRUE,
                       .family = config->family,
                       .limit_ms = LIMIT_MS,
                       .context = config->context };

  ice.turn = self->server = ics_turn_server_copy (config->server);
  self->done = done;
  self->user_data = user_data;
  self->rtt = -1;
  self->setup_ms = -1;
  self->started_at = g_get_monotonic_time ();
  self->attempt = ics_ice_attempt_new (&ice, &callbacks, self);
  if (self->server->transport == ICS_TURN_UDP)
    {
      self->ping = ics_stun_ping_start (self->server->host, self->server->port, config->family,
                                        config->context, on_ping, self);
      begin (self, config->context);
    }
  else
    open_tunnel (self, config);
  return self;
}

/* The allocation was given back through the tunnel. */
static void
on_attempt_closed (gpointer user_data)
{
  IcsRelayTrial *self = user_data;
  void (*closed) (gpointer) = self->closed;
  gpointer closed_data = self->closed_data;

  g_clear_pointer (&self->tunnel, ics_turn_tunnel_free);
  ics_turn_server_free (self->server);
  g_free (self->cause);
  g_free (self->address);
  g_free (self);
  closed (closed_data);
}

void
ics_relay_trial_free (IcsRelayTrial *self, void (*closed) (gpointer), gpointer closed_data)
{
  if (self->late != NULL)
    g_source_destroy (self->late);
  g_clear_pointer (&self->late, g_source_unref);
  if (self->ping != NULL)
    ics_stun_ping_cancel (g_steal_pointer (&self->ping));
  if (self->tunnel != NULL)
    ics_turn_tunnel_mute (self->tunnel);
  self->closed = closed;
  self->closed_data = closed_data;
  ics_traversal_free (self->attempt, on_attempt_closed, self);
}
