/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The relay leg, with a real TURN server. */
#include "tests/coturn.h"
#include "tests/ice-side.h"
#include "tests/suite.h"
#include <string.h>

START_TEST (relay_needs_a_server)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsIceConfig config = { .relay_only = TRUE, .context = context };
  g_autoptr (GError) error = NULL;
  Side side;

  side_init (&side, config);
  ck_assert (!ics_traversal_start (side.attempt, &error));
  ck_assert (g_error_matches (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT));
  side_clear (&side);
}
END_TEST

static void
expect_relay_failure (IcsTurnServer *turn, const char *why)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsIceConfig config = { .relay_only = TRUE, .turn = turn, .context = context };
  Side side;

  side_init (&side, config);
  ck_assert (ics_traversal_start (side.attempt, NULL));
  WAIT_FOR (context, side_is_in (&side, ICS_ICE_FAILED));
  ck_assert_msg (side_has_note (&side, why), "no note says: %s", why);
  ck_assert_uint_eq (side.lines->len, 0);
  side_clear (&side);
}

START_TEST (relay_that_cannot_be)
{
  IcsTurnServer turn = { .host = (char *)"127.0.0.1",
                         .port = 9,
                         .username = (char *)"alice",
                         .password = (char *)"secret",
                         .transport = ICS_TURN_TCP };

  expect_relay_failure (&turn, "nothing leads there");
  turn.transport = ICS_TURN_UDP;
  turn.host = (char *)"no-such-host.invalid";
  expect_relay_failure (&turn, "the TURN server no-such-host.invalid is not to be had");
  turn.host = (char *)"127.0.0.1";
  turn.password = NULL;
  expect_relay_failure (&turn, "no credentials");
}
END_TEST

static IcsTurnServer
turn_server (Coturn *coturn, const char *host, const char *user)
{
  return (IcsTurnServer){ .host = (char *)host,
                          .port = coturn_get_port (coturn),
                          .username = (char *)user,
                          .password = (char *)"secret" };
}

/* coturn gives a user's quota back a moment after the allocation is gone, and 600 s later if nobody says so.
 */
static void
relay_side_start (Side *side, const IcsIceConfig *config)
{
  gint64 end = g_get_monotonic_time () + SAFETY_S * G_TIME_SPAN_SECOND;

  for (;;)
    {
      side_init (side, *config);
      ck_assert (ics_traversal_start (side->attempt, NULL));
      WAIT_FOR (config->context, side->gathered);
      if (side->lines->len == 1)
        return;
      ck_assert_msg (g_get_monotonic_time () < end, "an allocation was never given back");
      side_clear (side);
    }
}

static void
relay_pair_connect (Side sides[2], const IcsTurnServer turns[2], GMainContext *context)
{
  for (guint i = 0; i < 2; i++)
    {
      IcsIceConfig config
          = { .relay_only = TRUE, .controlling = i == 0, .turn = &turns[i], .context = context };

      relay_side_start (&sides[i], &config);
      sides[i].hold = TRUE;
      sides[i].peer = &sides[1 - i];
    }
  for (guint i = 0; i < 2; i++)
    {
      side_give_credentials (&sides[i]);
      side_release (&sides[i]);
    }
  WAIT_FOR (context, pair_is_connected (sides));
}

static void
check_relayed (Side *side)
{
  IcsIcePair pair;

  ck_assert_uint_eq (side->lines->len, 1);
  ck_assert_msg (g_str_has_suffix (g_ptr_array_index (side->lines, 0), " typ relay raddr 0.0.0.0 rport 0"),
                 "%s", (char *)g_ptr_array_index (side->lines, 0));
  ck_assert (ics_traversal_get_pair (side->attempt, &pair));
  ck_assert_str_eq (pair.local_type, "relay");
  ck_assert_str_eq (pair.remote_type, "relay");
  ics_ice_pair_clear (&pair);
}

/* Each user may have one allocation: the second round finds room only if the first gave its own back. */
START_TEST (relayed_pair)
{
  static const struct
  {
    const char *listening, *relay, *host;
  } servers[] = { { "127.0.0.1", "127.0.0.1", "127.0.0.1" },
                  { "127.0.0.1", "127.0.0.1", "localhost" },
                  { "::1", "127.0.0.1", "::1" } };
  g_autoptr (GMainContext) context = g_main_context_new ();
  Coturn *coturn;

  if (strchr (servers[_i].listening, ':') != NULL && !have_family (6))
    return;
  coturn = coturn_start (servers[_i].listening, servers[_i].relay);
  for (guint round = 0; round < 2; round++)
    {
      IcsTurnServer turns[2] = { turn_server (coturn, servers[_i].host, "alice"),
                                 turn_server (coturn, servers[_i].host, "bob") };
      Side sides[2];

      relay_pair_connect (sides, turns, context);
      pair_exchange (sides);
      pair_check_agreement (sides);
      for (guint i = 0; i < 2; i++)
        check_relayed (&sides[i]);
      pair_clear (sides);
    }
  coturn_stop (coturn);
}
END_TEST

/* Freed after every possible number of steps, the request under way: the allocation is given back all the
 * same. */
