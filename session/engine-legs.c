/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/engine-private.h"

/* The two legs: the relayed one and the direct one, each a series of attempts. The joiner is ICE controlling
 * and starts the attempts after the first; the listener follows what arrives on the control stream. */

/* An attempt that has no proven path by then has failed, whatever ICE says. */
#define ATTEMPT_TIMEOUT_US (40 * G_USEC_PER_SEC)
/* An attempt holds sockets, and its end takes time. A peer that starts one after the other makes no more than
 * these: the one that carries the traffic, the one that looks for a better, and one on its way out. */
#define MAX_ATTEMPTS 3
#define MAX_CLOSING 8

static IcsPathKind
kind_of (IcsLeg leg)
{
  return leg == ICS_LEG_TURN ? ICS_PATH_TURN : ICS_PATH_DIRECT;
}

static gboolean
leg_is_wanted (IcsEngine *self, IcsLeg leg)
{
  return (ics_engine_allowed (self) & 1u << kind_of (leg)) != 0;
}

/* --- the end of an attempt --- */

static void
on_ice_closed (gpointer user_data)
{
  IcsEngine *self = user_data;

  self->closing_attempts--;
  ics_engine_wake (self);
}

static void
drop_path (IcsAttempt *attempt)
{
  if (attempt->path != NULL)
    ics_engine_remove_path (attempt->engine, attempt->path);
  attempt->path = NULL;
}

static void
attempt_free (IcsAttempt *attempt)
{
  IcsEngine *self = attempt->engine;

  g_queue_remove (&self->legs[attempt->leg].attempts, attempt);
  drop_path (attempt);
  self->closing_attempts++;
  if (attempt->ice != NULL)
    ics_ice_attempt_free (attempt->ice, on_ice_closed, self);
  else
    on_ice_closed (self);
  g_free (attempt);
}

static void
plan_retry (IcsEngine *self, IcsLeg leg, gint64 delay)
{
  IcsLegState *state = &self->legs[leg];
  gint64 at = g_get_monotonic_time () + delay;

  if (!self->joiner || !leg_is_wanted (self, leg))
    return;
  state->retry_at = MIN (state->retry_at, at);
  ics_engine_wake (self);
}

/* So that the peer does not wait for an answer that never comes. */
static void
tell_failed (IcsEngine *self, IcsLeg leg, guint number)
{
  IcsControl message = { .type = ICS_CONTROL_FAILED, .leg = leg, .attempt = number };

  ics_engine_send_control (self, &message);
}

/* The attempt came to nothing; the peer is told, so that neither waits for the other. */
static void
attempt_failed (IcsAttempt *attempt, gboolean tell)
{
  IcsEngine *self = attempt->engine;
  IcsLegState *state = &self->legs[attempt->leg];
  IcsLeg leg = attempt->leg;

  ics_engine_note (self, "%s attempt %u failed", ics_leg_to_string (leg), attempt->number);
  if (tell)
    tell_failed (self, leg, attempt->number);
  attempt_free (attempt);
  plan_retry (self, leg, state->retry_delay);
  state->retry_delay = MIN (state->retry_delay * 2, ICS_RETRY_MAX_US);
}

/* --- what the attempt says --- */

static void
on_candidate (IcsIceAttempt *ice, const char *line, gpointer user_data)
{
  IcsAttempt *attempt = user_data;
  IcsControl message
      = { .type = ICS_CONTROL_CANDIDATE, .leg = attempt->leg, .attempt = attempt->number, .a = (char *)line };

  ics_engine_send_control (attempt->engine, &message);
}

static void
on_gathered (IcsIceAttempt *ice, gpointer user_data)
{
  IcsAttempt *attempt = user_data;
  IcsControl message = { .type = ICS_CONTROL_END, .leg = attempt->leg, .attempt = attempt->number };

  ics_engine_send_control (attempt->engine, &message);
}

static void
on_ice_state (IcsIceAttempt *ice, IcsIceState state, gpointer user_data)
{
  IcsAttempt *attempt = user_data;

  switch (state)
    {
    case ICS_ICE_GATHERING:
    case ICS_ICE_CHECKING:
      break;
    case ICS_ICE_CONNECTED:
      if (attempt->path == NULL)
        attempt->path = ics_engine_add_path (attempt->engine, kind_of (attempt->leg), ice);
      break;
    case ICS_ICE_FAILED:
      /* Not here: the attempt is on the stack. */
      attempt->failed = TRUE;
      ics_engine_wake (attempt->engine);
      break;
    }
}

static void
on_received (IcsIceAttempt *ice, const guint8 *data, gsize len, gpointer user_data)
{
  IcsAttempt *attempt = user_data;

  if (attempt->path != NULL)
    ics_engine_receive (attempt->engine, attempt->path, data, len);
}

