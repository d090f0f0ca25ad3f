/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/udp-flow.h"
#include <string.h>

void
ics_flow_table_init (IcsFlowTable *self, const IcsFlow *first, gint64 now)
{
  memset (self, 0, sizeof *self);
  self->current = *first;
  self->heard_at = now;
}

gboolean
ics_flow_equal (const IcsFlow *a, const IcsFlow *b)
{
  return a->socket == b->socket && ics_sockaddr_equal (&a->remote, &b->remote, TRUE);
}

static IcsFlowCandidate *
find (IcsFlowTable *self, const IcsFlow *flow)
{
  for (guint i = 0; i < ICS_FLOW_CANDIDATES; i++)
    if (self->candidates[i].used && ics_flow_equal (&self->candidates[i].flow, flow))
      return &self->candidates[i];
  return NULL;
}

/* Those that anybody can make up give way to the authentic ones. */
static IcsFlowCandidate *
find_place (IcsFlowTable *self, gboolean authentic)
{
  for (guint i = 0; i < ICS_FLOW_CANDIDATES; i++)
    if (!self->candidates[i].used)
      return &self->candidates[i];
  for (guint i = 0; authentic && i < ICS_FLOW_CANDIDATES; i++)
    if (!self->candidates[i].authentic)
      return &self->candidates[i];
  return NULL;
}

static IcsFlowCandidate *
find_or_add (IcsFlowTable *self, gint64 now, const IcsFlow *flow, gboolean authentic)
{
  IcsFlowCandidate *candidate = find (self, flow);

  if (candidate != NULL)
    return candidate;
  candidate = find_place (self, authentic);
  if (candidate == NULL)
    return NULL;
  *candidate = (IcsFlowCandidate){ .used = TRUE, .flow = *flow, .check_at = MAX (now, self->settled_at) };
  return candidate;
}

IcsFlowVerdict
ics_flow_table_heard (IcsFlowTable *self, gint64 now, const IcsFlow *flow)
{
  if (G_LIKELY (ics_flow_equal (flow, &self->current)))
    {
      self->heard_at = now;
      return ICS_FLOW_CURRENT;
    }
  return find_or_add (self, now, flow, FALSE) != NULL ? ICS_FLOW_ASKED : ICS_FLOW_UNKNOWN;
}

void
ics_flow_table_heard_check (IcsFlowTable *self, gint64 now, const IcsFlow *flow, gboolean nominated)
{
  IcsFlowCandidate *candidate;

  if (ics_flow_equal (flow, &self->current))
    {
      self->heard_at = now;
      return;
    }
  candidate = find_or_add (self, now, flow, TRUE);
  if (candidate == NULL)
    return;
  candidate->authentic = TRUE;
  candidate->nominated |= nominated;
}

IcsFlowCandidate *
ics_flow_table_poll (IcsFlowTable *self, gint64 now)
{
  for (guint i = 0; i < ICS_FLOW_CANDIDATES; i++)
    {
      IcsFlowCandidate *candidate = &self->candidates[i];

      if (!candidate->used || now < candidate->check_at)
        continue;
      if (candidate->n_checks == ICS_FLOW_CHECKS_MAX)
        {
          candidate->used = FALSE;
          continue;
        }
      candidate->check_at = now + (ICS_FLOW_CHECK_US << candidate->n_checks++);
      candidate->checked_at = now;
      return candidate;
    }
  return NULL;
}

/* Two hosts that begin with different pairs hear each other on both: the controlling host's nomination
 * decides (RFC 8445 §8). After a change of address nothing comes from the old one any more. */
gboolean
ics_flow_table_answered (IcsFlowTable *self, gint64 now, const IcsFlow *flow,
                         const guint8 id[ICS_STUN_ID_LEN])
{
  IcsFlowCandidate *candidate = find (self, flow);

  if (candidate == NULL || candidate->n_checks == 0 || memcmp (candidate->id, id, ICS_STUN_ID_LEN) != 0)
    return FALSE;
  if (!candidate->nominated && self->heard_at > candidate->checked_at)
    return FALSE;
  candidate->used = FALSE;
  self->current = *flow;
  self->heard_at = now;
  self->settled_at = now + ICS_FLOW_CHECK_US;
  return TRUE;
}

gint64
ics_flow_table_next_timeout (const IcsFlowTable *self)
{
  gint64 next = G_MAXINT64;

  for (guint i = 0; i < ICS_FLOW_CANDIDATES; i++)
    if (self->candidates[i].used)
      next = MIN (next, self->candidates[i].check_at);
  return next;
}
