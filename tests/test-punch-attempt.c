/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A search on real sockets, with a real STUN server, on a host that has nothing but loopback: its "NAT" keeps
 * ports, so they are predicted. Random ports are for tests/test-punch-search.c and the laboratory. */
#include "agent/punch-attempt.h"
#include "tests/coturn.h"
#include "tests/ice-side.h"
#include "tests/suite.h"
#include <string.h>

typedef struct
{
  GMainContext *context;
  Coturn *coturn;
  IcsTurnServer stun;
  Side sides[2]; /* the first one controls */
} World;

static void
world_init (World *world, guint opener, guint limit_ms)
{
  isolate ();
  world->context = g_main_context_new ();
  world->coturn = coturn_start ("127.0.0.1", "127.0.0.1");
  world->stun = (IcsTurnServer){ .host = (char *)"127.0.0.1",
                                 .port = coturn_get_port (world->coturn),
                                 .transport = ICS_TURN_UDP };
  for (guint i = 0; i < 2; i++)
    {
      IcsIceConfig config = { .controlling = i == 0,
                              .opens = i == opener,
                              .stun = &world->stun,
                              .limit_ms = limit_ms,
                              .context = world->context };

      side_init (&world->sides[i], config);
      world->sides[i].peer = &world->sides[!i];
    }
}

static void
world_clear (World *world)
{
  pair_clear (world->sides);
  coturn_stop (world->coturn);
  g_main_context_unref (world->context);
}

/* Whoever controls, and whoever opens. */
START_TEST (predicted_ports_become_a_path)
{
  Side *prober;
  World world;

  world_init (&world, (guint)_i, 0);
  prober = &world.sides[!_i];
  pair_connect (world.sides);
  pair_check_agreement (world.sides);
  pair_exchange (world.sides);
  /* Nothing filters here: the opener's own packets come through. */
  ck_assert (side_has_note (prober, "the search found a pair after 0 probes"));
  ck_assert (side_has_note (&world.sides[_i], "gives ports: preserved"));
  ck_assert_uint_eq (world.sides[_i].lines->len, 16);
  ck_assert_uint_eq (prober->lines->len, 1);
  world_clear (&world);
}
END_TEST

START_TEST (it_may_end_at_any_time)
{
  World world;

  world_init (&world, (guint)_i % 2, 0);
  world.sides[_i / 2].free_on_state = TRUE;
  pair_start (world.sides);
  side_give_credentials (&world.sides[0]);
  side_give_credentials (&world.sides[1]);
  WAIT_FOR (world.context, world.sides[_i / 2].closed);
  world_clear (&world);
}
END_TEST

START_TEST (a_silent_peer_is_not_waited_for)
{
  World world;

  world_init (&world, 0, 300);
  pair_start (world.sides);
  WAIT_FOR (world.context,
            side_is_in (&world.sides[0], ICS_ICE_FAILED) && side_is_in (&world.sides[1], ICS_ICE_FAILED));
  ck_assert (side_has_note (&world.sides[0], "took too long"));
  world_clear (&world);
}
END_TEST

/* No peer can have hosts probed that its own NAT is not among: a network that this host's NAT hides, say. */
START_TEST (addresses_within_networks_are_not_probed)
{
  static const char *const lines[]
      = { "candidate:1 1 UDP 9 192.168.1.1 5000 typ srflx", "candidate:1 1 UDP 9 10.0.0.1 5000 typ srflx",
          "candidate:1 1 UDP 9 100.64.0.1 5000 typ srflx", "candidate:1 1 UDP 9 203.0.113.1 5000 typ host" };
  Side *opener;
  World world;

  world_init (&world, 0, 0);
  opener = &world.sides[0];
  opener->hold = TRUE;
  world.sides[1].hold = TRUE;
  pair_start (world.sides);
  side_give_credentials (&world.sides[1]);
  ck_assert (ics_traversal_add_remote_candidate (opener->attempt, lines[_i]));
  WAIT_FOR (world.context, side_is_in (opener, ICS_ICE_FAILED));
  ck_assert (side_has_note (opener, "no address where it can be searched for"));
  world_clear (&world);
}
END_TEST

START_TEST (it_needs_a_server)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsIceConfig config = { .opens = TRUE, .context = context };
  g_autoptr (GError) error = NULL;
  Side side;

  isolate ();
  side_init (&side, config);
  ck_assert (!ics_traversal_start (side.attempt, &error));
  ck_assert (g_error_matches (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT));
  side_clear (&side);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = { { predicted_ports_become_a_path, 2 },
                              { it_may_end_at_any_time, 4 },
                              { a_silent_peer_is_not_waited_for, 1 },
                              { addresses_within_networks_are_not_probed, 4 },
                              { it_needs_a_server, 1 } };

  side_make = ics_punch_attempt_new;
  return run_loops ("punch-attempt", tests, G_N_ELEMENTS (tests));
}
