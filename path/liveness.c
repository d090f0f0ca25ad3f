/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path/liveness.h"

#define MS G_TIME_SPAN_MILLISECOND

#define BUSY_FOR G_TIME_SPAN_SECOND

/* From a silent blackhole to the verdict: three round trips and a bit when busy, within this when idle. */
#define BUSY_BOUND_LEAST (300 * MS)
#define BUSY_BOUND_EXTRA (100 * MS)
#define IDLE_BOUND (1500 * MS)
/* Kept back for timers that fire late. */
#define BOUND_SLACK (10 * MS)

#define BUSY_PACE_LEAST (20 * MS)
#define BUSY_PACE_MOST (150 * MS)
/* In doubt: many witnesses within the bound, so that heavy loss is told from death. */
#define LATE_PACE_LEAST (10 * MS)
#define LATE_PACE_MOST (100 * MS)
#define IDLE_PACE G_TIME_SPAN_SECOND
/* The channel shares its connection with the signalling, which has keep-alives of its own. */
#define CHANNEL_PACE (5 * G_TIME_SPAN_SECOND)
#define STANDBY_LATE_PACE_LEAST (200 * MS)
#define STANDBY_PATIENCE_LEAST G_TIME_SPAN_SECOND
#define PROVING_PACE_LEAST (50 * MS)

#define NEW_BACKOFF_MOST G_TIME_SPAN_SECOND
#define DEAD_BACKOFF_MOST (30 * G_TIME_SPAN_SECOND)
/* Without a link there is nothing more urgent than to find one again. */
#define LOST_BACKOFF_MOST G_TIME_SPAN_SECOND
/* A path that never answered stops being asked every second. */
#define NEW_LIFETIME (30 * G_TIME_SPAN_SECOND)

/* Odds that a living path is called dead, per row of probes: when nothing at all came in, and when something
 * did (then only the way out can be broken, and the pongs alone bear witness). */
#define SILENCE_ODDS 1e-5
#define SILENCE_PROBES_LEAST 3
/* Nothing hurries here, and a loss that has just set in is not measured yet: half of the probes lost, 16 in a
 * row are one in 65,000. */
#define STANDBY_PROBES_LEAST 16
#define ONE_WAY_ODDS 1e-8
#define ONE_WAY_PROBES_LEAST 8

static gint64
busy_bound (gint64 rtt)
{
  return MAX (3 * rtt + BUSY_BOUND_EXTRA, BUSY_BOUND_LEAST);
}

static gint64
busy_pace (gint64 rtt)
{
  return CLAMP (rtt / 2, BUSY_PACE_LEAST, BUSY_PACE_MOST);
}

/* A blackhole may begin right after a probe went through: the pause and the verdict share the bound, less the
 * round trip that the data needs on the other path. */
static gint64
idle_pace (gint64 rtt)
{
  return CLAMP (IDLE_BOUND - rtt - busy_bound (rtt), busy_pace (rtt), IDLE_PACE);
}

static gboolean
is_busy (const IcsPath *path, const IcsLivenessView *view)
{
  return view->now < path->last_data + BUSY_FOR;
}

static gint64
carrying_pace (const IcsPath *path, const IcsLivenessView *view, gint64 rtt)
{
  if (path->state == ICS_PATH_STATE_SUSPECT)
    return CLAMP (rtt / 8, LATE_PACE_LEAST, LATE_PACE_MOST);
  return is_busy (path, view) ? busy_pace (rtt) : idle_pace (rtt);
}

/* How old the first unanswered probe must be: all that the bound leaves, for each further probe makes the
 * verdict surer. */
static gint64
patience (const IcsPath *path, const IcsLivenessView *view, gint64 rtt)
{
  gint64 busy = busy_bound (rtt) - busy_pace (rtt) - BOUND_SLACK;

  if (!view->carrying)
    return MAX (busy_bound (rtt), STANDBY_PATIENCE_LEAST);
  return is_busy (path, view) ? busy : MAX (IDLE_BOUND - rtt - idle_pace (rtt) - BOUND_SLACK, busy);
}

