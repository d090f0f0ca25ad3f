/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/nat-behavior.h"

G_BEGIN_DECLS

/* Which host opens the mappings in a search for a way through a NAT that maps anew for each destination, and
 * which one probes for them; or that there is no use in it. Pure. */

/* What a host says of itself. */
typedef struct
{
  IcsFact mapping_varies; /* by the destination */
  IcsNatPorts ports;      /* that its NAT gives to new mappings */
  gboolean searches;      /* it takes part */
  char address[46];       /* outside, INET6_ADDRSTRLEN; "" = unknown */
} IcsNatTraits;

typedef enum
{
  ICS_SEARCH_NONE,
  ICS_SEARCH_JOINER_OPENS,
  ICS_SEARCH_LISTENER_OPENS
} IcsSearchRoles;

/* @why: in people's words, when there is none. */
IcsSearchRoles ics_search_choose (const IcsNatTraits *joiner, const IcsNatTraits *listener, const char **why);

gboolean ics_nat_ports_are_predictable (IcsNatPorts ports);

G_END_DECLS
