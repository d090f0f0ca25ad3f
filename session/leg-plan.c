/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/leg-plan-private.h"

static void
attempt_free (gpointer data)
{
  IcsLegAttempt *attempt = data;

  g_free (attempt->relay);
  g_free (attempt);
}

IcsLegPlan *
ics_leg_plan_new (const IcsLegPlanConfig *config)
{
  IcsLegPlan *self = g_new0 (IcsLegPlan, 1);

  self->config = *config;
  self->attempts = g_ptr_array_new_with_free_func (attempt_free);
  self->rung_at = self->settle_at = self->retry_at = ICS_LEG_NEVER;
  self->retry_delay = config->retry_min;
  self->idle = config->patience > 0;
  return self;
}

void
ics_leg_plan_free (IcsLegPlan *self)
{
  g_ptr_array_unref (self->attempts);
  g_queue_clear_full (&self->actions, g_free);
  g_free (self);
}

static IcsLegAttempt *
find (IcsLegPlan *self, guint number)
{
  for (guint i = 0; i < self->attempts->len; i++)
    if (((IcsLegAttempt *)self->attempts->pdata[i])->number == number)
      return self->attempts->pdata[i];
  return NULL;
}

guint
ics_leg_plan_count (const IcsLegPlan *self, IcsLegAttemptState state, guint generation)
{
  guint n = 0;

  for (guint i = 0; i < self->attempts->len; i++)
    {
      const IcsLegAttempt *attempt = self->attempts->pdata[i];

      n += attempt->state == state && (generation == 0 || attempt->generation == generation);
    }
  return n;
}

static void
act (IcsLegPlan *self, IcsLegPlanActionType type, const IcsLegAttempt *attempt)
{
  IcsLegPlanAction *action = g_new0 (IcsLegPlanAction, 1);

  action->type = type;
  action->number = attempt->number;
  action->route = attempt->route;
  g_queue_push_tail (&self->actions, action);
}

void
ics_leg_plan_end_attempt (IcsLegPlan *self, IcsLegAttempt *attempt)
{
  act (self, ICS_LEG_PLAN_END, attempt);
  g_ptr_array_remove (self->attempts, attempt);
}

/* --- a search --- */

/* The least use first: a dead path, then an attempt that still tries, then a living path; the older of two.
 */
static IcsLegAttempt *
least_useful (IcsLegPlan *self)
{
  static const IcsLegAttemptState order[] = { ICS_LEG_DEAD, ICS_LEG_TRYING, ICS_LEG_LIVING };

  for (guint i = 0; i < G_N_ELEMENTS (order); i++)
    for (guint k = 0; k < self->attempts->len; k++)
      {
        IcsLegAttempt *attempt = self->attempts->pdata[k];

        if (attempt->state == order[i] && attempt->number != self->active)
          return attempt;
      }
  return NULL;
}

static void
start_attempt (IcsLegPlan *self, const IcsLegRoute *route)
{
  IcsLegAttempt *attempt;

  if (self->last_number == G_MAXINT32)
    return;
  if (self->attempts->len >= self->config.max)
    ics_leg_plan_end_attempt (self, least_useful (self));
  attempt = g_new0 (IcsLegAttempt, 1);
  attempt->number = ++self->last_number;
  attempt->generation = self->generation;
  attempt->route = *route;
  g_ptr_array_add (self->attempts, attempt);
  act (self, ICS_LEG_PLAN_START, attempt);
}

static guint
last_rung (const IcsLegPlan *self)
{
  guint rung = 0;

  for (guint i = 0; i < self->routes.len; i++)
    rung = MAX (rung, self->routes.items[i].rung);
  return rung;
}

static void
start_rung (IcsLegPlan *self, gint64 now)
{
  for (guint i = 0; i < self->routes.len; i++)
    if (self->routes.items[i].rung == self->rung)
      start_attempt (self, &self->routes.items[i]);
  self->rung_at = self->rung < last_rung (self) ? now + ICS_LEG_PLAN_RUNG : ICS_LEG_NEVER;
}

static void
plan_retry (IcsLegPlan *self, gint64 at)
{
  if (!self->idle)
    self->retry_at = MIN (self->retry_at, at);
}

