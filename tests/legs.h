/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "session/leg-plan.h"

/* The plans of the two legs, and the routes of a host with one server. */

#define MS G_TIME_SPAN_MILLISECOND
#define S G_TIME_SPAN_SECOND

static const IcsLegPlanConfig turn_config
    = { .retry_min = S, .retry_max = 60 * S, .at_once = TRUE, .settle = 3 * S, .keep = 2, .max = 12 };
static const IcsLegPlanConfig direct_config
    = { .retry_min = 3 * S, .retry_max = 120 * S, .keep = 2, .max = 3 };

static const IcsLegRoutes one_server = { .items = { { .relays = ICS_RELAYS_JOINER },
                                                    { .relays = ICS_RELAYS_LISTENER, .rung = 1 },
                                                    { .relays = ICS_RELAYS_BOTH, .rung = 2 } },
                                         .len = 3 };
static const IcsLegRoutes direct_route = { .items = { { .relays = ICS_RELAYS_NONE } }, .len = 1 };
