/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE /* unshare() */
#include "agent/ice-attempt.h"
#include "agent/local-addresses.h"
#include "tests/coturn.h"
#include <check.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SAFETY_S 60

typedef struct _Side Side;

struct _Side
{
  IcsIceAttempt *attempt;
  Side *peer;
  GMainContext *context;
  gboolean hold; /* keep what is for the peer until release() */
  GPtrArray *lines;
  GPtrArray *notes;
  GPtrArray *received;
  GArray *states;
  gboolean gathered;
  gboolean closed;
  guint n_writable;
  gboolean free_on_state;
};

static gboolean
on_safety (gpointer data)
{
  *(gboolean *)data = TRUE;
  return G_SOURCE_REMOVE;
}

/* Iterates until the condition holds; the limit only ends a test that has failed already. */
#define WAIT_FOR(context, condition)                                                                         \
  do                                                                                                         \
    {                                                                                                        \
      gboolean late_ = FALSE;                                                                                \
      GSource *safety_ = g_timeout_source_new_seconds (SAFETY_S);                                            \
      g_source_set_callback (safety_, on_safety, &late_, NULL);                                              \
      g_source_attach (safety_, context);                                                                    \
      while (!(condition) && !late_)                                                                         \
        g_main_context_iteration (context, TRUE);                                                            \
      g_source_destroy (safety_);                                                                            \
      g_source_unref (safety_);                                                                              \
      ck_assert_msg (!late_, "never came: %s", #condition);                                                  \
    }                                                                                                        \
  while (0)

static void
on_closed (gpointer data)
{
  *(gboolean *)data = TRUE;
}

static void
on_candidate (IcsIceAttempt *attempt, const char *line, gpointer data)
{
  Side *side = data;

  ck_assert_ptr_eq (attempt, side->attempt);
  g_ptr_array_add (side->lines, g_strdup (line));
  if (!side->hold && side->peer != NULL)
    ck_assert (ics_ice_attempt_add_remote_candidate (side->peer->attempt, line));
}

static void
on_gathered (G_GNUC_UNUSED IcsIceAttempt *attempt, gpointer data)
{
  Side *side = data;

  ck_assert (!side->gathered);
  side->gathered = TRUE;
  if (!side->hold && side->peer != NULL)
    ics_ice_attempt_end_of_candidates (side->peer->attempt);
}

static void
on_state (IcsIceAttempt *attempt, IcsIceState state, gpointer data)
{
  Side *side = data;

  g_array_append_val (side->states, state);
  if (side->free_on_state && state == ICS_ICE_CONNECTED)
    {
      ics_ice_attempt_free (attempt, on_closed, &side->closed);
      side->attempt = NULL;
    }
}

static void
on_received (G_GNUC_UNUSED IcsIceAttempt *attempt, const guint8 *data, gsize len, gpointer user_data)
{
  Side *side = user_data;

  g_ptr_array_add (side->received, g_bytes_new (data, len));
}

static void
on_writable (G_GNUC_UNUSED IcsIceAttempt *attempt, gpointer data)
{
  ((Side *)data)->n_writable++;
}

static void
on_note (G_GNUC_UNUSED IcsIceAttempt *attempt, const char *line, gpointer data)
{
  Side *side = data;

  g_ptr_array_add (side->notes, g_strdup (line));
  if (g_getenv ("ICS_TEST_VERBOSE") != NULL)
    g_printerr ("%s: %s\n", side->attempt == NULL ? "gone" : "side", line);
}

static const IcsIceCallbacks callbacks = {
  .candidate = on_candidate,
  .gathered = on_gathered,
  .state = on_state,
  .received = on_received,
  .writable = on_writable,
  .note = on_note,
};

static void
side_init (Side *side, IcsIceConfig config)
{
  memset (side, 0, sizeof *side);
  side->context = config.context;
  side->lines = g_ptr_array_new_with_free_func (g_free);
  side->notes = g_ptr_array_new_with_free_func (g_free);
  side->received = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  side->states = g_array_new (FALSE, FALSE, sizeof (IcsIceState));
  side->attempt = ics_ice_attempt_new (&config, &callbacks, side);
}

static void
side_clear (Side *side)
{
  if (side->attempt != NULL)
    ics_ice_attempt_free (g_steal_pointer (&side->attempt), on_closed, &side->closed);
  WAIT_FOR (side->context, side->closed);
  g_ptr_array_unref (side->lines);
  g_ptr_array_unref (side->notes);
  g_ptr_array_unref (side->received);
  g_array_unref (side->states);
}

static gboolean
has_note (Side *side, const char *part)
{
  for (guint i = 0; i < side->notes->len; i++)
    if (strstr (g_ptr_array_index (side->notes, i), part) != NULL)
      return TRUE;
  return FALSE;
}

static guint
count_state (Side *side, IcsIceState state)
{
  guint n = 0;

  for (guint i = 0; i < side->states->len; i++)
    n += g_array_index (side->states, IcsIceState, i) == state;
  return n;
}

static gboolean
is_in (Side *side, IcsIceState state)
{
  return count_state (side, state) > 0 && ics_ice_attempt_get_state (side->attempt) == state;
}

static void
give_credentials (Side *from)
{
  const char *ufrag, *pwd;

  ics_ice_attempt_get_credentials (from->attempt, &ufrag, &pwd);
  ics_ice_attempt_set_remote_credentials (from->peer->attempt, ufrag, pwd);
}

static void
release (Side *side)
{
  for (guint i = 0; i < side->lines->len; i++)
    ck_assert (
        ics_ice_attempt_add_remote_candidate (side->peer->attempt, g_ptr_array_index (side->lines, i)));
  if (side->gathered)
    ics_ice_attempt_end_of_candidates (side->peer->attempt);
  side->hold = FALSE;
}

static void
pair_init (Side sides[2], const IcsIceConfig *base)
{
  IcsIceConfig config = *base;

  config.controlling = TRUE;
  side_init (&sides[0], config);
  config.controlling = FALSE;
  side_init (&sides[1], config);
  sides[0].peer = &sides[1];
  sides[1].peer = &sides[0];
}

static void
pair_start (Side sides[2])
{
  for (guint i = 0; i < 2; i++)
    ck_assert (ics_ice_attempt_start (sides[i].attempt, NULL));
}

static void
pair_connect (Side sides[2])
{
  pair_start (sides);
  give_credentials (&sides[0]);
  give_credentials (&sides[1]);
  WAIT_FOR (sides[0].context, is_in (&sides[0], ICS_ICE_CONNECTED) && is_in (&sides[1], ICS_ICE_CONNECTED));
}

static void
pair_clear (Side sides[2])
{
  for (guint i = 0; i < 2; i++)
    sides[i].peer = NULL;
  for (guint i = 0; i < 2; i++)
    side_clear (&sides[i]);
}

static void
send_one (Side *from, const void *data, gsize len)
{
  guint before = from->peer->received->len;
  GBytes *got;

  /* A first byte of 0x40 and up is QUIC's (RFC 9443). */
  ck_assert_int_eq (ics_ice_attempt_send (from->attempt, data, len), ICS_SEND_OK);
  WAIT_FOR (from->context, from->peer->received->len > before);
  got = g_ptr_array_index (from->peer->received, before);
  ck_assert_uint_eq (g_bytes_get_size (got), len);
  ck_assert_mem_eq (g_bytes_get_data (got, NULL), data, len);
}

static void
exchange (Side sides[2])
{
  guint8 large[1400];

  memset (large, 0x55, sizeof large);
  send_one (&sides[0], "Hello", 5);
  send_one (&sides[1], "World", 5);
  send_one (&sides[0], large, sizeof large);
  send_one (&sides[1], large, sizeof large);
}

static void
check_pairs_agree (Side sides[2])
{
  IcsIcePair a, b;

  ck_assert (ics_ice_attempt_get_pair (sides[0].attempt, &a));
  ck_assert (ics_ice_attempt_get_pair (sides[1].attempt, &b));
  ck_assert_str_eq (a.local, b.remote);
  ck_assert_str_eq (a.remote, b.local);
  ck_assert_str_eq (a.transport, "udp");
  ics_ice_pair_clear (&a);
  ics_ice_pair_clear (&b);
}

static gboolean
have_family (int family)
{
  g_autoptr (GPtrArray) local = ics_local_addresses_get (family);

  if (local->len == 0)
    g_printerr ("this system has no IPv%d address at all: not tested\n", family);
  return local->len > 0;
}

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
  exchange (sides);
  check_pairs_agree (sides);

  ck_assert (ics_ice_attempt_get_pair (sides[0].attempt, &pair));
  ck_assert_str_eq (pair.local_type, "host");
  if (config.family != 0)
    ck_assert_int_eq (pair.local[0] == '[', config.family == 6);
  ics_ice_pair_clear (&pair);
  for (guint i = 0; i < 2; i++)
    {
      ck_assert_uint_eq (count_state (&sides[i], ICS_ICE_CHECKING), 1);
      ck_assert_uint_eq (count_state (&sides[i], ICS_ICE_CONNECTED), 1);
      ck_assert (has_note (&sides[i], "gathered host "));
      ck_assert (has_note (&sides[i], "peer offers host "));
      ck_assert (has_note (&sides[i], " selected (host, host)"));
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

      if (candidates_first)
        release (from);
      ck_assert_int_eq (ics_ice_attempt_get_state (from->peer->attempt), ICS_ICE_GATHERING);
      give_credentials (from);
      ck_assert_int_eq (ics_ice_attempt_get_state (from->peer->attempt), ICS_ICE_CHECKING);
      if (!candidates_first)
        release (from);
      /* Let the first side's checks reach the other before that one knows anything. */
      while (g_main_context_iteration (context, FALSE))
        ;
    }
  WAIT_FOR (context, is_in (&sides[0], ICS_ICE_CONNECTED) && is_in (&sides[1], ICS_ICE_CONNECTED));
  exchange (sides);
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
  ck_assert (ics_ice_attempt_start (sides[0].attempt, NULL));
  WAIT_FOR (context, sides[0].gathered);
  release (&sides[0]);
  give_credentials (&sides[0]);

  ck_assert (ics_ice_attempt_start (sides[1].attempt, NULL));
  ck_assert (!ics_ice_attempt_start (sides[1].attempt, NULL));
  give_credentials (&sides[1]);
  WAIT_FOR (context, is_in (&sides[0], ICS_ICE_CONNECTED) && is_in (&sides[1], ICS_ICE_CONNECTED));
  exchange (sides);
  pair_clear (sides);
}
END_TEST

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
  give_credentials (&sides[0]);
  give_credentials (&sides[1]);
  for (gint64 end = g_get_monotonic_time () + SAFETY_S * G_TIME_SPAN_SECOND;
       !is_in (&sides[0], ICS_ICE_CONNECTED) || !is_in (&sides[1], ICS_ICE_CONNECTED);)
    {
      ck_assert (g_get_monotonic_time () < end);
      for (guint i = 0; i < 2; i++)
        g_main_context_iteration (contexts[i], FALSE);
    }
  pair_clear (sides);
}
END_TEST

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
    ck_assert_msg (!ics_ice_attempt_add_remote_candidate (sides[0].attempt, garbage[i]), "%s", garbage[i]);
  pair_start (sides);
  for (guint i = 0; i < G_N_ELEMENTS (garbage); i++)
    ck_assert (!ics_ice_attempt_add_remote_candidate (sides[0].attempt, garbage[i]));
  ics_ice_attempt_set_remote_credentials (sides[0].attempt, "", "");
  ics_ice_attempt_set_remote_credentials (sides[0].attempt, "good", "too short");
  ck_assert_int_eq (ics_ice_attempt_get_state (sides[0].attempt), ICS_ICE_GATHERING);

  give_credentials (&sides[0]);
  give_credentials (&sides[1]);
  WAIT_FOR (context, is_in (&sides[0], ICS_ICE_CONNECTED) && is_in (&sides[1], ICS_ICE_CONNECTED));
  ck_assert (has_note (&sides[0], "a candidate of the peer was refused: not UDP"));
  exchange (sides);
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

      ck_assert_int_eq (ics_ice_attempt_add_remote_candidate (side.attempt, line), i < 32);
      ck_assert (!ics_ice_attempt_add_remote_candidate (side.attempt, line));
    }
  side_clear (&side);
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
  ck_assert (ics_ice_attempt_start (side.attempt, NULL));
  ics_ice_attempt_set_remote_credentials (side.attempt, "abcd", "abcdefghijklmnopqrstuv");
  ck_assert (ics_ice_attempt_add_remote_candidate (side.attempt, line));
  ics_ice_attempt_end_of_candidates (side.attempt);
  ck_assert_int_eq (ics_ice_attempt_send (side.attempt, (const guint8 *)"Hello", 5), ICS_SEND_FAILED);
  WAIT_FOR (context, is_in (&side, ICS_ICE_FAILED));
  ck_assert (has_note (&side, "no pair of candidates answered"));
  ck_assert (!ics_ice_attempt_add_remote_candidate (side.attempt, line));
  side_clear (&side);
}
END_TEST

