/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The direct leg: two attempts find each other. */
#include "agent/local-addresses.h"
#include "tests/coturn.h"
#include "tests/ice-side.h"
#include "tests/socket-fault.h"
#include "tests/suite.h"

#define FDS_MAX 64

static const int families[] = { 4, 6, 0 };

START_TEST (two_attempts_connect)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsIceConfig config = { .family = families[_i], .context = context };
  Side sides[2];
  IcsIcePair pair;

  if (!have_family (config.family))
    return;
  pair_init (sides, &config);
  pair_connect (sides);
  pair_exchange (sides);
  pair_check_agreement (sides);

  ck_assert (ics_traversal_get_pair (sides[0].attempt, &pair));
  ck_assert_str_eq (pair.local_type, "host");
  if (config.family != 0)
    ck_assert_int_eq (pair.local[0] == '[', config.family == 6);
  ics_ice_pair_clear (&pair);
  for (guint i = 0; i < 2; i++)
    {
      ck_assert_uint_eq (side_count_state (&sides[i], ICS_ICE_CHECKING), 1);
      ck_assert_uint_eq (side_count_state (&sides[i], ICS_ICE_CONNECTED), 1);
      ck_assert (side_has_note (&sides[i], "gathered host "));
      ck_assert (side_has_note (&sides[i], "peer offers host "));
      ck_assert (side_has_note (&sides[i], " selected (host, host)"));
    }
  pair_clear (sides);
}
END_TEST

/* Which side hears of the other first, and whether candidates or credentials come first. */
static void
connect_in_order (guint first, gboolean candidates_first)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsIceConfig config = { .context = context };
  Side sides[2];

  pair_init (sides, &config);
  sides[0].hold = sides[1].hold = TRUE;
  pair_start (sides);
  WAIT_FOR (context, sides[0].gathered && sides[1].gathered);

  for (guint i = 0; i < 2; i++)
    {
      Side *from = &sides[i == 0 ? 1 - first : first]; /* what it says reaches the first, then the other */
      guint sent = socket_fault_count_sent ();

      if (candidates_first)
        side_release (from);
      ck_assert_int_eq (ics_traversal_get_state (from->peer->attempt), ICS_ICE_GATHERING);
      side_give_credentials (from);
      ck_assert_int_eq (ics_traversal_get_state (from->peer->attempt), ICS_ICE_CHECKING);
      if (!candidates_first)
        side_release (from);
      /* The first side's checks reach the other before that one knows anything. */
      WAIT_FOR (context, socket_fault_count_sent () > sent);
      while (g_main_context_iteration (context, FALSE))
        ;
    }
  WAIT_FOR (context, pair_is_connected (sides));
  pair_exchange (sides);
  pair_clear (sides);
}

START_TEST (any_order) { connect_in_order (_i & 1, (_i & 2) != 0); }
END_TEST

/* Everything the peer has to say is there before this side has even started. */
START_TEST (remote_before_start)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsIceConfig config = { .context = context };
  Side sides[2];

  pair_init (sides, &config);
  sides[0].hold = TRUE;
  ck_assert (ics_traversal_start (sides[0].attempt, NULL));
  WAIT_FOR (context, sides[0].gathered);
  side_release (&sides[0]);
  side_give_credentials (&sides[0]);

  ck_assert (ics_traversal_start (sides[1].attempt, NULL));
  ck_assert (!ics_traversal_start (sides[1].attempt, NULL));
  side_give_credentials (&sides[1]);
  WAIT_FOR (context, pair_is_connected (sides));
  pair_exchange (sides);
  pair_clear (sides);
}
END_TEST

/* One round of both contexts, asleep until one of them has something to do. */
static void
iterate_both (GMainContext *const contexts[2])
{
  GPollFD fds[2 * FDS_MAX];
  gint n[2], priority[2], wait[2];
  guint total = 0;

  for (guint i = 0; i < 2; i++)
    {
      ck_assert (g_main_context_acquire (contexts[i]));
      g_main_context_prepare (contexts[i], &priority[i]);
      n[i] = g_main_context_query (contexts[i], priority[i], &wait[i], fds + total, FDS_MAX);
      ck_assert_int_le (n[i], FDS_MAX);
      total += (guint)n[i];
    }
  /* -1 is for ever, which is the most as an unsigned number. */
  g_poll (fds, total, (gint)MIN ((guint)wait[0], (guint)wait[1]));
  for (guint i = 0; i < 2; i++)
    {
      if (g_main_context_check (contexts[i], priority[i], i == 0 ? fds : fds + n[0], n[i]))
        g_main_context_dispatch (contexts[i]);
      g_main_context_release (contexts[i]);
    }
}

