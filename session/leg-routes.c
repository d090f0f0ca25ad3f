/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/leg-routes.h"

#include <string.h>

enum
{
  RUNG_ONE_HOP,
  RUNG_OTHER_WAY, /* a server that both know, the other host taking the relay */
  RUNG_TWO_HOPS
};

gboolean
ics_relays_include (IcsRelays relays, gboolean joiner)
{
  switch (relays)
    {
    case ICS_RELAYS_NONE:
      return FALSE;
    case ICS_RELAYS_JOINER:
      return joiner;
    case ICS_RELAYS_LISTENER:
      return !joiner;
    case ICS_RELAYS_BOTH:
      return TRUE;
    }
  return FALSE;
}

static void
add (IcsLegRoutes *self, IcsLegRoute route)
{
  if (self->len < ICS_LEG_ROUTES_MAX)
    self->items[self->len++] = route;
}

static guint
count (const IcsLegEnd *end)
{
  guint n = end != NULL && end->servers != NULL ? g_strv_length ((char **)end->servers) : 0;

  return MIN (n, ICS_LEG_SERVERS_MAX);
}

static gboolean
knows (const IcsLegEnd *end, const char *server)
{
  for (guint i = 0; i < count (end); i++)
    if (g_str_equal (end->servers[i], server))
      return TRUE;
  return FALSE;
}

/* One host relays, the other is plain. The two lists in turn: no host's servers crowd out the other's. */
static void
add_one_hop (IcsLegRoutes *self, const IcsLegEnd *joiner, const IcsLegEnd *listener)
{
  gboolean reachable = listener == NULL || listener->plain;
  guint n_servers = 0;

  for (guint i = 0; i < ICS_LEG_SERVERS_MAX; i++)
    {
      if (i < count (joiner) && reachable && n_servers++ < ICS_LEG_SERVERS_MAX)
        add (self, (IcsLegRoute){ .relays = ICS_RELAYS_JOINER, .joiner_server = i });
      if (i < count (listener) && joiner->plain && !(reachable && knows (joiner, listener->servers[i]))
          && n_servers++ < ICS_LEG_SERVERS_MAX)
        add (self, (IcsLegRoute){ .relays = ICS_RELAYS_LISTENER, .listener_server = i });
    }
}

static void
add_other_way (IcsLegRoutes *self, const IcsLegEnd *joiner, const IcsLegEnd *listener)
{
  for (guint i = 0; i < count (listener); i++)
    if (joiner->plain && listener->plain && knows (joiner, listener->servers[i]))
      add (self,
           (IcsLegRoute){ .relays = ICS_RELAYS_LISTENER, .listener_server = i, .rung = RUNG_OTHER_WAY });
}

/* Each host's first choice, and each host's last: a server that is away does not spoil both. */
static void
add_two_hops (IcsLegRoutes *self, const IcsLegEnd *joiner, const IcsLegEnd *listener)
{
  guint n_joiner = count (joiner), n_listener = count (listener);
  IcsLegRoute route = { .relays = ICS_RELAYS_BOTH, .rung = RUNG_TWO_HOPS };

  if (n_joiner == 0 || n_listener == 0)
    return;
  add (self, route);
  route.joiner_server = n_joiner - 1;
  route.listener_server = n_listener - 1;
  if (n_joiner + n_listener > 2)
    add (self, route);
}

void
ics_leg_routes_direct (IcsLegRoutes *self)
{
  memset (self, 0, sizeof *self);
  add (self, (IcsLegRoute){ .relays = ICS_RELAYS_NONE });
}

void
ics_leg_routes_relayed (IcsLegRoutes *self, const IcsLegEnd *joiner, const IcsLegEnd *listener)
{
  memset (self, 0, sizeof *self);
  add_one_hop (self, joiner, listener);
  if (listener == NULL)
    return;
  add_other_way (self, joiner, listener);
  add_two_hops (self, joiner, listener);
}
