/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/engine-legs.h"

/* The legs, each a series of attempts. The joiner is ICE controlling
 * and has a plan for each leg; the listener follows what arrives on the control stream. */

/* An attempt's end takes time. A peer that starts one after the other makes no more than these. */
#define MAX_CLOSING 12

static gboolean
leg_is_wanted (IcsEngine *self, IcsLeg leg)
{
  if (leg == ICS_LEG_SEARCH
      && (self->policy == ICS_PATH_POLICY_LAN || self->peer_policy == ICS_PATH_POLICY_LAN))
    return FALSE;
  return (ics_engine_allowed (self) & 1u << ics_leg_get_kind (leg)->path_kind) != 0;
}

void
ics_legs_init (IcsEngine *self)
{
  for (guint leg = 0; leg < ICS_N_LEGS; leg++)
    {
      g_queue_init (&self->legs[leg].attempts);
      if (self->joiner)
        self->legs[leg].plan = ics_leg_plan_new (&ics_leg_get_kind ((IcsLeg)leg)->plan);
    }
}

void
ics_legs_clear (IcsEngine *self)
{
  for (guint leg = 0; leg < ICS_N_LEGS; leg++)
    g_clear_pointer (&self->legs[leg].plan, ics_leg_plan_free);
}

/* --- the joiner's plans --- */

static void
start_planned (IcsEngine *self, IcsLeg leg, const IcsLegPlanAction *action, gint64 now)
{
  if (self->closing_attempts < MAX_CLOSING
      && ics_attempt_start (self, leg, action->number, &action->route) != NULL)
    return;
  ics_leg_plan_on_ended (self->legs[leg].plan, now, action->number);
}

static void
carry_out (IcsEngine *self, IcsLeg leg, gint64 now)
{
  IcsLegPlanAction action;
  IcsAttempt *attempt;

  while (ics_leg_plan_poll (self->legs[leg].plan, &action))
    switch (action.type)
      {
      case ICS_LEG_PLAN_START:
        start_planned (self, leg, &action, now);
        break;
      case ICS_LEG_PLAN_END:
        attempt = ics_attempt_find (self, leg, action.number);
        if (attempt != NULL)
          {
            ics_engine_note (self, "%s attempt %u is not needed any more", ics_leg_to_string (leg),
                             action.number);
            ics_attempt_end (attempt, TRUE);
          }
        break;
      }
}

static void
tell_plan_of_paths (IcsEngine *self, IcsLeg leg, gint64 now)
{
  guint active = 0;

  for (GList *l = self->legs[leg].attempts.head; l != NULL; l = l->next)
    {
      IcsAttempt *attempt = l->data;
      IcsPathStatus status;

      if (attempt->path == NULL || !ics_path_engine_get_info (self->paths, attempt->path->id, &status))
        continue;
      ics_leg_plan_set_rtt (self->legs[leg].plan, attempt->number, status.srtt_us);
      if (ics_attempt_is_active (attempt))
        active = attempt->number;
    }
  ics_leg_plan_set_active (self->legs[leg].plan, now, active);
}

static gboolean
is_needed (IcsEngine *self, IcsLeg leg)
{
  for (guint other = 0; other < ICS_N_LEGS; other++)
    if (ics_leg_stands_back (leg, (IcsLeg)other) && ics_leg_plan_serves (self->legs[other].plan))
      return FALSE;
  return TRUE;
}

static void
drive_plan (IcsEngine *self, IcsLeg leg, gint64 now)
{
  tell_plan_of_paths (self, leg, now);
  if (ics_leg_get_kind (leg)->plan.patience > 0)
    ics_leg_plan_set_needed (self->legs[leg].plan, now, is_needed (self, leg));
  ics_leg_plan_handle_timeout (self->legs[leg].plan, now);
  carry_out (self, leg, now);
}

static void
set_turn_routes (IcsEngine *self, const IcsLegEnd *listener)
{
  IcsLegRoutes routes;

  if (!leg_is_wanted (self, ICS_LEG_TURN))
    return;
  ics_servers_get_routes (self, listener, &routes);
  if (listener != NULL && routes.len == 0)
    ics_engine_note (self, "neither host knows a TURN server that both can use: there is no turn path");
  ics_leg_plan_set_routes (self->legs[ICS_LEG_TURN].plan, g_get_monotonic_time (), &routes);
  ics_engine_wake (self);
}

/* All legs but the turn leg are between the hosts; the search leg has its own time. */
static void
set_direct_routes (IcsEngine *self)
{
  IcsLegRoutes routes;

  ics_leg_routes_direct (&routes);
  for (guint leg = 0; leg < ICS_N_LEGS; leg++)
    if (leg != ICS_LEG_TURN && leg != ICS_LEG_SEARCH && leg_is_wanted (self, (IcsLeg)leg))
      ics_leg_plan_set_routes (self->legs[leg].plan, g_get_monotonic_time (), &routes);
}