/* How far each side has come when it is freed. Leaks and late callbacks are the sanitizers' to find. */
START_TEST (free_in_every_state)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsTurnServer stun = { .is_stun = TRUE, .host = (char *)"127.0.0.1", .port = 9 };
  IcsTurnServer named = { .is_stun = TRUE, .host = (char *)"localhost", .port = 9 };
  IcsIceConfig config = { .context = context };
  Side sides[2];

  if (_i == 1)
    config.stun = &stun;
  if (_i == 2)
    config.stun = &named;
  pair_init (sides, &config);
  if (_i >= 1 && _i <= 4)
    pair_start (sides);
  if (_i == 3)
    WAIT_FOR (context, sides[0].gathered && sides[1].gathered);
  if (_i == 4)
    {
      give_credentials (&sides[0]);
      give_credentials (&sides[1]);
      WAIT_FOR (context, is_in (&sides[0], ICS_ICE_CHECKING));
    }
  if (_i == 5)
    pair_connect (sides);
  pair_clear (sides);
}
END_TEST

/* With a STUN server, one iteration later each time: libnice's look-up must not find its stream gone. */
START_TEST (free_while_gathering)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsTurnServer stun = { .is_stun = TRUE, .host = (char *)"127.0.0.1", .port = 9 };
  IcsIceConfig config = { .stun = &stun, .context = context };

  for (guint n = 0; n < 12; n++)
    {
      Side side;

      side_init (&side, config);
      ck_assert (ics_ice_attempt_start (side.attempt, NULL));
      for (guint i = 0; i < n; i++)
        g_main_context_iteration (context, FALSE);
      side_clear (&side);
    }
}
END_TEST

