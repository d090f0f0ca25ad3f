/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/punch-pairs.h"
#include <string.h>

void
ics_punch_pairs_init (IcsPunchPairs *self, gboolean controlling)
{
  memset (self, 0, sizeof *self);
  self->controlling = controlling;
}

static IcsPunchPair *
find (IcsPunchPairs *self, const IcsFlow *flow)
{
  for (guint i = 0; i < ICS_PUNCH_PAIRS_MAX; i++)
    if (self->items[i].used && ics_flow_equal (&self->items[i].flow, flow))
      return &self->items[i];
  return NULL;
}

static gboolean
is_nominating (const IcsPunchPairs *self)
{
  for (guint i = 0; i < ICS_PUNCH_PAIRS_MAX; i++)
    if (self->items[i].used && self->items[i].nominating)
      return TRUE;
  return FALSE;
}

static void
select_pair (IcsPunchPairs *self, const IcsFlow *flow)
{
  self->selected = *flow;
  self->is_selected = TRUE;
}

/* RFC 8445 §7.3.1.4: a check back. The controlling host has had its check answered before it nominates, so
 * the pair is known to work both ways. */
void
ics_punch_pairs_heard (IcsPunchPairs *self, gint64 now, const IcsFlow *flow, gboolean nominated)
{
  if (self->is_selected)
    return;
  if (nominated && !self->controlling)
    select_pair (self, flow);
  else if (find (self, flow) == NULL)
    for (guint i = 0; i < ICS_PUNCH_PAIRS_MAX; i++)
      if (!self->items[i].used)
        {
          self->items[i] = (IcsPunchPair){ .used = TRUE, .flow = *flow, .check_at = now };
          return;
        }
}

static gboolean
has_id (const IcsPunchPair *pair, const guint8 id[ICS_STUN_ID_LEN])
{
  for (guint i = 0; i < pair->n_checks; i++)
    if (memcmp (pair->ids[i], id, ICS_STUN_ID_LEN) == 0)
      return TRUE;
  return FALSE;
}

void
ics_punch_pairs_answered (IcsPunchPairs *self, gint64 now, const IcsFlow *flow,
                          const guint8 id[ICS_STUN_ID_LEN])
{
  IcsPunchPair *pair = find (self, flow);

  if (self->is_selected || !self->controlling || pair == NULL || !has_id (pair, id))
    return;
  if (pair->nominating)
    select_pair (self, flow);
  else if (!is_nominating (self))
    {
      pair->nominating = TRUE;
      pair->n_checks = 0;
      pair->check_at = now;
    }
}

void
ics_punch_pairs_handle_timeout (IcsPunchPairs *self, gint64 now)
{
  for (guint i = 0; i < ICS_PUNCH_PAIRS_MAX; i++)
    if (self->items[i].n_checks == ICS_PUNCH_CHECKS_MAX && now >= self->items[i].check_at)
      self->items[i].used = FALSE;
}

IcsPunchPair *
ics_punch_pairs_poll (IcsPunchPairs *self, gint64 now)
{
  for (guint i = 0; i < ICS_PUNCH_PAIRS_MAX; i++)
    {
      IcsPunchPair *pair = &self->items[i];

      if (pair->used && now >= pair->check_at && pair->n_checks < ICS_PUNCH_CHECKS_MAX)
        return pair;
    }
  return NULL;
}

void
ics_punch_pair_asked (IcsPunchPair *pair, gint64 now, const guint8 id[ICS_STUN_ID_LEN])
{
  memcpy (pair->ids[pair->n_checks], id, ICS_STUN_ID_LEN);
  pair->check_at = now + MIN (ICS_PUNCH_CHECK_MIN_US << pair->n_checks, ICS_PUNCH_CHECK_MAX_US);
  pair->n_checks++;
}

gint64
ics_punch_pairs_next_timeout (const IcsPunchPairs *self)
{
  gint64 next = G_MAXINT64;

  for (guint i = 0; i < ICS_PUNCH_PAIRS_MAX; i++)
    if (self->items[i].used)
      next = MIN (next, self->items[i].check_at);
  return next;
}

gboolean
ics_punch_pairs_is_empty (const IcsPunchPairs *self)
{
  for (guint i = 0; i < ICS_PUNCH_PAIRS_MAX; i++)
    if (self->items[i].used)
      return FALSE;
  return TRUE;
}

const IcsFlow *
ics_punch_pairs_get_selected (const IcsPunchPairs *self)
{
  return self->is_selected ? &self->selected : NULL;
}
