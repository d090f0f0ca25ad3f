/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "session/leg-plan.h"

G_BEGIN_DECLS

/* Between leg-plan.c and leg-choice.c. */

#define ICS_LEG_NEVER G_MAXINT64

typedef enum
{
  ICS_LEG_TRYING,
  ICS_LEG_LIVING,
  ICS_LEG_DEAD /* once proved; may come back */
} IcsLegAttemptState;

typedef struct
{
  guint number;
  guint generation;
  IcsLegRoute route;
  IcsLegAttemptState state;
  gint64 srtt;
  char *relay;
} IcsLegAttempt;

struct _IcsLegPlan
{
  IcsLegPlanConfig config;
  IcsLegRoutes routes;
  GPtrArray *attempts; /* IcsLegAttempt, oldest first */
  GQueue actions;      /* IcsLegPlanAction */
  guint last_number;
  guint active;

  guint generation;
  guint fresh_from; /* the generations before are to be replaced */
  gint64 generation_at;
  guint rung;
  gint64 rung_at;   /* the next rung; ICS_LEG_NEVER = none is left, or none is needed */
  gint64 settle_at; /* when it is chosen what is kept */
  gint64 retry_at;
  gboolean idle;    /* not needed */
  gboolean patient; /* retry_at is a matter of patience */
  gint64 retry_delay;
};

/* In this state; @generation 0 = of any. */
guint ics_leg_plan_count (const IcsLegPlan *self, IcsLegAttemptState state, guint generation);
void ics_leg_plan_end_attempt (IcsLegPlan *self, IcsLegAttempt *attempt);

/* leg-choice.c: ends what is not kept. */
void ics_leg_plan_settle (IcsLegPlan *self);

G_END_DECLS
