/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One mapping at a gateway over a bad way, on a virtual clock. */
#include "tests/port-map-world.h"
#include "tests/suite.h"
#include <string.h>

#define FLIGHT_MAX 64

typedef struct
{
  Message message;
  gint64 at;
  gboolean to_gateway;
} Flight;

typedef struct
{
  World world;
  Flight flights[FLIGHT_MAX];
  guint n;
  double loss;
} Way;

/* Lost, doubled, delayed by so much that a quarter of a second is over before the answer is here. */
static void
throw_in (Way *way, const Message *message, gboolean to_gateway)
{
  guint copies = g_rand_double (way->world.random) < 0.2 ? 2 : 1;

  for (guint i = 0; i < copies && way->n < FLIGHT_MAX; i++)
    if (g_rand_double (way->world.random) >= way->loss)
      way->flights[way->n++]
          = (Flight){ .message = *message,
                      .at = way->world.now + g_rand_int_range (way->world.random, 0, 500 * MS),
                      .to_gateway = to_gateway };
}

static gint64
next_event (const Way *way)
{
  gint64 next = ics_port_map_next_timeout (way->world.map);

  for (guint i = 0; i < way->n; i++)
    next = MIN (next, way->flights[i].at);
  return next;
}

static void
arrive (Way *way)
{
  World *world = &way->world;

  for (guint i = 0; i < way->n;)
    {
      Flight flight = way->flights[i];
      Message answer;

      if (flight.at > world->now)
        {
          i++;
          continue;
        }
      way->flights[i] = way->flights[--way->n];
      if (!flight.to_gateway)
        world_deliver (world, &flight.message);
      else if (gateway_serve (&world->gateway, world->now, &flight.message, &answer))
        throw_in (way, &answer, FALSE);
    }
}

static void
run_until (Way *way, gint64 when)
{
  while (next_event (way) <= when)
    {
      Message request;

      way->world.now = MAX (way->world.now, next_event (way));
      arrive (way);
      while (world_take_request (&way->world, &request))
        throw_in (way, &request, TRUE);
    }
  way->world.now = when;
}

static void
live_through_trouble (guint32 seed)
{
  Way way = { .world = world_new (seed), .loss = 0.3 };
  World *world = &way.world;

  world->gateway.pcp = seed % 3 != 0;
  world->gateway.nat_pmp = seed % 3 != 1;
  for (guint i = 0; i < 20; i++)
    {
      run_until (&way, world->now + g_rand_int_range (world->random, 0, 400 * SECOND));
      if (g_rand_double (world->random) < 0.2)
        gateway_restart (&world->gateway, world->now);
      if (world_status (world)->state == ICS_PORT_MAP_REFUSED)
        ics_port_map_handle_new_gateway (world->map, world->now);
    }
  /* On a good way it comes to rest within a lifetime: what the host believes is what the gateway does. */
  way.loss = 0;
  run_until (&way, world->now + LIFETIME * SECOND);
  if (world_status (world)->state != ICS_PORT_MAP_GRANTED)
    {
      ics_port_map_handle_new_gateway (world->map, world->now);
      run_until (&way, world->now + 10 * SECOND);
    }
  ck_assert_msg (world_status (world)->state == ICS_PORT_MAP_GRANTED
                     && world_status (world)->external_port == world->gateway.port
                     && world->gateway.expires_at > world->now,
                 "seed %u: state %d", seed, (int)world_status (world)->state);
  ics_port_map_release (world->map, world->now);
  run_until (&way, world->now + 5 * SECOND);
  ck_assert_msg (world->gateway.port == 0 && world_status (world)->state == ICS_PORT_MAP_OVER,
                 "seed %u: not given back", seed);
  world_clear (world);
}

START_TEST (random_trouble)
{
  const char *given = g_getenv ("ICS_TEST_SEED");

  if (given != NULL)
    live_through_trouble ((guint32)g_ascii_strtoull (given, NULL, 10));
  else
    for (guint32 i = 0; i < 50; i++)
      live_through_trouble (((guint32)_i * 50 + i) * 7919u + 1);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = { { random_trouble, 10 } };

  return run_loops ("port-map-trouble", tests, G_N_ELEMENTS (tests));
}
