/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/engine-legs.h"

/* One attempt of a leg, from its start to its end. */

/* An attempt that has no proven path by then has failed, whatever ICE says. */
#define ATTEMPT_TIMEOUT_US (40 * G_USEC_PER_SEC)

/* --- the end --- */

void
ics_attempt_tell_over (IcsEngine *self, IcsLeg leg, guint number)
{
  IcsControl message = { .type = ICS_CONTROL_OVER, .leg = leg, .attempt = number };

  ics_engine_send_control (self, &message);
}

/* The allocation is given back through the tunnel. */
typedef struct
{
  IcsEngine *engine;
  IcsTurnTunnel *tunnel;
} Closing;

static void
on_ice_closed (gpointer user_data)
{
  g_autofree Closing *closing = user_data;
  IcsEngine *self = closing->engine;

  g_clear_pointer (&closing->tunnel, ics_turn_tunnel_free);
  self->closing_attempts--;
  ics_engine_wake (self);
}

void
ics_attempt_end (IcsAttempt *attempt, gboolean tell)
{
  IcsEngine *self = attempt->engine;
  Closing *closing = g_new0 (Closing, 1);

  g_queue_remove (&self->legs[attempt->leg].attempts, attempt);
  if (tell)
    ics_attempt_tell_over (self, attempt->leg, attempt->number);
  if (attempt->path != NULL)
    ics_engine_remove_path (self, attempt->path);
  self->closing_attempts++;
  closing->engine = self;
  closing->tunnel = attempt->tunnel;
  if (closing->tunnel != NULL)
    ics_turn_tunnel_mute (closing->tunnel);
  ics_traversal_free (attempt->ice, on_ice_closed, closing);
  g_free (attempt);
}

/* --- what the attempt says --- */

static void
say (IcsAttempt *attempt, IcsControlType type, const char *a, const char *b)
{
  IcsControl message = { .type = type,
                         .leg = attempt->leg,
                         .attempt = attempt->number,
                         .relays = attempt->relays,
                         .server = attempt->server,
                         .a = (char *)a,
                         .b = (char *)b };

  ics_engine_send_control (attempt->engine, &message);
}

static void
on_candidate (G_GNUC_UNUSED IcsTraversal *ice, const char *line, gpointer user_data)
{
  IcsAttempt *attempt = user_data;

  ics_why_candidate (attempt->engine, attempt->leg, TRUE, line);
  say (attempt, ICS_CONTROL_CANDIDATE, line, NULL);
}

static void
on_gathered (G_GNUC_UNUSED IcsTraversal *ice, gpointer user_data)
{
  IcsAttempt *attempt = user_data;

  ics_why_told_all (attempt->engine, attempt->leg, TRUE);
  say (attempt, ICS_CONTROL_END, NULL, NULL);
}

/* Not at once: the attempt is on the stack. */
void
ics_attempt_fail (IcsAttempt *attempt)
{
  attempt->failed = TRUE;
  ics_engine_wake (attempt->engine);
}

static void
on_ice_state (IcsTraversal *ice, IcsIceState state, gpointer user_data)
{
  IcsAttempt *attempt = user_data;

  switch (state)
    {
    case ICS_ICE_GATHERING:
    case ICS_ICE_CHECKING:
      break;
    case ICS_ICE_CONNECTED:
      if (attempt->path == NULL)
        attempt->path
            = ics_engine_add_path (attempt->engine, ics_leg_get_kind (attempt->leg)->path_kind, ice);
      break;
    case ICS_ICE_FAILED:
      ics_attempt_fail (attempt);
      break;
    }
}

static void
on_received (G_GNUC_UNUSED IcsTraversal *ice, const guint8 *data, gsize len, gsize segment,
             gpointer user_data)
{
  IcsAttempt *attempt = user_data;

  if (attempt->path != NULL)
    ics_engine_receive (attempt->engine, attempt->path, data, len, segment);
}

static void
on_ice_writable (G_GNUC_UNUSED IcsTraversal *ice, gpointer user_data)
{
  IcsAttempt *attempt = user_data;

  if (attempt->path != NULL)
    ics_carrier_unblock (attempt->path);
}

static void
on_ice_down (G_GNUC_UNUSED IcsTraversal *ice, gboolean down, gpointer user_data)
{
  IcsAttempt *attempt = user_data;

  if (attempt->path == NULL)
    return;
  ics_path_engine_set_down (attempt->engine->paths, g_get_monotonic_time (), attempt->path->id, down);
  ics_engine_wake (attempt->engine);
}

static void
on_ice_roamed (G_GNUC_UNUSED IcsTraversal *ice, gpointer user_data)
{
  IcsAttempt *attempt = user_data;

  if (attempt->path != NULL)
    ics_engine_path_roamed (attempt->engine, attempt->path);
}

static void
on_ice_note (G_GNUC_UNUSED IcsTraversal *ice, const char *line, gpointer user_data)
{
  IcsAttempt *attempt = user_data;

  ics_engine_note (attempt->engine, "%s %u: %s", ics_leg_to_string (attempt->leg), attempt->number, line);
}

static const IcsIceCallbacks ice_callbacks = {
  .candidate = on_candidate,
  .gathered = on_gathered,
  .state = on_ice_state,
  .received = on_received,
  .writable = on_ice_writable,
  .down = on_ice_down,
  .roamed = on_ice_roamed,
  .note = on_ice_note,
};

/* --- the start --- */