static gint64
standby_pace (const IcsPath *path, gint64 rtt)
{
  if (path->state == ICS_PATH_STATE_SUSPECT)
    return CLAMP (rtt / 2, STANDBY_LATE_PACE_LEAST, IDLE_PACE);
  return path->kind == ICS_PATH_CHANNEL ? CHANNEL_PACE : IDLE_PACE;
}

static gint64
living_pace (const IcsPath *path, const IcsLivenessView *view)
{
  gint64 rtt = ics_quality_rtt (&path->quality);

  if (!path->proven)
    return MAX (rtt, PROVING_PACE_LEAST);
  return view->carrying ? carrying_pace (path, view, rtt) : standby_pace (path, rtt);
}

gint64
ics_liveness_probe_at (const IcsPath *path, const IcsLivenessView *view)
{
  gint64 pace = 0;

  switch (path->state)
    {
    case ICS_PATH_STATE_NEW:
      pace = path->backoff;
      break;
    case ICS_PATH_STATE_ALIVE:
    case ICS_PATH_STATE_SUSPECT:
      pace = living_pace (path, view);
      break;
    case ICS_PATH_STATE_DEAD:
      pace = view->lost ? MIN (path->backoff, LOST_BACKOFF_MOST) : path->backoff;
      break;
    }
  return path->last_probe + pace;
}

gint64
ics_liveness_suspect_at (const IcsPath *path, const IcsLivenessView *view)
{
  const IcsLoggedProbe *first = ics_probe_log_row (&path->log, view->resumed_at, 0);

  if (path->state != ICS_PATH_STATE_ALIVE || first == NULL)
    return G_MAXINT64;
  return first->sent_at + ics_quality_rto (&path->quality);
}

/* Dead is a path on which @needed probes in a row are late, whose first unanswered probe is @patience old,
 * and that gave no sign for all of that but the one round trip in which answers from before may still arrive.
 */
static gint64
verdict_at (const IcsPath *path, const IcsLivenessView *view, guint needed, gint64 last_sign)
{
  gint64 rtt = ics_quality_rtt (&path->quality);
  gint64 wait = patience (path, view, rtt);
  const IcsLoggedProbe *first = ics_probe_log_row (&path->log, view->resumed_at, 0);
  const IcsLoggedProbe *last = ics_probe_log_row (&path->log, view->resumed_at, needed - 1);
  gint64 at;

  if (last == NULL)
    return G_MAXINT64;
  at = MAX (last->sent_at + ics_quality_rto (&path->quality), first->sent_at + wait);
  return MAX (at, MAX (last_sign, view->resumed_at) + wait - rtt);
}

static gint64
suspect_dies_at (const IcsPath *path, const IcsLivenessView *view)
{
  guint least = view->carrying ? SILENCE_PROBES_LEAST : STANDBY_PROBES_LEAST;
  guint silence = ics_quality_probes_needed (&path->quality, SILENCE_ODDS, least);
  guint one_way = ics_quality_probes_needed (&path->quality, ONE_WAY_ODDS, MAX (least, ONE_WAY_PROBES_LEAST));

  return MIN (verdict_at (path, view, silence, path->last_received),
              verdict_at (path, view, one_way, path->last_pong));
}

gint64
ics_liveness_death_at (const IcsPath *path, const IcsLivenessView *view)
{
  switch (path->state)
    {
    case ICS_PATH_STATE_NEW:
      return path->added_at + NEW_LIFETIME;
    case ICS_PATH_STATE_SUSPECT:
      return suspect_dies_at (path, view);
    case ICS_PATH_STATE_ALIVE:
    case ICS_PATH_STATE_DEAD:
      break;
    }
  return G_MAXINT64;
}

gint64
ics_liveness_back_off (const IcsPath *path)
{
  return MIN (path->backoff * 2, path->state == ICS_PATH_STATE_NEW ? NEW_BACKOFF_MOST : DEAD_BACKOFF_MOST);
}
