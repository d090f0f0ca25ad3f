/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "session/leg-routes.h"

G_BEGIN_DECLS

/* Which attempts of one leg there are: when to start one, by which route, and when one is not needed any
 * more. Sans-IO: time (monotonic µs, G_MAXINT64 = never) comes in as an argument, what to do comes out of
 * ics_leg_plan_poll(). The joiner has one for each leg; the listener follows.
 *
 * A generation is one search: the routes of the first rung at once, those of the next when nothing is proved
 * after a while, or all has failed. Living paths of earlier generations go on meanwhile. */

typedef struct _IcsLegPlan IcsLegPlan;

typedef struct
{
  gint64 retry_min; /* after a search that failed; doubled each time */
  gint64 retry_max;
  gboolean
      at_once; /* when the last path dies, search at once (unless one has just begun), not after the pause */
  gint64 settle; /* from the first proof of a generation until the choice of what is kept */
  /* This leg stands back while another one serves (ics_leg_plan_set_needed()), and so long after it is
   * needed. 0: it is needed always. */
  gint64 patience;
  guint keep; /* so many paths */
  guint max;  /* attempts at a time */
} IcsLegPlanConfig;

typedef enum
{
  ICS_LEG_PLAN_START, /* attempt @number, by @route */
  ICS_LEG_PLAN_END    /* attempt @number is not needed any more */
} IcsLegPlanActionType;

typedef struct
{
  IcsLegPlanActionType type;
  guint number; /* from 1, never reused */
  IcsLegRoute route;
} IcsLegPlanAction;

/* A search is asked for at most so often, whoever asks. */
#define ICS_LEG_PLAN_LEAST_GAP G_TIME_SPAN_SECOND
/* One hop should have been found by then; the next rung is tried as well. */
#define ICS_LEG_PLAN_RUNG G_TIME_SPAN_SECOND

IcsLegPlan *ics_leg_plan_new (const IcsLegPlanConfig *config);
void ics_leg_plan_free (IcsLegPlan *self);

/* The first routes begin the first search; later ones join the search that is under way. */
void ics_leg_plan_set_routes (IcsLegPlan *self, gint64 now, const IcsLegRoutes *routes);
/* The network changed, or the servers did: a fresh search, and the pauses begin anew. */
void ics_leg_plan_renew (IcsLegPlan *self, gint64 now);
/* The same, and what there is now shall not last: it ends when the fresh search has found something, also if
 * it carries the traffic. */
void ics_leg_plan_replace (IcsLegPlan *self, gint64 now);

/* For a leg with patience, which is not needed at first. While it is not, there are no searches, and what
 * still tries ends; paths stay. */
void ics_leg_plan_set_needed (IcsLegPlan *self, gint64 now, gboolean needed);
/* The others have come to nothing: no more patience this time. */
void ics_leg_plan_hurry (IcsLegPlan *self, gint64 now);
/* There is a living path. */
gboolean ics_leg_plan_serves (const IcsLegPlan *self);

/* What became of an attempt. @relay: the address of the relay it uses (NULL: none): two paths over one relay
 * are no safer than one. A path that died may be proved again. */
void ics_leg_plan_on_proved (IcsLegPlan *self, gint64 now, guint number, const char *relay);
void ics_leg_plan_on_died (IcsLegPlan *self, gint64 now, guint number);
/* It came to nothing, or ended by itself: it is gone. Not for what ICS_LEG_PLAN_END says. */
void ics_leg_plan_on_ended (IcsLegPlan *self, gint64 now, guint number);

/* For the choice: the path's round-trip time, 0 = unknown. */
void ics_leg_plan_set_rtt (IcsLegPlan *self, guint number, gint64 srtt);
/* The attempt that carries the traffic, 0 = none of this leg; it is not ended but by ics_leg_plan_replace().
 */
void ics_leg_plan_set_active (IcsLegPlan *self, gint64 now, guint number);

void ics_leg_plan_handle_timeout (IcsLegPlan *self, gint64 now);
gint64 ics_leg_plan_next_timeout (const IcsLegPlan *self);
gboolean ics_leg_plan_poll (IcsLegPlan *self, IcsLegPlanAction *action);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsLegPlan, ics_leg_plan_free)

G_END_DECLS