void
ics_legs_start (IcsEngine *self)
{
  ics_search_look (self);
  if (!self->joiner)
    {
      ics_servers_announce (self);
      return;
    }
  set_direct_routes (self);
  set_turn_routes (self, NULL);
  ics_legs_handle_timeout (self, g_get_monotonic_time ());
}

void
ics_legs_network_changed (IcsEngine *self)
{
  IcsControl renew = { .type = ICS_CONTROL_RENEW };

  if (self->quic == NULL)
    return;
  ics_why_network_changed (self);
  ics_search_look (self);
  if (!self->joiner)
    {
      ics_servers_announce (self);
      ics_engine_send_control (self, &renew);
      return;
    }
  /* A relay that was got with old credentials, or through a network that is gone, ends some day without a
   * word; a direct path that still works has no such end. */
  for (guint leg = 0; leg < ICS_N_LEGS; leg++)
    if (leg == ICS_LEG_TURN)
      ics_leg_plan_replace (self->legs[leg].plan, g_get_monotonic_time ());
    else if (leg != ICS_LEG_SEARCH)
      ics_leg_plan_renew (self->legs[leg].plan, g_get_monotonic_time ());
  ics_engine_wake (self);
}

/* --- the end of an attempt --- */

/* Nothing has come of one that others stand back for. */
static void
hurry_others (IcsEngine *self, IcsLeg leg)
{
  for (guint other = 0; other < ICS_N_LEGS; other++)
    if (ics_leg_stands_back ((IcsLeg)other, leg))
      ics_leg_plan_hurry (self->legs[other].plan, g_get_monotonic_time ());
}

/* It came to nothing, or the peer ended it. */
static void
attempt_ended (IcsAttempt *attempt, gboolean tell)
{
  IcsEngine *self = attempt->engine;
  IcsLeg leg = attempt->leg;
  guint number = attempt->number;

  ics_engine_note (self, "%s attempt %u %s", ics_leg_to_string (leg), number,
                   attempt->path != NULL ? "is over" : "failed");
  ics_why_attempt_ended (self, attempt);
  ics_search_attempt_ended (self, leg, attempt->path != NULL);
  ics_attempt_end (attempt, tell);
  if (!self->joiner)
    return;
  ics_leg_plan_on_ended (self->legs[leg].plan, g_get_monotonic_time (), number);
  hurry_others (self, leg);
  ics_engine_wake (self);
}

/* --- another policy --- */

/* Searches of a leg that is not wanted any more end; paths that it has stay warm, for the policy may change
 * again. With policy lan also what was found between other addresses ends. */
static void
end_unwanted (IcsEngine *self, IcsLeg leg)
{
  gboolean wanted = leg_is_wanted (self, leg);
  gboolean lan = leg != ICS_LEG_TURN && self->policy == ICS_PATH_POLICY_LAN;
  GList *next;

  for (GList *l = self->legs[leg].attempts.head; l != NULL; l = next)
    {
      IcsAttempt *attempt = l->data;

      next = l->next;
      if (attempt->path != NULL ? lan && !ics_attempt_is_lan (attempt) : !wanted || lan)
        attempt_ended (attempt, TRUE);
    }
}

/* The listener says anew what it brings to the turn leg. */
void
ics_legs_policy_changed (IcsEngine *self, guint before)
{
  const IcsLegRoutes none = { 0 };

  for (guint leg = 0; leg < ICS_N_LEGS; leg++)
    {
      end_unwanted (self, (IcsLeg)leg);
      if (self->joiner && !leg_is_wanted (self, (IcsLeg)leg))
        ics_leg_plan_set_routes (self->legs[leg].plan, g_get_monotonic_time (), &none);
    }
  if (!self->joiner)
    ics_servers_announce (self);
  else if ((before & 1u << ICS_PATH_TURN) == 0)
    set_turn_routes (self, NULL);
  if (self->joiner)
    set_direct_routes (self);
  ics_engine_wake (self);
}

/* --- what the peer says --- */

/* The listener's bound: the oldest attempt that does not carry the traffic makes room. */
static gboolean
make_room (IcsEngine *self, IcsLeg leg)
{
  GList *oldest = self->legs[leg].attempts.head;

  if (self->closing_attempts >= MAX_CLOSING)
    return FALSE;
  if (g_queue_get_length (&self->legs[leg].attempts) < ics_leg_get_kind (leg)->plan.max)
    return TRUE;
  if (ics_attempt_is_active (oldest->data))
    oldest = oldest->next;
  attempt_ended (oldest->data, TRUE);
  return TRUE;
}

