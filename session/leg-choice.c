/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/leg-plan-private.h"

/* Which paths of a leg are kept when several have been found. */

/* Something that is to be replaced, and is. */
static gboolean
is_replaced (const IcsLegPlan *self, const IcsLegAttempt *attempt)
{
  return attempt->generation < self->fresh_from && self->generation >= self->fresh_from
         && ics_leg_plan_count (self, ICS_LEG_LIVING, self->generation) > 0;
}

static gboolean
has_one_hop (const IcsLegPlan *self)
{
  for (guint i = 0; i < self->attempts->len; i++)
    {
      const IcsLegAttempt *attempt = self->attempts->pdata[i];

      if (attempt->state == ICS_LEG_LIVING && attempt->route.relays != ICS_RELAYS_BOTH)
        return TRUE;
    }
  return FALSE;
}

/* Two hops, where one was only late. */
static gboolean
is_outdone (const IcsLegPlan *self, const IcsLegAttempt *attempt)
{
  return is_replaced (self, attempt) || (attempt->route.relays == ICS_RELAYS_BOTH && has_one_hop (self));
}

/* One hop is still worth waiting for when there are only two. */
static gboolean
is_hopeful (const IcsLegPlan *self, const IcsLegAttempt *attempt)
{
  return attempt->state == ICS_LEG_TRYING
         && (ics_leg_plan_count (self, ICS_LEG_LIVING, self->generation) == 0
             || (attempt->route.relays != ICS_RELAYS_BOTH && !has_one_hop (self)));
}

static gint64
rtt_or_never (const IcsLegAttempt *attempt)
{
  return attempt->srtt > 0 ? attempt->srtt : ICS_LEG_NEVER;
}

static gboolean
is_better (const IcsLegPlan *self, const IcsLegAttempt *a, const IcsLegAttempt *b)
{
  if (b == NULL || a->number == self->active || b->number == self->active)
    return b == NULL || a->number == self->active;
  if (a->generation != b->generation)
    return a->generation > b->generation;
  return rtt_or_never (a) < rtt_or_never (b);
}

static gboolean
is_redundant (GPtrArray *kept, const IcsLegAttempt *attempt)
{
  for (guint i = 0; i < kept->len; i++)
    {
      const IcsLegAttempt *other = kept->pdata[i];

      if (other == attempt || (attempt->relay != NULL && g_strcmp0 (other->relay, attempt->relay) == 0))
        return TRUE;
    }
  return FALSE;
}

static IcsLegAttempt *
best_besides (IcsLegPlan *self, GPtrArray *kept)
{
  IcsLegAttempt *best = NULL;

  for (guint i = 0; i < self->attempts->len; i++)
    {
      IcsLegAttempt *attempt = self->attempts->pdata[i];

      if (attempt->state == ICS_LEG_LIVING && !is_outdone (self, attempt) && !is_redundant (kept, attempt)
          && is_better (self, attempt, best))
        best = attempt;
    }
  return best;
}

void
ics_leg_plan_settle (IcsLegPlan *self)
{
  g_autoptr (GPtrArray) kept = g_ptr_array_new ();
  IcsLegAttempt *best;

  self->settle_at = ICS_LEG_NEVER;
  while (kept->len < self->config.keep && (best = best_besides (self, kept)) != NULL)
    g_ptr_array_add (kept, best);
  if (kept->len == 0)
    return;
  for (guint i = self->attempts->len; i > 0; i--)
    {
      IcsLegAttempt *attempt = self->attempts->pdata[i - 1];

      if ((attempt->number != self->active || is_outdone (self, attempt))
          && !g_ptr_array_find (kept, attempt, NULL) && !is_hopeful (self, attempt))
        ics_leg_plan_end_attempt (self, attempt);
    }
}
