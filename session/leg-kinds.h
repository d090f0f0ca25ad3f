/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/traversal.h"
#include "base/ics-types.h"
#include "session/control.h"
#include "session/leg-plan.h"

G_BEGIN_DECLS

/* What the legs are: a new one is a value of IcsLeg, its name in the control messages and a row here. */
typedef struct
{
  IcsPathKind path_kind; /* of what its attempts find */
  IcsTraversalNew make;
  IcsLegPlanConfig plan; /* also bounds what a peer can start: an attempt holds sockets */
} IcsLegKind;

const IcsLegKind *ics_leg_get_kind (IcsLeg leg);

/* As long as @other serves, @leg is not needed: both find the same kind of path, and @other has less
 * patience. */
gboolean ics_leg_stands_back (IcsLeg leg, IcsLeg other);

G_END_DECLS