static IcsAttempt *
follow (IcsEngine *self, const IcsControl *message)
{
  IcsLegRoute route = { .relays = message->relays, .listener_server = message->server };
  IcsAttempt *attempt = NULL;

  self->legs[message->leg].newest = message->attempt;
  if (make_room (self, message->leg))
    attempt = ics_attempt_start (self, message->leg, message->attempt, &route);
  if (attempt == NULL)
    ics_attempt_tell_over (self, message->leg, message->attempt);
  return attempt;
}

static void
handle_attempt (IcsEngine *self, const IcsControl *message)
{
  IcsAttempt *attempt = ics_attempt_find (self, message->leg, message->attempt);

  if (attempt == NULL && message->type == ICS_CONTROL_ICE && !self->joiner
      && message->attempt > self->legs[message->leg].newest)
    attempt = follow (self, message);
  /* Late words for an attempt that is over. */
  if (attempt == NULL || attempt->failed)
    return;
  if (message->type == ICS_CONTROL_ICE)
    ics_traversal_set_remote_credentials (attempt->ice, message->a, message->b);
  else if (message->type == ICS_CONTROL_CANDIDATE)
    {
      ics_why_candidate (self, attempt->leg, FALSE, message->a);
      if (!ics_traversal_add_remote_candidate (attempt->ice, message->a))
        self->strays++;
    }
  else if (message->type == ICS_CONTROL_END)
    {
      ics_why_told_all (self, attempt->leg, FALSE);
      ics_traversal_end_of_candidates (attempt->ice);
    }
  else
    attempt_ended (attempt, FALSE);
}

void
ics_legs_handle_control (IcsEngine *self, const IcsControl *message)
{
  IcsLegEnd listener = { .servers = (const char *const *)message->servers, .plain = message->plain };

  if (message->type != ICS_CONTROL_RELAYS && message->type != ICS_CONTROL_RENEW)
    handle_attempt (self, message);
  else if (!self->joiner)
    self->strays++;
  else if (message->type == ICS_CONTROL_RELAYS)
    set_turn_routes (self, &listener);
  else
    ics_legs_network_changed (self);
}

/* --- what becomes of the paths --- */

void
ics_legs_path_proved (IcsEngine *self, IcsCarrier *path)
{
  IcsAttempt *attempt = ics_attempt_of_path (self, path);
  g_autofree char *relay = NULL;
  IcsPathStatus status;

  if (attempt == NULL)
    return;
  attempt->deadline = G_MAXINT64;
  ics_why_proved (self, attempt->leg);
  if (ics_path_engine_get_info (self->paths, path->id, &status))
    ics_traversal_graduate (attempt->ice, status.srtt_us);
  if (!self->joiner)
    return;
  relay = ics_attempt_get_relay (attempt);
  ics_leg_plan_on_proved (self->legs[attempt->leg].plan, g_get_monotonic_time (), attempt->number, relay);
  ics_engine_wake (self);
}

/* The path may come back to life; meanwhile a fresh attempt looks for another. */
void
ics_legs_path_died (IcsEngine *self, IcsCarrier *path)
{
  IcsAttempt *attempt = ics_attempt_of_path (self, path);

  if (attempt == NULL || !self->joiner)
    return;
  ics_leg_plan_on_died (self->legs[attempt->leg].plan, g_get_monotonic_time (), attempt->number);
  ics_engine_wake (self);
}

/* --- time --- */

static void
end_failed (IcsEngine *self, IcsLeg leg, gint64 now)
{
  GList *next;

  for (GList *l = self->legs[leg].attempts.head; l != NULL; l = next)
    {
      IcsAttempt *attempt = l->data;

      next = l->next;
      if (attempt->failed || now >= attempt->deadline)
        attempt_ended (attempt, TRUE);
    }
}

void
ics_legs_handle_timeout (IcsEngine *self, gint64 now)
{
  ics_search_handle_timeout (self, now);
  for (guint leg = 0; leg < ICS_N_LEGS; leg++)
    {
      end_failed (self, (IcsLeg)leg, now);
      if (self->joiner)
        drive_plan (self, (IcsLeg)leg, now);
    }
}

gint64
ics_legs_next_timeout (IcsEngine *self)
{
  gint64 next = ics_search_next_timeout (self);

  for (guint leg = 0; leg < ICS_N_LEGS; leg++)
    {
      if (self->joiner)
        next = MIN (next, ics_leg_plan_next_timeout (self->legs[leg].plan));
      for (GList *l = self->legs[leg].attempts.head; l != NULL; l = l->next)
        next = MIN (next, ((IcsAttempt *)l->data)->deadline);
    }
  return next;
}

void
ics_legs_stop (IcsEngine *self)
{
  ics_search_stop (self);
  for (guint leg = 0; leg < ICS_N_LEGS; leg++)
    while (!g_queue_is_empty (&self->legs[leg].attempts))
      ics_attempt_end (g_queue_peek_head (&self->legs[leg].attempts), FALSE);
}
