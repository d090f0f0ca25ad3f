/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One relay between the two hosts, with a real TURN server: one host relays, the other is plain. */
#include "tests/coturn.h"
#include "tests/ice-side.h"
#include "tests/suite.h"
#include <string.h>

static IcsTurnServer
turn_server (Coturn *coturn, guint round)
{
  static const char *const users[] = { "alice", "bob" };

  return (IcsTurnServer){ .host = (char *)"127.0.0.1",
                          .port = coturn_get_port (coturn),
                          .username = (char *)users[round],
                          .password = (char *)"secret" };
}

static void
check_pair (Side *side, const char *local, const char *remote)
{
  IcsIcePair pair;

  ck_assert (ics_traversal_get_pair (side->attempt, &pair));
  ck_assert_msg (strstr (local, pair.local_type) != NULL, "local type %s, not %s", pair.local_type, local);
  ck_assert_msg (strstr (remote, pair.remote_type) != NULL, "remote type %s, not %s", pair.remote_type,
                 remote);
  ics_ice_pair_clear (&pair);
}

static void
check_lines (Side *side, const char *type)
{
  ck_assert_uint_gt (side->lines->len, 0);
  for (guint i = 0; i < side->lines->len; i++)
    ck_assert_msg (strstr (g_ptr_array_index (side->lines, i), type) != NULL, "%s",
                   (char *)g_ptr_array_index (side->lines, i));
}

/* Whoever of the two controls: the pair is between the one's relay and the other itself. */
START_TEST (test_one_hop)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Coturn *coturn = coturn_start ("127.0.0.1", "127.0.0.1");
  IcsTurnServer turn = turn_server (coturn, (guint)_i);
  guint relaying = (guint)_i, plain = 1 - relaying;
  Side sides[2];

  for (guint i = 0; i < 2; i++)
    side_init (&sides[i], (IcsIceConfig){ .controlling = i == 0,
                                          .one_hop = TRUE,
                                          .relay_only = i == relaying,
                                          .turn = i == relaying ? &turn : NULL,
                                          .context = context });
  for (guint i = 0; i < 2; i++)
    sides[i].peer = &sides[1 - i];
  pair_start (sides);
  for (guint i = 0; i < 2; i++)
    side_give_credentials (&sides[i]);
  WAIT_FOR (context, pair_is_connected (sides));
  pair_exchange (sides);
  check_pair (&sides[relaying], "relay", "host prflx");
  check_pair (&sides[plain], "host prflx", "relay");
  check_lines (&sides[relaying], " typ relay raddr 0.0.0.0 rport 0");
  check_lines (&sides[plain], " typ host");
  pair_clear (sides);
  coturn_stop (coturn);
}
END_TEST

/* A peer that signals what its part does not have is not followed there. */
START_TEST (test_wrong_part)
{
  static const char host[] = "candidate:1 1 UDP 2015363327 127.0.0.1 9 typ host";
  static const char srflx[] = "candidate:2 1 UDP 1679819007 203.0.113.9 9 typ srflx raddr 0.0.0.0 rport 0";
  static const char relay[] = "candidate:3 1 UDP 503316479 198.51.100.1 9 typ relay raddr 0.0.0.0 rport 0";
  IcsTurnServer turn
      = { .host = (char *)"127.0.0.1", .port = 9, .username = (char *)"a", .password = (char *)"b" };
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsIceConfig config
      = { .one_hop = TRUE, .relay_only = _i == 0, .turn = _i == 0 ? &turn : NULL, .context = context };
  Side side;

  side_init (&side, config);
  ck_assert (ics_traversal_start (side.attempt, NULL));
  ck_assert_int_eq (ics_traversal_add_remote_candidate (side.attempt, host), _i == 0);
  ck_assert_int_eq (ics_traversal_add_remote_candidate (side.attempt, srflx), _i == 0);
  ck_assert_int_eq (ics_traversal_add_remote_candidate (side.attempt, relay), _i == 1);
  side_clear (&side);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = { { test_one_hop, 2 }, { test_wrong_part, 2 } };

  isolate ();
  return run_loops ("one hop", tests, G_N_ELEMENTS (tests));
}
