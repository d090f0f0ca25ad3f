/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path/choose.h"

static gboolean
is_allowed (const IcsPathFacts *path, const IcsChooseInput *input)
{
  return (input->allowed & (1u << path->kind)) != 0;
}

static gboolean
is_held (const IcsPathFacts *path, const IcsChooseInput *input)
{
  return path->held_until > input->now;
}

static gboolean
is_open (const IcsPathFacts *path, const IcsChooseInput *input)
{
  return path->living && is_allowed (path, input) && path->blocked_until <= input->now;
}

/* Fit to be moved to while there is a choice. */
static gboolean
is_fit (const IcsPathFacts *path, const IcsChooseInput *input)
{
  return is_open (path, input) && path->proven && !path->suspect;
}

static gint64
rtt_or_never (const IcsPathFacts *path)
{
  return path->srtt > 0 ? path->srtt : G_MAXINT64;
}

static int
compare (gint64 a, gint64 b)
{
  return a < b ? -1 : a > b;
}

/* The tier: the kind, then datagrams before streams. Positive when @a is above @b. */
static int
compare_tiers (const IcsPathFacts *a, const IcsPathFacts *b)
{
  int order = compare (a->kind, b->kind);

  return order != 0 ? order : compare (b->streamed, a->streamed);
}

/* Negative when @a is the better one. A total order: what is sure first, then the tier, RTT and loss. */
static int
rank (const IcsPathFacts *a, const IcsPathFacts *b, const IcsChooseInput *input)
{
  int order = compare (is_held (a, input), is_held (b, input));

  order = order != 0 ? order : compare (a->suspect, b->suspect);
  order = order != 0 ? order : compare (b->proven, a->proven);
  order = order != 0 ? order : compare_tiers (b, a);
  order = order != 0 ? order : compare (rtt_or_never (a), rtt_or_never (b));
  if (order == 0 && a->loss != b->loss)
    order = a->loss < b->loss ? -1 : 1;
  return order != 0 ? order : compare (a->id, b->id);
}

static const IcsPathFacts *
better_of (const IcsPathFacts *a, const IcsPathFacts *b, const IcsChooseInput *input)
{
  return a == NULL || rank (b, a, input) < 0 ? b : a;
}

static const IcsPathFacts *
find (const IcsPathFacts *facts, gsize n_facts, guint id)
{
  for (gsize i = 0; i < n_facts; i++)
    if (facts[i].id == id)
      return &facts[i];
  return NULL;
}

static gint64
rtt_margin (gint64 rtt)
{
  return MAX (rtt * ICS_CHOOSE_RTT_SHARE / 100, ICS_CHOOSE_RTT_LEAST);
}

static gboolean
beats_sideways (const IcsPathFacts *path, const IcsPathFacts *active)
{
  if (path->srtt == 0 || active->srtt == 0)
    return FALSE;
  if (path->srtt + rtt_margin (active->srtt) <= active->srtt)
    return TRUE;
  if (active->srtt + rtt_margin (path->srtt) <= path->srtt)
    return FALSE;
  return path->loss + ICS_CHOOSE_LOSS_LEAST <= active->loss;
}

static gboolean
beats (const IcsPathFacts *path, const IcsPathFacts *active)
{
  int order = compare_tiers (path, active);

  return order != 0 ? order > 0 : beats_sideways (path, active);
}

static void
wake_at (IcsChoice *choice, gint64 at, gint64 now)
{
  if (at > now)
    choice->wake = MIN (choice->wake, at);
}

/* The active path is dead, gone or of no use: anything that lives is better. */
static void
rescue (IcsChoice *choice, const IcsPathFacts *facts, gsize n_facts, const IcsChooseInput *input)
{
  const IcsPathFacts *best = NULL;

  for (gsize i = 0; i < n_facts; i++)
    if (is_open (&facts[i], input))
      best = better_of (best, &facts[i], input);
  if (best == NULL)
    return;
  choice->path = best->id;
  choice->immediate = TRUE;
  choice->reason = ICS_PATH_REASON_LOST;
}

/* The policy no longer allows the active path, which still works: there is time to wait for a path that is in
 * doubt rather than lift a hold-down. */
static const IcsPathFacts *
best_allowed (const IcsPathFacts *facts, gsize n_facts, const IcsChooseInput *input)
{
  const IcsPathFacts *best = NULL;
  gboolean lift = TRUE;

  for (gsize i = 0; i < n_facts; i++)
    lift = lift && (!is_open (&facts[i], input) || is_held (&facts[i], input));
  for (gsize i = 0; i < n_facts; i++)
    if (is_fit (&facts[i], input) && (lift || !is_held (&facts[i], input)))
      best = better_of (best, &facts[i], input);
  return best;
}

static const IcsPathFacts *
best_challenger (const IcsPathFacts *facts, gsize n_facts, const IcsPathFacts *active,
                 const IcsChooseInput *input)
{
  const IcsPathFacts *best = NULL;

  for (gsize i = 0; i < n_facts; i++)
    if (is_fit (&facts[i], input) && !is_held (&facts[i], input) && beats (&facts[i], active))
      best = better_of (best, &facts[i], input);
  return best;
}

/* When the move to @path may start. */
static gint64
ready_at (const IcsChoice *choice, const IcsPathFacts *path, const IcsPathFacts *active,
          const IcsChooseInput *input)
{
  gint64 gap = MAX (active->srtt, ICS_CHOOSE_LEAST_GAP);

  if (compare_tiers (path, active) != 0 || !is_allowed (active, input))
    return input->last_move + gap;
  return MAX (choice->memory.since + ICS_CHOOSE_DWELL, input->last_move + MAX (gap, ICS_CHOOSE_SIDEWAYS_GAP));
}

static void
consider (IcsChoice *choice, const IcsPathFacts *facts, gsize n_facts, const IcsPathFacts *active,
          const IcsChooseInput *input)
{
  gboolean allowed = is_allowed (active, input);
  const IcsPathFacts *path
      = allowed ? best_challenger (facts, n_facts, active, input) : best_allowed (facts, n_facts, input);
  gint64 ready;

  if (path == NULL)
    return;
  choice->memory.challenger = path->id;
  choice->memory.since = path->id == input->memory.challenger ? input->memory.since : input->now;
  ready = ready_at (choice, path, active, input);
  wake_at (choice, ready, input->now);
  if (ready > input->now)
    return;
  choice->path = path->id;
  choice->reason = allowed ? ICS_PATH_REASON_BETTER : ICS_PATH_REASON_POLICY;
}

IcsChoice
ics_choose (const IcsPathFacts *facts, gsize n_facts, const IcsChooseInput *input)
{
  IcsChoice choice = { .wake = G_MAXINT64 };
  const IcsPathFacts *active = find (facts, n_facts, input->active);

  for (gsize i = 0; i < n_facts; i++)
    {
      wake_at (&choice, facts[i].held_until, input->now);
      wake_at (&choice, facts[i].blocked_until, input->now);
    }
  if (active == NULL || !active->living || input->broken)
    rescue (&choice, facts, n_facts, input);
  else
    consider (&choice, facts, n_facts, active, input);
  return choice;
}