static void
on_ice_writable (IcsIceAttempt *ice, gpointer user_data)
{
  IcsAttempt *attempt = user_data;

  if (attempt->path != NULL)
    ics_carrier_unblock (attempt->path);
}

static void
on_ice_note (IcsIceAttempt *ice, const char *line, gpointer user_data)
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
  .note = on_ice_note,
};

/* --- starting one --- */

static const IcsTurnServer *
find_server (GPtrArray *servers, gboolean stun)
{
  for (guint i = 0; servers != NULL && i < servers->len; i++)
    {
      const IcsTurnServer *server = g_ptr_array_index (servers, i);

      /* A TURN server answers STUN requests too (RFC 8656 §5). */
      if (server->transport == ICS_TURN_UDP && (stun || !server->is_stun))
        return server;
    }
  return NULL;
}

static const IcsTurnServer *
choose_server (IcsEngine *self, gboolean stun)
{
  IcsWsChannel *ws = ics_pairing_get_ws (self);
  const IcsTurnServer *server = find_server (self->own_turn, stun);

  if (server == NULL && ws != NULL && !self->no_server_turn)
    server = find_server (ics_ws_channel_get_turn_servers (ws), stun);
  return server;
}

static gboolean
configure (IcsEngine *self, IcsLeg leg, IcsIceConfig *config)
{
  *config = (IcsIceConfig){ .controlling = self->joiner, .family = self->family, .context = self->context };
  if (leg == ICS_LEG_DIRECT)
    {
      config->host_only = self->policy == ICS_PATH_POLICY_LAN;
      config->stun = config->host_only ? NULL : choose_server (self, TRUE);
      return TRUE;
    }
  config->relay_only = TRUE;
  config->turn = choose_server (self, FALSE);
  if (config->turn == NULL)
    ics_engine_note (self, "no TURN server is known: there is no turn path");
  return config->turn != NULL;
}

static void
send_credentials (IcsAttempt *attempt)
{
  IcsControl message = { .type = ICS_CONTROL_ICE, .leg = attempt->leg, .attempt = attempt->number };
  const char *ufrag, *pwd;

  ics_ice_attempt_get_credentials (attempt->ice, &ufrag, &pwd);
  message.a = (char *)ufrag;
  message.b = (char *)pwd;
  ics_engine_send_control (attempt->engine, &message);
}

static IcsAttempt *
start_attempt (IcsEngine *self, IcsLeg leg, guint number)
{
  IcsLegState *state = &self->legs[leg];
  g_autoptr (GError) error = NULL;
  IcsAttempt *attempt;
  IcsIceConfig config;

  state->newest = number;
  state->retry_at = G_MAXINT64;
  if (!leg_is_wanted (self, leg) || !configure (self, leg, &config))
    return NULL;
  attempt = g_new0 (IcsAttempt, 1);
  attempt->engine = self;
  attempt->leg = leg;
  attempt->number = number;
  attempt->deadline = g_get_monotonic_time () + ATTEMPT_TIMEOUT_US;
  g_queue_push_tail (&state->attempts, attempt);
  attempt->ice = ics_ice_attempt_new (&config, &ice_callbacks, attempt);
  if (!ics_ice_attempt_start (attempt->ice, &error))
    {
      ics_engine_note (self, "%s attempt %u can not start: %s", ics_leg_to_string (leg), number,
                       error->message);
      attempt->failed = TRUE;
      ics_engine_wake (self);
      return attempt;
    }
  send_credentials (attempt);
  return attempt;
}

void
ics_legs_start (IcsEngine *self)
{
  for (guint leg = 0; leg < ICS_N_LEGS; leg++)
    if (leg_is_wanted (self, (IcsLeg)leg) && start_attempt (self, (IcsLeg)leg, 1) == NULL)
      tell_failed (self, (IcsLeg)leg, 1);
}

/* --- what the peer says --- */

static IcsAttempt *
find_attempt (IcsEngine *self, IcsLeg leg, guint number)
{
  for (GList *l = self->legs[leg].attempts.head; l != NULL; l = l->next)
    if (((IcsAttempt *)l->data)->number == number)
      return l->data;
  return NULL;
}

/* Of the leg's attempts the oldest that does not carry the traffic makes room. */
static gboolean
make_room (IcsEngine *self, IcsLeg leg)
{
  guint active = ics_path_engine_get_active (self->paths);
  GQueue *attempts = &self->legs[leg].attempts;
  GList *oldest = attempts->head;

  if (self->closing_attempts >= MAX_CLOSING)
    return FALSE;
  if (g_queue_get_length (attempts) < MAX_ATTEMPTS)
    return TRUE;
  if (((IcsAttempt *)oldest->data)->path != NULL && ((IcsAttempt *)oldest->data)->path->id == active)
    oldest = oldest->next;
  attempt_free (oldest->data);
  return TRUE;
}