START_TEST (free_inside_callback)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsIceConfig config = { .context = context };
  Side sides[2];

  pair_init (sides, &config);
  pair_start (sides);
  sides[_i].free_on_state = TRUE;
  sides[_i].peer = NULL;
  sides[1 - _i].peer = &sides[_i];
  WAIT_FOR (context, sides[0].gathered && sides[1].gathered);
  for (guint i = 0; i < sides[_i].lines->len; i++)
    ics_ice_attempt_add_remote_candidate (sides[1 - _i].attempt, g_ptr_array_index (sides[_i].lines, i));
  sides[_i].peer = &sides[1 - _i];
  give_credentials (&sides[0]);
  give_credentials (&sides[1]);
  WAIT_FOR (context, sides[_i].closed);
  pair_clear (sides);
}
END_TEST

START_TEST (relay_needs_a_server)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsIceConfig config = { .relay_only = TRUE, .context = context };
  g_autoptr (GError) error = NULL;
  Side side;

  side_init (&side, config);
  ck_assert (!ics_ice_attempt_start (side.attempt, &error));
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
  ck_assert (ics_ice_attempt_start (side.attempt, NULL));
  WAIT_FOR (context, is_in (&side, ICS_ICE_FAILED));
  ck_assert_msg (has_note (&side, why), "no note says: %s", why);
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

  expect_relay_failure (&turn, "over UDP only");
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
      ck_assert (ics_ice_attempt_start (side->attempt, NULL));
      WAIT_FOR (config->context, side->gathered);
      if (side->lines->len == 1)
        return;
      ck_assert_msg (g_get_monotonic_time () < end, "an allocation was never given back");
      side_clear (side);
    }
}