static const char *
describe (IcsRelays relays, gboolean joiner)
{
  switch (relays)
    {
    case ICS_RELAYS_NONE:
      return "no relay";
    case ICS_RELAYS_JOINER:
      return joiner ? "this host relays" : "the other host relays";
    case ICS_RELAYS_LISTENER:
      return joiner ? "the other host relays" : "this host relays";
    case ICS_RELAYS_BOTH:
      return "both hosts relay";
    }
  return "?";
}

static void
note_start (IcsAttempt *attempt, const IcsIceConfig *config)
{
  const char *what = attempt->leg != ICS_LEG_SEARCH ? describe (attempt->relays, attempt->engine->joiner)
                     : config->opens                ? "this host opens, the other one probes"
                                                    : "the other host opens, this one probes";
  g_autofree char *uri = config->turn != NULL ? ics_turn_server_to_uri (config->turn) : NULL;

  ics_engine_note (attempt->engine, "%s attempt %u: %s%s%s", ics_leg_to_string (attempt->leg),
                   attempt->number, what, uri != NULL ? ", here on " : "", uri != NULL ? uri : "");
}

/* The signals go where the traffic goes. */
static gint64
signal_rtt (IcsEngine *self)
{
  IcsPathStatus status;

  return ics_path_engine_get_info (self->paths, ics_path_engine_get_active (self->paths), &status)
             ? status.srtt_us
             : 0;
}

/* At once: the listener takes attempts in the order of their numbers. */
static void
announce (IcsAttempt *attempt)
{
  const char *ufrag, *pwd;

  ics_traversal_get_credentials (attempt->ice, &ufrag, &pwd);
  say (attempt, ICS_CONTROL_ICE, ufrag, pwd);
}

void
ics_attempt_begin (IcsAttempt *attempt)
{
  g_autoptr (GError) error = NULL;

  if (ics_traversal_start (attempt->ice, &error))
    return;
  ics_engine_note (attempt->engine, "%s attempt %u can not start: %s", ics_leg_to_string (attempt->leg),
                   attempt->number, error->message);
  ics_attempt_fail (attempt);
}

IcsAttempt *
ics_attempt_start (IcsEngine *self, IcsLeg leg, guint number, const IcsLegRoute *route)
{
  IcsAttempt *attempt;
  IcsIceConfig config;

  if ((ics_engine_allowed (self) & 1u << ics_leg_get_kind (leg)->path_kind) == 0
      || !ics_servers_configure (self, leg, route, &config))
    return NULL;
  /* libnice prefers whichever interface comes last. So a VPN has its turn when the networks alone led
   * nowhere, at both hosts. */
  config.likely_only = leg == ICS_LEG_DIRECT && number % 2 == 1;
  config.signal_rtt_us = signal_rtt (self);
  attempt = g_new0 (IcsAttempt, 1);
  attempt->engine = self;
  attempt->leg = leg;
  attempt->number = number;
  attempt->relays = route->relays;
  attempt->server = route->listener_server;
  attempt->deadline = g_get_monotonic_time () + ATTEMPT_TIMEOUT_US;
  g_queue_push_tail (&self->legs[leg].attempts, attempt);
  note_start (attempt, &config);
  ics_why_attempt_started (self, leg, &config);
  attempt->ice = ics_leg_get_kind (leg)->make (&config, &ice_callbacks, attempt);
  announce (attempt);
  if (config.turn != NULL && config.turn->transport != ICS_TURN_UDP)
    ics_attempt_open_tunnel (attempt, config.turn);
  else
    ics_attempt_begin (attempt);
  return attempt;
}

/* --- questions --- */

IcsAttempt *
ics_attempt_find (IcsEngine *self, IcsLeg leg, guint number)
{
  for (GList *l = self->legs[leg].attempts.head; l != NULL; l = l->next)
    if (((IcsAttempt *)l->data)->number == number)
      return l->data;
  return NULL;
}

gboolean
ics_attempt_is_lan (IcsAttempt *attempt)
{
  IcsIcePair pair = { 0 };
  gboolean lan = ics_traversal_get_pair (attempt->ice, &pair) && g_strcmp0 (pair.local_type, "host") == 0
                 && g_strcmp0 (pair.remote_type, "host") == 0;

  ics_ice_pair_clear (&pair);
  return lan;
}

IcsAttempt *
ics_attempt_of_path (IcsEngine *self, const IcsCarrier *path)
{
  for (guint leg = 0; leg < ICS_N_LEGS; leg++)
    for (GList *l = self->legs[leg].attempts.head; l != NULL; l = l->next)
      if (((IcsAttempt *)l->data)->path == path)
        return l->data;
  return NULL;
}

gboolean
ics_attempt_is_active (IcsAttempt *attempt)
{
  return attempt->path != NULL && attempt->path->id == ics_path_engine_get_active (attempt->engine->paths);
}

char *
ics_attempt_get_relay (IcsAttempt *attempt)
{
  IcsIcePair pair = { 0 };
  char *relay, *port;

  if (attempt->leg != ICS_LEG_TURN || !ics_traversal_get_pair (attempt->ice, &pair))
    return NULL;
  relay = g_strdup (ics_relays_include (attempt->relays, attempt->engine->joiner) ? pair.local : pair.remote);
  ics_ice_pair_clear (&pair);
  port = strrchr (relay, ':');
  if (port != NULL)
    *port = '\0';
  return relay;
}