static IcsAttempt *
attempt_for (IcsEngine *self, const IcsControl *message)
{
  IcsAttempt *attempt = find_attempt (self, message->leg, message->attempt);

  if (attempt != NULL || message->type != ICS_CONTROL_ICE || self->joiner
      || message->attempt <= self->legs[message->leg].newest)
    return attempt;
  attempt = make_room (self, message->leg) ? start_attempt (self, message->leg, message->attempt) : NULL;
  if (attempt == NULL)
    tell_failed (self, message->leg, message->attempt);
  return attempt;
}

void
ics_legs_handle_control (IcsEngine *self, const IcsControl *message)
{
  IcsAttempt *attempt = attempt_for (self, message);

  /* Late words for an attempt that is over. */
  if (attempt == NULL || attempt->failed)
    return;
  if (message->type == ICS_CONTROL_ICE)
    ics_ice_attempt_set_remote_credentials (attempt->ice, message->a, message->b);
  else if (message->type == ICS_CONTROL_CANDIDATE)
    {
      if (!ics_ice_attempt_add_remote_candidate (attempt->ice, message->a))
        self->strays++;
    }
  else if (message->type == ICS_CONTROL_END)
    ics_ice_attempt_end_of_candidates (attempt->ice);
  else if (message->type == ICS_CONTROL_FAILED && attempt->path == NULL)
    attempt_failed (attempt, FALSE);
}

/* --- what becomes of the paths --- */

/* Attempts older than the proven one go, unless the traffic is still on them. */
static void
prune (IcsEngine *self, IcsLeg leg, guint proven)
{
  guint active = ics_path_engine_get_active (self->paths);
  GList *next;

  for (GList *l = self->legs[leg].attempts.head; l != NULL; l = next)
    {
      IcsAttempt *attempt = l->data;

      next = l->next;
      if (attempt->number < proven && (attempt->path == NULL || attempt->path->id != active))
        attempt_free (attempt);
    }
}

static IcsAttempt *
attempt_of_path (IcsEngine *self, const IcsCarrier *path)
{
  for (guint leg = 0; leg < ICS_N_LEGS; leg++)
    for (GList *l = self->legs[leg].attempts.head; l != NULL; l = l->next)
      if (((IcsAttempt *)l->data)->path == path)
        return l->data;
  return NULL;
}

void
ics_legs_path_proved (IcsEngine *self, IcsCarrier *path)
{
  IcsAttempt *attempt = attempt_of_path (self, path);

  if (attempt == NULL)
    return;
  attempt->deadline = G_MAXINT64;
  self->legs[attempt->leg].retry_delay = ICS_RETRY_MIN_US;
  self->legs[attempt->leg].retry_at = G_MAXINT64;
  prune (self, attempt->leg, attempt->number);
}

/* The path may come back to life; meanwhile a fresh attempt looks for another. */
void
ics_legs_path_died (IcsEngine *self, IcsCarrier *path)
{
  IcsAttempt *attempt = attempt_of_path (self, path);

  if (attempt != NULL && attempt->number == self->legs[attempt->leg].newest)
    plan_retry (self, attempt->leg, self->legs[attempt->leg].retry_delay);
}

/* --- time --- */

static void
handle_leg (IcsEngine *self, IcsLeg leg, gint64 now)
{
  IcsLegState *state = &self->legs[leg];
  GList *next;

  for (GList *l = state->attempts.head; l != NULL; l = next)
    {
      IcsAttempt *attempt = l->data;

      next = l->next;
      if (attempt->failed || now >= attempt->deadline)
        attempt_failed (attempt, TRUE);
    }
  if (now < state->retry_at)
    return;
  state->retry_at = G_MAXINT64;
  if (state->newest < G_MAXUINT16)
    start_attempt (self, leg, state->newest + 1);
}

void
ics_legs_handle_timeout (IcsEngine *self, gint64 now)
{
  for (guint leg = 0; leg < ICS_N_LEGS; leg++)
    handle_leg (self, (IcsLeg)leg, now);
}

gint64
ics_legs_next_timeout (IcsEngine *self)
{
  gint64 next = G_MAXINT64;

  for (guint leg = 0; leg < ICS_N_LEGS; leg++)
    {
      next = MIN (next, self->legs[leg].retry_at);
      for (GList *l = self->legs[leg].attempts.head; l != NULL; l = l->next)
        next = MIN (next, ((IcsAttempt *)l->data)->deadline);
    }
  return next;
}

void
ics_legs_stop (IcsEngine *self)
{
  for (guint leg = 0; leg < ICS_N_LEGS; leg++)
    {
      self->legs[leg].retry_at = G_MAXINT64;
      while (!g_queue_is_empty (&self->legs[leg].attempts))
        attempt_free (g_queue_peek_head (&self->legs[leg].attempts));
    }
}