/* A context each, as two processes would have. */
START_TEST (two_contexts)
{
  g_autoptr (GMainContext) first = g_main_context_new ();
  g_autoptr (GMainContext) second = g_main_context_new ();
  GMainContext *contexts[2] = { first, second };
  Side sides[2];

  for (guint i = 0; i < 2; i++)
    {
      IcsIceConfig config = { .controlling = i == 0, .context = contexts[i] };

      side_init (&sides[i], config);
      sides[i].peer = &sides[1 - i];
    }
  pair_start (sides);
  side_give_credentials (&sides[0]);
  side_give_credentials (&sides[1]);
  WAIT_WITH (first, pair_is_connected (sides), iterate_both (contexts));
  pair_clear (sides);
}
END_TEST

/* libnice reports no end of it as long as candidates may come; this project's own end of candidates does. */
START_TEST (nobody_answers)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GPtrArray) local = ics_local_addresses_get (4);
  g_autofree char *address = g_inet_address_to_string (g_ptr_array_index (local, 0));
  g_autofree char *line = g_strdup_printf ("candidate:1 1 UDP 2130706431 %s 9 typ host", address);
  IcsIceConfig config = { .family = 4, .controlling = _i, .context = context };
  Side side;

  side_init (&side, config);
  ck_assert (ics_traversal_start (side.attempt, NULL));
  ics_traversal_set_remote_credentials (side.attempt, "abcd", "abcdefghijklmnopqrstuv");
  ck_assert (ics_traversal_add_remote_candidate (side.attempt, line));
  ics_traversal_end_of_candidates (side.attempt);
  ck_assert_int_eq (ics_traversal_send (side.attempt, (const guint8 *)"Hello", 5), ICS_SEND_FAILED);
  WAIT_FOR (context, side_is_in (&side, ICS_ICE_FAILED));
  ck_assert (side_has_note (&side, "no pair of candidates answered"));
  ck_assert (!ics_traversal_add_remote_candidate (side.attempt, line));
  side_clear (&side);
}
END_TEST

/* The direct leg asks a STUN server by name; on loopback what it sees is the host's own address. */
START_TEST (stun_server_by_name)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GPtrArray) local = ics_local_addresses_get (4);
  Coturn *coturn;
  IcsTurnServer stun = { .is_stun = TRUE, .host = (char *)"localhost" };
  IcsIceConfig config = { .stun = &stun, .context = context };
  Side sides[2];

  if (!g_inet_address_get_is_loopback (g_ptr_array_index (local, 0)))
    return;
  coturn = coturn_start ("127.0.0.1", "127.0.0.1");
  stun.port = coturn_get_port (coturn);
  pair_init (sides, &config);
  pair_connect (sides);
  WAIT_FOR (context, sides[0].gathered && sides[1].gathered);
  ck_assert (!side_has_note (&sides[0], "STUN server"));
  pair_clear (sides);
  coturn_stop (coturn);
}
END_TEST

/* Neither for the peer's credentials nor for an answer does an attempt wait for ever. */
START_TEST (limit)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsIceConfig config = { .limit_ms = 50, .context = context };
  Side side;

  side_init (&side, config);
  ck_assert (ics_traversal_start (side.attempt, NULL));
  if (_i == 1)
    ics_traversal_set_remote_credentials (side.attempt, "abcd", "abcdefghijklmnopqrstuv");
  WAIT_FOR (context, side_is_in (&side, ICS_ICE_FAILED));
  ck_assert (side_has_note (&side, "no pair of candidates answered within 0.05 s"));
  side_clear (&side);
}
END_TEST

/* The system has no room for a datagram: it is not taken, and writable comes once for all that was tried. */
START_TEST (blocked_send)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsIceConfig config = { .family = 4, .context = context };
  Side sides[2];

  pair_init (sides, &config);
  pair_connect (sides);
  for (guint round = 1; round <= 2; round++)
    {
      guint received = sides[1].received->len;

      socket_fault_block (TRUE);
      for (guint i = 0; i < 3; i++)
        ck_assert_int_eq (ics_traversal_send (sides[0].attempt, (const guint8 *)"Hello", 5),
                          ICS_SEND_BLOCKED);
      socket_fault_block (FALSE);
      WAIT_FOR (context, sides[0].n_writable == round);
      pair_exchange (sides);
      ck_assert_uint_eq (sides[0].n_writable, round);
      ck_assert_uint_eq (sides[1].n_writable, 0);
      ck_assert_uint_eq (sides[1].received->len, received + 2);
    }
  socket_fault_block (TRUE);
  ck_assert_int_eq (ics_traversal_send (sides[0].attempt, (const guint8 *)"Hello", 5), ICS_SEND_BLOCKED);
  socket_fault_block (FALSE);
  /* Freed while it waits. */
  pair_clear (sides);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { two_attempts_connect, G_N_ELEMENTS (families) },
    { any_order, 4 },
    { remote_before_start, 1 },
    { two_contexts, 1 },
    { nobody_answers, 2 },
    { limit, 2 },
    { blocked_send, 1 },
    { stun_server_by_name, 1 },
  };

  isolate ();
  return run_loops ("ice-attempt", tests, G_N_ELEMENTS (tests));
}