START_TEST (relay_freed_while_allocating)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Coturn *coturn = coturn_start ("127.0.0.1", "127.0.0.1");

  for (guint round = 0; round < 2; round++)
    for (guint n = 0; n < COTURN_N_USERS; n++)
      {
        g_autofree char *user = g_strdup_printf ("user%u", n);
        IcsTurnServer turn = turn_server (coturn, "127.0.0.1", user);
        IcsIceConfig config = { .relay_only = TRUE, .turn = &turn, .context = context };
        Side side;

        if (round == 1)
          relay_side_start (&side, &config);
        else
          {
            side_init (&side, config);
            ck_assert (ics_traversal_start (side.attempt, NULL));
            for (guint i = 0; i < n && !side.gathered; i++)
              g_main_context_iteration (context, TRUE);
          }
        side_clear (&side);
      }
  coturn_stop (coturn);
}
END_TEST

START_TEST (relay_refuses_wrong_password)
{
  Coturn *coturn = coturn_start ("127.0.0.1", "127.0.0.1");
  IcsTurnServer turn = turn_server (coturn, "127.0.0.1", "alice");

  turn.password = (char *)"wrong";
  expect_relay_failure (&turn, "refused: wrong or expired credentials (401)");
  coturn_stop (coturn);
}
END_TEST

/* "TURN REST API": the user name begins with the end of its time, the password proves that who gave it out
 * knows the secret. */
static void
give_rest_credentials (IcsTurnServer *turn, const char *user, gint64 ttl, const char *secret)
{
  g_autoptr (GHmac) hmac = g_hmac_new (G_CHECKSUM_SHA1, (const guchar *)secret, strlen (secret));
  guint8 digest[20];
  gsize len = sizeof digest;

  turn->username
      = g_strdup_printf ("%" G_GINT64_FORMAT ":%s", g_get_real_time () / G_TIME_SPAN_SECOND + ttl, user);
  g_hmac_update (hmac, (const guchar *)turn->username, -1);
  g_hmac_get_digest (hmac, digest, &len);
  turn->password = g_base64_encode (digest, len);
}

static void
clear_rest_credentials (IcsTurnServer *turn)
{
  g_free (turn->username);
  g_free (turn->password);
}

START_TEST (relay_takes_rest_credentials)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Coturn *coturn = coturn_start_rest ("127.0.0.1", "127.0.0.1", "a secret");
  IcsTurnServer turns[2]
      = { turn_server (coturn, "127.0.0.1", NULL), turn_server (coturn, "127.0.0.1", NULL) };
  Side sides[2];

  give_rest_credentials (&turns[0], "alice", 3600, "a secret");
  give_rest_credentials (&turns[1], "bob", 3600, "a secret");
  relay_pair_connect (sides, turns, context);
  pair_exchange (sides);
  for (guint i = 0; i < 2; i++)
    {
      check_relayed (&sides[i]);
      clear_rest_credentials (&turns[i]);
    }
  pair_clear (sides);
  coturn_stop (coturn);
}
END_TEST

START_TEST (relay_refuses_rest_credentials)
{
  static const struct
  {
    gint64 ttl;
    const char *secret;
  } bad[] = { { -3600, "a secret" }, { 3600, "another secret" } };
  Coturn *coturn = coturn_start_rest ("127.0.0.1", "127.0.0.1", "a secret");
  IcsTurnServer turn = turn_server (coturn, "127.0.0.1", NULL);

  give_rest_credentials (&turn, "alice", bad[_i].ttl, bad[_i].secret);
  expect_relay_failure (&turn, "refused: wrong or expired credentials (401)");
  clear_rest_credentials (&turn);
  coturn_stop (coturn);
}
END_TEST

/* A user has one allocation, and this is the second: only the server can tell that this is why. */
START_TEST (relay_tells_the_quota)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Coturn *coturn = coturn_start ("127.0.0.1", "127.0.0.1");
  IcsTurnServer turn = turn_server (coturn, "127.0.0.1", "alice");
  IcsIceConfig config = { .relay_only = TRUE, .turn = &turn, .context = context };
  Side side;

  relay_side_start (&side, &config);
  expect_relay_failure (&turn, "the credentials are good, so the user's quota or its capacity is exhausted");
  side_clear (&side);
  coturn_stop (coturn);
}
END_TEST

START_TEST (relay_does_not_answer)
{
  Coturn *coturn = coturn_start ("127.0.0.1", "127.0.0.1");
  IcsTurnServer turn = turn_server (coturn, "127.0.0.1", "alice");

  coturn_freeze (coturn);
  expect_relay_failure (&turn, "no TURN server answered at turn:127.0.0.1");
  coturn_stop (coturn);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { relay_needs_a_server, 1 },
    { relay_that_cannot_be, 1 },
    { relayed_pair, 3 },
    { relay_freed_while_allocating, 1 },
    { relay_refuses_wrong_password, 1 },
    { relay_takes_rest_credentials, 1 },
    { relay_refuses_rest_credentials, 2 },
    { relay_tells_the_quota, 1 },
    { relay_does_not_answer, 1 },
  };

  isolate ();
  return run_loops ("ice-relay", tests, G_N_ELEMENTS (tests));
}
