/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/engine-legs.h"

/* Collects what is known about the search for a direct path, and says why there is none. */

static gboolean
is_direct (IcsEngine *self)
{
  return self->active != NULL && self->active->kind == ICS_PATH_DIRECT;
}

/* What a relay of this host's own proves. */
static gboolean
relays_over_udp (IcsEngine *self)
{
  return self->active != NULL && self->active->kind == ICS_PATH_TURN
         && g_strcmp0 (self->active->transport, "udp") == 0
         && g_strcmp0 (self->active->local_type, "relay") == 0;
}

static IcsDirectFacts
gather_facts (IcsEngine *self)
{
  IcsDirectFacts facts = self->direct_facts;

  ics_search_add_facts (self, &facts);
  facts.own.policy = self->policy;
  facts.peer.policy = self->peer_policy;
  facts.udp_answered = facts.own.reflexive || relays_over_udp (self);
  return facts;
}

static void
publish (IcsEngine *self, char *why)
{
  g_autofree char *before = g_steal_pointer (&self->why_not_direct);

  self->why_not_direct = why;
  if (g_strcmp0 (before, why) == 0)
    return;
  if (why != NULL)
    ics_engine_note (self, "not direct: %s", why);
  self->callbacks.why_not_direct (why, self->user_data);
}

void
ics_why_update (IcsEngine *self, gboolean last)
{
  IcsDirectFacts facts = gather_facts (self);
  gboolean settled = facts.failed > 0 || ics_direct_is_hopeless (&facts);

  if (is_direct (self))
    publish (self, NULL);
  else if (self->connected && (settled || last))
    publish (self, ics_why_not_direct (&facts));
}

void
ics_why_attempt_started (IcsEngine *self, IcsLeg leg, const IcsIceConfig *config)
{
  if (leg != ICS_LEG_DIRECT)
    return;
  if (self->direct_facts_are_old)
    self->direct_facts = (IcsDirectFacts){ 0 };
  self->direct_facts_are_old = FALSE;
  self->direct_facts.started++;
  self->direct_facts.stun_asked = self->direct_facts.stun_asked || config->stun != NULL;
}

void
ics_why_attempt_ended (IcsEngine *self, const IcsAttempt *attempt)
{
  /* One that has proved itself and ends is not needed any more. */
  if (attempt->leg != ICS_LEG_DIRECT || attempt->deadline == G_MAXINT64)
    return;
  self->direct_facts.failed++;
  self->direct_facts.connected = self->direct_facts.connected || attempt->path != NULL;
  ics_why_update (self, FALSE);
}

void
ics_why_candidate (IcsEngine *self, IcsLeg leg, gboolean own, const char *line)
{
  if (leg == ICS_LEG_DIRECT)
    ics_direct_end_add_candidate (own ? &self->direct_facts.own : &self->direct_facts.peer, line);
}

void
ics_why_told_all (IcsEngine *self, IcsLeg leg, gboolean own)
{
  IcsDirectEnd *end = own ? &self->direct_facts.own : &self->direct_facts.peer;

  if (leg != ICS_LEG_DIRECT)
    return;
  end->told_all = TRUE;
  ics_why_update (self, FALSE);
}

void
ics_why_proved (IcsEngine *self, IcsLeg leg)
{
  if (leg == ICS_LEG_DIRECT)
    self->direct_facts.proved = TRUE;
}

/* Another network: with the next attempt, what was learned before counts no more. */
void
ics_why_network_changed (IcsEngine *self)
{
  self->direct_facts_are_old = TRUE;
}