/* Nobody tries any more: on to the next rung, or a pause. */
static void
consider_failure (IcsLegPlan *self, gint64 now)
{
  if (ics_leg_plan_count (self, ICS_LEG_LIVING, self->generation) > 0)
    return;
  while (self->rung_at != ICS_LEG_NEVER && ics_leg_plan_count (self, ICS_LEG_TRYING, self->generation) == 0)
    {
      self->rung++;
      start_rung (self, now);
    }
  if (ics_leg_plan_count (self, ICS_LEG_TRYING, 0) > 0 || ics_leg_plan_count (self, ICS_LEG_LIVING, 0) > 0)
    return;
  if (self->retry_at != ICS_LEG_NEVER || self->idle)
    return;
  plan_retry (self, now + self->retry_delay);
  self->retry_delay = MIN (self->retry_delay * 2, self->config.retry_max);
}

static void
start_generation (IcsLegPlan *self, gint64 now)
{
  self->retry_at = ICS_LEG_NEVER;
  self->patient = FALSE;
  self->settle_at = ICS_LEG_NEVER;
  self->generation++;
  self->generation_at = now;
  self->rung = 0;
  start_rung (self, now);
  consider_failure (self, now);
}

static gboolean
has_route (const IcsLegRoutes *routes, const IcsLegRoute *route)
{
  for (guint i = 0; i < routes->len; i++)
    {
      const IcsLegRoute *other = &routes->items[i];

      if (other->relays == route->relays && other->joiner_server == route->joiner_server
          && other->listener_server == route->listener_server && other->rung == route->rung)
        return TRUE;
    }
  return FALSE;
}

static gint64
soonest (const IcsLegPlan *self, gint64 now)
{
  return self->generation == 0 ? now : MAX (now, self->generation_at + ICS_LEG_PLAN_LEAST_GAP);
}

static void
be_patient (IcsLegPlan *self, gint64 now)
{
  self->patient = self->config.patience > 0;
  plan_retry (self, soonest (self, now + self->config.patience));
}

void
ics_leg_plan_set_routes (IcsLegPlan *self, gint64 now, const IcsLegRoutes *routes)
{
  IcsLegRoutes before = self->routes;

  self->routes = *routes;
  if (routes->len == 0)
    {
      self->rung_at = self->retry_at = ICS_LEG_NEVER;
      return;
    }
  if (self->generation == 0
      || (ics_leg_plan_count (self, ICS_LEG_TRYING, 0) == 0
          && ics_leg_plan_count (self, ICS_LEG_LIVING, 0) == 0))
    {
      be_patient (self, now);
      ics_leg_plan_handle_timeout (self, now);
      return;
    }
  for (guint i = 0; i < routes->len && !self->idle; i++)
    if (routes->items[i].rung <= self->rung && !has_route (&before, &routes->items[i]))
      start_attempt (self, &routes->items[i]);
  if (self->rung_at == ICS_LEG_NEVER && self->rung < last_rung (self)
      && ics_leg_plan_count (self, ICS_LEG_LIVING, self->generation) == 0)
    self->rung_at = MAX (now, self->generation_at + (self->rung + 1) * ICS_LEG_PLAN_RUNG);
}

void
ics_leg_plan_renew (IcsLegPlan *self, gint64 now)
{
  self->retry_delay = self->config.retry_min;
  if (self->generation != 0 && self->routes.len > 0)
    plan_retry (self, MAX (now, self->generation_at + ICS_LEG_PLAN_LEAST_GAP));
}

void
ics_leg_plan_replace (IcsLegPlan *self, gint64 now)
{
  self->fresh_from = self->generation + 1;
  ics_leg_plan_renew (self, now);
}

/* --- a leg that stands back --- */

void
ics_leg_plan_set_needed (IcsLegPlan *self, gint64 now, gboolean needed)
{
  if (self->idle == !needed)
    return;
  self->idle = !needed;
  if (self->idle)
    {
      self->retry_at = self->rung_at = ICS_LEG_NEVER;
      for (guint i = self->attempts->len; i > 0; i--)
        if (((IcsLegAttempt *)self->attempts->pdata[i - 1])->state == ICS_LEG_TRYING)
          ics_leg_plan_end_attempt (self, self->attempts->pdata[i - 1]);
    }
  else if (self->routes.len > 0 && !ics_leg_plan_serves (self))
    {
      self->retry_delay = self->config.retry_min;
      be_patient (self, now);
    }
}

