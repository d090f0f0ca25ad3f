/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/search-rule.h"

gboolean
ics_nat_ports_are_predictable (IcsNatPorts ports)
{
  return ports == ICS_NAT_PORTS_PRESERVED || ports == ICS_NAT_PORTS_SEQUENTIAL;
}

/* A NAT that keeps the ports of sockets hardly has another one for each destination. */
static gboolean
keeps_mapping (const IcsNatTraits *self)
{
  return self->mapping_varies == ICS_FACT_NO
         || (self->mapping_varies == ICS_FACT_UNKNOWN && self->ports == ICS_NAT_PORTS_PRESERVED);
}

/* The one whose mappings vary opens: the other one has one outside port to send to. */
static IcsSearchRoles
choose_one (const IcsNatTraits *joiner, const IcsNatTraits *listener)
{
  if (joiner->mapping_varies == ICS_FACT_YES)
    return ICS_SEARCH_JOINER_OPENS;
  if (listener->mapping_varies == ICS_FACT_YES)
    return ICS_SEARCH_LISTENER_OPENS;
  /* What ICE did not manage, although one of them keeps its mapping, as far as is known. */
  return !keeps_mapping (joiner) ? ICS_SEARCH_JOINER_OPENS : ICS_SEARCH_LISTENER_OPENS;
}

static gboolean
is_dark (const IcsNatTraits *self)
{
  return self->mapping_varies == ICS_FACT_UNKNOWN && !keeps_mapping (self);
}

IcsSearchRoles
ics_search_choose (const IcsNatTraits *joiner, const IcsNatTraits *listener, const char **why)
{
  gboolean both_vary = joiner->mapping_varies == ICS_FACT_YES && listener->mapping_varies == ICS_FACT_YES;
  gboolean both_predictable
      = ics_nat_ports_are_predictable (joiner->ports) && ics_nat_ports_are_predictable (listener->ports);

  *why = NULL;
  if (!joiner->searches || !listener->searches)
    *why = "a host does not take part";
  else if (keeps_mapping (joiner) && keeps_mapping (listener))
    *why = "both NATs keep one mapping for all destinations";
  else if (is_dark (joiner) && is_dark (listener))
    *why = "too little is known of the NATs";
  else if (both_vary && !both_predictable)
    *why = "both NATs map anew for each destination, and one of them to ports that cannot be predicted";
  return *why != NULL ? ICS_SEARCH_NONE : choose_one (joiner, listener);
}
