/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an attempt takes from the peer, and which pairs it takes. */
#include "tests/ice-side.h"
#include "tests/suite.h"

START_TEST (garbage_is_refused)
{
  static const char *const garbage[] = {
    "",
    "candidate:",
    "a=candidate:1 1 UDP 1 192.0.2.1 5000 typ host",
    "candidate:1 1 TCP 1 192.0.2.1 5000 typ host tcptype active",
    "candidate:1 2 UDP 1 192.0.2.1 5000 typ host",
    "candidate:1 1 UDP 1 b0a3b9e2.local 5000 typ host",
    "candidate:1 1 UDP 1 224.0.0.1 5000 typ host",
    "candidate:1 1 UDP 1 192.0.2.1 0 typ host",
    "candidate:1 1 UDP 1 192.0.2.1 5000 typ relay raddr 0.0.0.0 rport 0",
    "candidate:1 1 UDP 1 192.0.2.1 5000 typ prflx",
  };
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsIceConfig config = { .context = context };
  Side sides[2];

  pair_init (sides, &config);
  for (guint i = 0; i < G_N_ELEMENTS (garbage); i++)
    ck_assert_msg (!ics_traversal_add_remote_candidate (sides[0].attempt, garbage[i]), "%s", garbage[i]);
  pair_start (sides);
  for (guint i = 0; i < G_N_ELEMENTS (garbage); i++)
    ck_assert (!ics_traversal_add_remote_candidate (sides[0].attempt, garbage[i]));
  ics_traversal_set_remote_credentials (sides[0].attempt, "", "");
  ics_traversal_set_remote_credentials (sides[0].attempt, "good", "too short");
  ck_assert_int_eq (ics_traversal_get_state (sides[0].attempt), ICS_ICE_GATHERING);

  side_give_credentials (&sides[0]);
  side_give_credentials (&sides[1]);
  WAIT_FOR (context, pair_is_connected (sides));
  ck_assert (side_has_note (&sides[0], "a candidate of the peer was refused: not UDP"));
  pair_exchange (sides);
  pair_clear (sides);
}
END_TEST

START_TEST (too_many_candidates)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsIceConfig config = { .context = context };
  Side side;

  side_init (&side, config);
  for (guint i = 0; i < 40; i++)
    {
      g_autofree char *line = g_strdup_printf ("candidate:1 1 UDP 1 192.0.2.1 %u typ host", 5000 + i);

      ck_assert_int_eq (ics_traversal_add_remote_candidate (side.attempt, line), i < 32);
      ck_assert (!ics_traversal_add_remote_candidate (side.attempt, line));
    }
  side_clear (&side);
}
END_TEST

/* On a relay leg only relayed candidates come in. */
START_TEST (relay_refuses_direct_candidates)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsTurnServer turn = { .host = (char *)"127.0.0.1", .port = 9 };
  IcsIceConfig config = { .relay_only = TRUE, .turn = &turn, .context = context };
  Side side;

  side_init (&side, config);
  ck_assert (
      !ics_traversal_add_remote_candidate (side.attempt, "candidate:1 1 UDP 1 192.0.2.1 5000 typ host"));
  ck_assert (
      ics_traversal_add_remote_candidate (side.attempt, "candidate:1 1 UDP 1 192.0.2.1 5000 typ relay"));
  side_clear (&side);
}
END_TEST

START_TEST (wanted_pairs)
{
  static const struct
  {
    const char *local, *remote;
    gboolean in_lan;
  } cases[] = {
    { "host", "host", TRUE },   { "host", "prflx", FALSE }, { "prflx", "host", FALSE },
    { "host", "srflx", FALSE }, { "srflx", "host", FALSE }, { "prflx", "prflx", FALSE },
    { "relay", "host", FALSE }, { "host", "relay", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      IcsIcePair pair = { .local_type = cases[i].local, .remote_type = cases[i].remote };

      ck_assert_int_eq (ics_ice_pair_is_wanted (&pair, TRUE), cases[i].in_lan);
      ck_assert (ics_ice_pair_is_wanted (&pair, FALSE));
    }
}
END_TEST

/* The checks come from an address that the peer has not signalled. Once it has, the same pair is good. */
START_TEST (lan_waits_for_the_candidate)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsIceConfig config = { .host_only = TRUE, .family = 4, .context = context };
  Side sides[2];
  Side *deaf = &sides[_i];
  IcsIcePair pair;

  pair_init (sides, &config);
  deaf->peer->hold = TRUE;
  pair_start (sides);
  side_give_credentials (&sides[0]);
  side_give_credentials (&sides[1]);
  WAIT_FOR (context, side_has_note (deaf, " ignored (host, prflx)"));
  ck_assert_int_eq (ics_traversal_get_state (deaf->attempt), ICS_ICE_CHECKING);
  ck_assert (!ics_traversal_get_pair (deaf->attempt, &pair));
  ck_assert_int_eq (ics_traversal_send (deaf->attempt, (const guint8 *)"Hello", 5), ICS_SEND_FAILED);

  side_release (deaf->peer);
  WAIT_FOR (context, pair_is_connected (sides));
  ck_assert (side_has_note (deaf, " selected (host, host)"));
  pair_exchange (sides);
  pair_check_agreement (sides);
  pair_clear (sides);
}
END_TEST

START_TEST (lan_fails_without_the_candidate)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsIceConfig config = { .host_only = TRUE, .family = 4, .limit_ms = 500, .context = context };
  Side sides[2];

  pair_init (sides, &config);
  sides[1 - _i].hold = TRUE;
  pair_start (sides);
  side_give_credentials (&sides[0]);
  side_give_credentials (&sides[1]);
  WAIT_FOR (context, side_is_in (&sides[_i], ICS_ICE_FAILED));
  ck_assert_uint_eq (side_count_state (&sides[_i], ICS_ICE_CONNECTED), 0);
  pair_clear (sides);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { garbage_is_refused, 1 }, { too_many_candidates, 1 },         { relay_refuses_direct_candidates, 1 },
    { wanted_pairs, 1 },       { lan_waits_for_the_candidate, 2 }, { lan_fails_without_the_candidate, 2 },
  };

  isolate ();
  return run_loops ("ice-rules", tests, G_N_ELEMENTS (tests));
}