static void
relay_pair_start (Side sides[2], Coturn *coturn, const char *host, GMainContext *context)
{
  static const char *const users[] = { "alice", "bob" };

  for (guint i = 0; i < 2; i++)
    {
      IcsTurnServer turn = turn_server (coturn, host, users[i]);
      IcsIceConfig config = { .relay_only = TRUE, .controlling = i == 0, .turn = &turn, .context = context };

      relay_side_start (&sides[i], &config);
      sides[i].hold = TRUE;
      sides[i].peer = &sides[1 - i];
    }
}

static void
check_relayed (Side *side)
{
  IcsIcePair pair;

  ck_assert_uint_eq (side->lines->len, 1);
  ck_assert_msg (g_str_has_suffix (g_ptr_array_index (side->lines, 0), " typ relay raddr 0.0.0.0 rport 0"),
                 "%s", (char *)g_ptr_array_index (side->lines, 0));
  ck_assert (ics_ice_attempt_get_pair (side->attempt, &pair));
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
      Side sides[2];

      relay_pair_start (sides, coturn, servers[_i].host, context);
      for (guint i = 0; i < 2; i++)
        {
          give_credentials (&sides[i]);
          release (&sides[i]);
        }
      WAIT_FOR (context, is_in (&sides[0], ICS_ICE_CONNECTED) && is_in (&sides[1], ICS_ICE_CONNECTED));
      exchange (sides);
      check_pairs_agree (sides);
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
            ck_assert (ics_ice_attempt_start (side.attempt, NULL));
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
  expect_relay_failure (&turn, "refused: wrong or expired credentials");
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

/* On a relay leg only relayed candidates come in. */
START_TEST (relay_refuses_direct_candidates)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsTurnServer turn = { .host = (char *)"127.0.0.1", .port = 9 };
  IcsIceConfig config = { .relay_only = TRUE, .turn = &turn, .context = context };
  Side side;

  side_init (&side, config);
  ck_assert (
      !ics_ice_attempt_add_remote_candidate (side.attempt, "candidate:1 1 UDP 1 192.0.2.1 5000 typ host"));
  ck_assert (
      ics_ice_attempt_add_remote_candidate (side.attempt, "candidate:1 1 UDP 1 192.0.2.1 5000 typ relay"));
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
  ck_assert (!has_note (&sides[0], "STUN server"));
  pair_clear (sides);
  coturn_stop (coturn);
}
END_TEST