void
ics_leg_plan_hurry (IcsLegPlan *self, gint64 now)
{
  if (self->patient && self->retry_at != ICS_LEG_NEVER)
    self->retry_at = MIN (self->retry_at, soonest (self, now));
}

gboolean
ics_leg_plan_serves (const IcsLegPlan *self)
{
  return ics_leg_plan_count (self, ICS_LEG_LIVING, 0) > 0;
}

/* --- what happens --- */

void
ics_leg_plan_on_proved (IcsLegPlan *self, gint64 now, guint number, const char *relay)
{
  IcsLegAttempt *attempt = find (self, number);

  if (attempt == NULL || attempt->state == ICS_LEG_LIVING)
    return;
  attempt->state = ICS_LEG_LIVING;
  g_free (attempt->relay);
  attempt->relay = g_strdup (relay);
  /* Something is there; that ends no wish for something else. */
  if (self->fresh_from <= self->generation)
    self->retry_at = ICS_LEG_NEVER;
  self->retry_delay = self->config.retry_min;
  if (attempt->generation != self->generation)
    return;
  self->rung_at = ICS_LEG_NEVER;
  self->settle_at = MIN (self->settle_at, now + self->config.settle);
}

static void
on_loss (IcsLegPlan *self, gint64 now)
{
  if (self->routes.len == 0)
    return;
  if (self->config.at_once && ics_leg_plan_count (self, ICS_LEG_LIVING, 0) == 0)
    plan_retry (self, MAX (now, self->generation_at + self->retry_delay));
  else if (ics_leg_plan_count (self, ICS_LEG_TRYING, 0) == 0)
    plan_retry (self, now + self->retry_delay);
}

void
ics_leg_plan_on_died (IcsLegPlan *self, gint64 now, guint number)
{
  IcsLegAttempt *attempt = find (self, number);

  if (attempt == NULL || attempt->state != ICS_LEG_LIVING)
    return;
  attempt->state = ICS_LEG_DEAD;
  on_loss (self, now);
}

void
ics_leg_plan_on_ended (IcsLegPlan *self, gint64 now, guint number)
{
  IcsLegAttempt *attempt = find (self, number);
  IcsLegAttemptState state;

  if (attempt == NULL)
    return;
  state = attempt->state;
  g_ptr_array_remove (self->attempts, attempt);
  switch (state)
    {
    case ICS_LEG_TRYING:
      consider_failure (self, now);
      break;
    case ICS_LEG_LIVING:
      on_loss (self, now);
      break;
    case ICS_LEG_DEAD:
      break;
    }
}

void
ics_leg_plan_set_rtt (IcsLegPlan *self, guint number, gint64 srtt)
{
  IcsLegAttempt *attempt = find (self, number);

  if (attempt != NULL)
    attempt->srtt = srtt;
}

void
ics_leg_plan_set_active (IcsLegPlan *self, gint64 now, guint number)
{
  if (self->active == number)
    return;
  self->active = number;
  /* What was kept for the traffic's sake alone is not needed when it is gone. */
  if (ics_leg_plan_count (self, ICS_LEG_LIVING, 0) > 0)
    self->settle_at = MIN (self->settle_at, now + self->config.settle);
}

/* --- time --- */

void
ics_leg_plan_handle_timeout (IcsLegPlan *self, gint64 now)
{
  if (now >= self->rung_at)
    {
      self->rung++;
      start_rung (self, now);
      consider_failure (self, now);
    }
  if (now >= self->settle_at)
    ics_leg_plan_settle (self);
  if (now >= self->retry_at)
    start_generation (self, now);
}

gint64
ics_leg_plan_next_timeout (const IcsLegPlan *self)
{
  return MIN (self->rung_at, MIN (self->settle_at, self->retry_at));
}

gboolean
ics_leg_plan_poll (IcsLegPlan *self, IcsLegPlanAction *action)
{
  g_autofree IcsLegPlanAction *next = g_queue_pop_head (&self->actions);

  if (next != NULL)
    *action = *next;
  return next != NULL;
}
