/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path/liveness.h"

#define MS G_TIME_SPAN_MILLISECOND

#define BUSY_FOR G_TIME_SPAN_SECOND

/* From a silent blackhole to the verdict: three round trips and a bit when busy, and when idle so soon that
 * data which comes up then is on the other path within this. */
#define BUSY_BOUND_LEAST (300 * MS)
#define BUSY_BOUND_EXTRA (100 * MS)
#define IDLE_BOUND (1500 * MS)
#define IDLE_PATIENCE_EXTRA (300 * MS)
/* Kept back for timers that fire late. */
#define BOUND_SLACK (10 * MS)

#define BUSY_PACE_LEAST (20 * MS)
#define BUSY_PACE_MOST (150 * MS)
/* In doubt: many witnesses within the bound, so that heavy loss is told from death. */
#define LATE_PACE_LEAST (10 * MS)
#define LATE_PACE_MOST (100 * MS)
/* As many as a verdict may need, and those sent until the last of them is late, must stay in the log, or the
 * row would lose its head as fast as it ages: with much jitter that was a path which never died. */
#define LATE_PROBES_PER_RTO 16
G_STATIC_ASSERT (ICS_MOST_PROBES_NEEDED + LATE_PROBES_PER_RTO < ICS_PROBE_LOG_LEN);
#define IDLE_PACE G_TIME_SPAN_SECOND
/* The channel shares its connection with the signalling, which has keep-alives of its own. */
#define CHANNEL_PACE (5 * G_TIME_SPAN_SECOND)
#define STANDBY_LATE_PACE_LEAST (200 * MS)
#define STANDBY_PATIENCE_LEAST G_TIME_SPAN_SECOND
#define PROVING_PACE_LEAST (50 * MS)

#define NEW_BACKOFF_MOST G_TIME_SPAN_SECOND
/* As one that waits: a path that is unblocked is wanted back soon. */
#define DEAD_PACE G_TIME_SPAN_SECOND
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
 * way that the data has to go on a path like this one. */
static gint64
idle_pace (gint64 rtt)
{
  return CLAMP (IDLE_BOUND - rtt / 2 - busy_bound (rtt), busy_pace (rtt), IDLE_PACE);
}

/* Above 325 ms of RTT what is left of the bound is less than three round trips. An answer takes one, and so
 * does that to the last probe of the row: no less than that and a bit, which is the case above 650 ms. There
 * the bound is not kept: a pause, a round trip until the first answer is missed, and half of one for the data
 * are more than 1.3 s, and a row of one probe is no proof. */
static gint64
idle_patience (gint64 rtt)
{
  return MAX (IDLE_BOUND - rtt / 2 - idle_pace (rtt) - BOUND_SLACK, rtt + IDLE_PATIENCE_EXTRA);
}

static gboolean
is_busy (const IcsPath *path, const IcsLivenessView *view)
{
  return view->now < path->last_data + BUSY_FOR;
}

/* The peer gets no answers either, and since then no pong said otherwise. That makes up for how seldom an
 * idle path is asked; a busy one has witnesses enough, and a sudden rise of its delay makes both hosts doubt.
 */
static gboolean
is_doubted (const IcsPath *path, const IcsLivenessView *view)
{
  return path->doubted_at > path->last_pong && !is_busy (path, view);
}

static gint64
carrying_pace (const IcsPath *path, const IcsLivenessView *view, gint64 rtt)
{
  if (path->state == ICS_PATH_STATE_SUSPECT)
    return MAX (CLAMP (rtt / 8, LATE_PACE_LEAST, LATE_PACE_MOST),
                ics_quality_rto (&path->quality) / LATE_PROBES_PER_RTO);
  return is_busy (path, view) ? busy_pace (rtt) : idle_pace (rtt);
}

/* How old the first unanswered probe must be: all that the bound leaves, for each further probe makes the
 * verdict surer. */
static gint64
patience (const IcsPath *path, const IcsLivenessView *view, gint64 rtt)
{
  gint64 busy;

  if (!view->carrying)
    return MAX (busy_bound (rtt), STANDBY_PATIENCE_LEAST);
  busy = busy_bound (rtt) - busy_pace (rtt) - BOUND_SLACK;
  if (is_doubted (path, view))
    return MIN (busy, idle_patience (rtt));
  return is_busy (path, view) ? busy : idle_patience (rtt);
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
  gint64 pace = view->carrying ? carrying_pace (path, view, rtt) : standby_pace (path, rtt);

  return path->proven ? pace : MIN (pace, MAX (rtt, PROVING_PACE_LEAST));
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
      pace = DEAD_PACE;
      break;
    }
  return path->last_probe + pace;
}

gint64
ics_liveness_suspect_at (const IcsPath *path, const IcsLivenessView *view)
{
  const IcsLoggedProbe *first = ics_probe_log_row (&path->log, view->judged_from, 0);

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
  const IcsLoggedProbe *first = ics_probe_log_row (&path->log, view->judged_from, 0);
  const IcsLoggedProbe *last = ics_probe_log_row (&path->log, view->judged_from, needed - 1);
  gint64 at;

  if (last == NULL)
    return G_MAXINT64;
  at = MAX (last->sent_at + ics_quality_rto (&path->quality), first->sent_at + wait);
  return MAX (at, MAX (last_sign, view->judged_from) + wait - rtt);
}

static gint64
suspect_dies_at (const IcsPath *path, const IcsLivenessView *view)
{
  guint least = view->carrying ? SILENCE_PROBES_LEAST : STANDBY_PROBES_LEAST;
  guint silence = ics_quality_probes_needed (&path->quality, SILENCE_ODDS, least);
  guint one_way = ics_quality_probes_needed (&path->quality, ONE_WAY_ODDS, MAX (least, ONE_WAY_PROBES_LEAST));

  gint64 at = MIN (verdict_at (path, view, silence, path->last_received),
                   verdict_at (path, view, is_doubted (path, view) ? silence : one_way, path->last_pong));

  /* Without consent there is no use in further hope. */
  return MIN (at, MAX (path->last_pong, view->judged_from) + ICS_CONSENT_LIFETIME);
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
  return MIN (path->backoff * 2, NEW_BACKOFF_MOST);
}
