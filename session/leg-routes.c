/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/leg-routes.h"

#include <string.h>

enum
{
  RUNG_ONE_HOP,
  RUNG_OTHER_WAY, /* a server that both know, the other host taking the relay */
  RUNG_STREAMS = RUNG_OTHER_WAY,
  RUNG_TWO_HOPS,
  RUNG_TWO_HOPS_STREAMS
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

/* --- servers --- */

gboolean
ics_leg_server_is_stream (const char *uri)
{
  return g_str_has_prefix (uri, "turns:") || g_str_has_suffix (uri, "?transport=tcp");
}

/* The places in a host's list of its servers of one kind. */
typedef struct
{
  guint places[MAX (ICS_LEG_SERVERS_MAX, ICS_LEG_STREAMS_MAX)];
  guint n;
} Choice;

static Choice
choose (const IcsLegEnd *end, gboolean stream)
{
  guint max = stream ? ICS_LEG_STREAMS_MAX : ICS_LEG_SERVERS_MAX;
  Choice choice = { .n = 0 };

  for (guint i = 0; end != NULL && end->servers != NULL && end->servers[i] != NULL && choice.n < max; i++)
    if (ics_leg_server_is_stream (end->servers[i]) == stream)
      choice.places[choice.n++] = i;
  return choice;
}

static gboolean
knows (const IcsLegEnd *end, const char *server)
{
  Choice choice = choose (end, FALSE);

  for (guint i = 0; i < choice.n; i++)
    if (g_str_equal (end->servers[choice.places[i]], server))
      return TRUE;
  return FALSE;
}

/* --- rungs --- */

static void
add_single (IcsLegRoutes *self, IcsRelays relays, guint place, guint rung)
{
  IcsLegRoute route = { .relays = relays, .rung = rung };

  if (relays == ICS_RELAYS_JOINER)
    route.joiner_server = place;
  else
    route.listener_server = place;
  add (self, route);
}

/* One host relays, the other is plain. The two lists in turn: no host's servers crowd out the other's. */
static void
add_one_hop (IcsLegRoutes *self, const IcsLegEnd *joiner, const IcsLegEnd *listener)
{
  gboolean reachable = listener == NULL || listener->plain;
  Choice own = choose (joiner, FALSE), other = choose (listener, FALSE);
  guint n_servers = 0;

  for (guint i = 0; i < ICS_LEG_SERVERS_MAX; i++)
    {
      if (i < own.n && reachable && n_servers++ < ICS_LEG_SERVERS_MAX)
        add_single (self, ICS_RELAYS_JOINER, own.places[i], RUNG_ONE_HOP);
      if (i < other.n && joiner->plain && !(reachable && knows (joiner, listener->servers[other.places[i]]))
          && n_servers++ < ICS_LEG_SERVERS_MAX)
        add_single (self, ICS_RELAYS_LISTENER, other.places[i], RUNG_ONE_HOP);
    }
}

static void
add_other_way (IcsLegRoutes *self, const IcsLegEnd *joiner, const IcsLegEnd *listener)
{
  Choice other = choose (listener, FALSE);

  for (guint i = 0; i < other.n; i++)
    if (joiner->plain && listener->plain && knows (joiner, listener->servers[other.places[i]]))
      add_single (self, ICS_RELAYS_LISTENER, other.places[i], RUNG_OTHER_WAY);
}

/* Only the host that has no UDP has to go over a stream, and which one that is shows in what succeeds. */
static void
add_streams (IcsLegRoutes *self, const IcsLegEnd *joiner, const IcsLegEnd *listener)
{
  Choice own = choose (joiner, TRUE), other = choose (listener, TRUE);

  for (guint i = 0; i < ICS_LEG_STREAMS_MAX; i++)
    {
      if (i < own.n && (listener == NULL || listener->plain))
        add_single (self, ICS_RELAYS_JOINER, own.places[i], RUNG_STREAMS);
      if (i < other.n && joiner->plain)
        add_single (self, ICS_RELAYS_LISTENER, other.places[i], RUNG_STREAMS);
    }
}

/* Each host's first choice, and each host's last: a server that is away does not spoil both. */
static void
add_two_hops (IcsLegRoutes *self, const Choice *joiner, const Choice *listener, guint rung)
{
  IcsLegRoute route = { .relays = ICS_RELAYS_BOTH, .rung = rung };

  if (joiner->n == 0 || listener->n == 0)
    return;
  route.joiner_server = joiner->places[0];
  route.listener_server = listener->places[0];
  add (self, route);
  route.joiner_server = joiner->places[joiner->n - 1];
  route.listener_server = listener->places[listener->n - 1];
  if (joiner->n + listener->n > 2)
    add (self, route);
}

static void
add_mixed (IcsLegRoutes *self, const Choice *joiner, const Choice *listener)
{
  if (joiner->n > 0 && listener->n > 0)
    add (self, (IcsLegRoute){ .relays = ICS_RELAYS_BOTH,
                              .joiner_server = joiner->places[0],
                              .listener_server = listener->places[0],
                              .rung = RUNG_TWO_HOPS_STREAMS });
}

/* Where nobody hides, one hop over a stream is the way between a host with UDP and one without. */
static void
add_two_hops_streams (IcsLegRoutes *self, const IcsLegEnd *joiner, const IcsLegEnd *listener)
{
  Choice own = choose (joiner, TRUE), other = choose (listener, TRUE);
  Choice own_udp = choose (joiner, FALSE), other_udp = choose (listener, FALSE);

  add_two_hops (self, &own, &other, RUNG_TWO_HOPS_STREAMS);
  if (joiner->plain && listener->plain && own.n > 0 && other.n > 0)
    return;
  add_mixed (self, &own, &other_udp);
  add_mixed (self, &own_udp, &other);
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
  Choice own, other;

  memset (self, 0, sizeof *self);
  add_one_hop (self, joiner, listener);
  add_streams (self, joiner, listener);
  if (listener == NULL)
    return;
  add_other_way (self, joiner, listener);
  own = choose (joiner, FALSE);
  other = choose (listener, FALSE);
  add_two_hops (self, &own, &other, RUNG_TWO_HOPS);
  add_two_hops_streams (self, joiner, listener);
}