/* A network of its own with nothing but loopback, where the system allows it: what else the machine has is no
 * matter then. */
static void
isolate (void)
{
  struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
  int fd;

  if (unshare (CLONE_NEWNET) != 0 && unshare (CLONE_NEWUSER | CLONE_NEWNET) != 0)
    return;
  fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ioctl (fd, SIOCSIFFLAGS, &request) != 0)
    g_error ("loopback does not come up");
  close (fd);
}

static TCase *
direct_case (void)
{
  TCase *tcase = tcase_create ("direct");

  tcase_set_timeout (tcase, 4 * SAFETY_S);
  tcase_add_loop_test (tcase, two_attempts_connect, 0, G_N_ELEMENTS (families));
  tcase_add_loop_test (tcase, any_order, 0, 4);
  tcase_add_test (tcase, remote_before_start);
  tcase_add_test (tcase, two_contexts);
  tcase_add_test (tcase, garbage_is_refused);
  tcase_add_test (tcase, too_many_candidates);
  tcase_add_loop_test (tcase, nobody_answers, 0, 2);
  tcase_add_loop_test (tcase, free_in_every_state, 0, 6);
  tcase_add_test (tcase, free_while_gathering);
  tcase_add_loop_test (tcase, free_inside_callback, 0, 2);
  tcase_add_test (tcase, stun_server_by_name);
  return tcase;
}

static TCase *
relay_case (void)
{
  TCase *tcase = tcase_create ("relay");

  tcase_set_timeout (tcase, 4 * SAFETY_S);
  tcase_add_test (tcase, relay_needs_a_server);
  tcase_add_test (tcase, relay_that_cannot_be);
  tcase_add_test (tcase, relay_refuses_direct_candidates);
  tcase_add_loop_test (tcase, relayed_pair, 0, 3);
  tcase_add_test (tcase, relay_freed_while_allocating);
  tcase_add_test (tcase, relay_refuses_wrong_password);
  tcase_add_test (tcase, relay_does_not_answer);
  return tcase;
}

int
main (void)
{
  Suite *suite = suite_create ("ice-attempt");
  SRunner *runner;
  int failed;

  isolate ();
  g_log_set_always_fatal (G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
  suite_add_tcase (suite, direct_case ());
  suite_add_tcase (suite, relay_case ());
  runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
