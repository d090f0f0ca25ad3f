/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/leg-kinds.h"
#include "agent/ice-attempt.h"
#include "agent/punch-attempt.h"
#include "agent/tcp-attempt.h"

static const IcsLegKind kinds[ICS_N_LEGS] = {
  /* A relay is to be there whatever happens, and one more in case. */
  [ICS_LEG_TURN] = { .path_kind = ICS_PATH_TURN,
                     .make = ics_ice_attempt_new,
                     .plan = { .retry_min = G_USEC_PER_SEC,
                               .retry_max = 60 * G_USEC_PER_SEC,
                               .at_once = TRUE,
                               .settle = 3 * G_USEC_PER_SEC,
                               .keep = 2,
                               .max = 12 } },
  [ICS_LEG_DIRECT]
  = { .path_kind = ICS_PATH_DIRECT,
      .make = ics_ice_attempt_new,
      .plan = { .retry_min = 3 * G_USEC_PER_SEC, .retry_max = 120 * G_USEC_PER_SEC, .keep = 2, .max = 3 } },
  /* How often it is worth while is for the search's own memory to say. */
  [ICS_LEG_SEARCH]
  = { .path_kind = ICS_PATH_DIRECT,
      .make = ics_punch_attempt_new,
      .plan = { .retry_min = 10 * G_USEC_PER_SEC, .retry_max = 600 * G_USEC_PER_SEC, .keep = 1, .max = 2 } },
  /* Where UDP works it is there sooner. */
  [ICS_LEG_TCP] = { .path_kind = ICS_PATH_DIRECT,
                    .make = ics_tcp_attempt_new,
                    .plan = { .retry_min = 5 * G_USEC_PER_SEC,
                              .retry_max = 120 * G_USEC_PER_SEC,
                              .at_once = TRUE,
                              .patience = 1500 * G_TIME_SPAN_MILLISECOND,
                              .keep = 1,
                              .max = 2 } },
};

const IcsLegKind *
ics_leg_get_kind (IcsLeg leg)
{
  return &kinds[leg];
}

gboolean
ics_leg_stands_back (IcsLeg leg, IcsLeg other)
{
  return kinds[leg].path_kind == kinds[other].path_kind
         && kinds[other].plan.patience < kinds[leg].plan.patience;
}
