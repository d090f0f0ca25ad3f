/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/malicious-relay.h"
#include "tests/suite.h"

#include <sodium.h>
#include <string.h>

/* A rendezvous server that repeats, reorders, drops and reflects messages: the link works, or it ends and
 * says why. */

#define PAYLOAD_SIZE (384 * 1024)

/* --- replay --- */

/* Every message comes twice; in the end all comes a third time. */
START_TEST (test_every_message_twice)
{
  LinkPair pair;
  Relay relay;
  RelayEnd ends[2];
  GRand *rand = relay_make_rand ();

  link_pair_init (&pair);
  relay_init (&relay, ends, &pair, rand);
  relay_record (&relay);
  relay.mischief[ICS_CHANNEL_SIGNAL].doubled = relay.mischief[ICS_CHANNEL_DATA].doubled = 100;
  link_set_policy (&pair, ICS_PATH_POLICY_RELAY);
  link_connect (&pair);
  link_send_numbered (&pair);
  link_exchange_both_ways (&pair, rand, PAYLOAD_SIZE);
  relay_replay (&relay, &pair);
  link_exchange_both_ways (&pair, rand, 1000);
  ck_assert_uint_gt (g_queue_get_length (&pair.datagrams[0]), 0);
  link_check_numbered (&pair);
  link_close_cleanly (&pair);
  relay_clear (&relay);
  link_pair_clear (&pair);
  g_rand_free (rand);
}
END_TEST

static uint32_t
always_the_same (const uint32_t upper_bound)
{
  return 7 % upper_bound;
}

/* All codes made from now on are equal; all other random numbers stay what they are. */
static void
fix_codes (void)
{
  static randombytes_implementation fixed;

  fixed = randombytes_sysrandom_implementation;
  fixed.uniform = always_the_same;
  ck_assert_int_eq (randombytes_set_implementation (&fixed), 0);
  ck_assert_int_ge (sodium_init (), 0);
}

typedef struct
{
  Relay *old;
  LinkPair *pair;
  gboolean done;
} Flashback;

/* Before the first message of the new session gets through, the old session is played to both. */
static GBytes *
flash_back (IcsChannelKind kind, GBytes *message, gpointer user_data)
{
  Flashback *flashback = user_data;

  if (!flashback->done)
    relay_replay (flashback->old, flashback->pair);
  flashback->done = TRUE;
  return g_bytes_ref (message);
}

static void
record_a_session (Relay *relay, RelayEnd ends[2], LinkPair *pair, GRand *rand)
{
  link_pair_init (pair);
  relay_init (relay, ends, pair, rand);
  relay_record (relay);
  link_set_policy (pair, ICS_PATH_POLICY_RELAY);
  link_connect (pair);
  link_send_numbered (pair);
  link_exchange_both_ways (pair, rand, 10000);
  link_close_cleanly (pair);
}

/* 0: the recording comes first and spoils the one guess, so nobody connects, and both are told; 1: it comes
 * when the new link is up, and nobody minds. */
START_TEST (test_old_session_again)
{
  LinkPair old, pair;
  Relay relay;
  RelayEnd ends[2];
  GRand *rand = relay_make_rand ();
  Flashback flashback = { &relay, &pair, FALSE };

  fix_codes ();
  record_a_session (&relay, ends, &old, rand);
  link_pair_init (&pair);
  link_set_policy (&pair, ICS_PATH_POLICY_RELAY);
  for (guint i = 0; i < 2 && _i == 0; i++)
    memory_channel_set_tap (pair.channel[i], flash_back, &flashback);
  link_pair_start (&pair, FALSE);
  if (_i == 0)
    {
      link_pair_run (&pair, link_pair_is_over);
      for (guint i = 0; i < 2; i++)
        {
          ck_assert (!pair.connected[i]);
          check_says (pair.error[i], ICS_ERROR_CODE_REJECTED, "code");
        }
    }
  else
    {
      link_pair_run (&pair, link_pair_is_connected);
      relay_replay (&relay, &pair);
      link_exchange_both_ways (&pair, rand, 10000);
      ck_assert (g_queue_is_empty (&pair.datagrams[0]) && g_queue_is_empty (&pair.datagrams[1]));
      link_close_cleanly (&pair);
    }
  ck_assert_str_eq (ics_link_get_code (pair.link[0]), ics_link_get_code (old.link[0]));
  relay_clear (&relay);
  link_pair_clear (&pair);
  link_pair_clear (&old);
  g_rand_free (rand);
}
END_TEST

/* --- reorder, drop, reflect --- */

START_TEST (test_disorder_of_data)
{
  LinkPair pair;
  Relay relay;
  RelayEnd ends[2];
  GRand *rand = relay_make_rand ();

  link_pair_init (&pair);
  relay_init (&relay, ends, &pair, rand);
  relay.mischief[ICS_CHANNEL_DATA] = (Mischief){ .dropped = 4, .doubled = 6, .reflected = 4, .held = 15 };
  link_set_policy (&pair, ICS_PATH_POLICY_RELAY);
  link_connect (&pair);
  link_send_numbered (&pair);
  link_exchange_both_ways (&pair, rand, PAYLOAD_SIZE);
  link_check_numbered (&pair);
  relay.mischief[ICS_CHANNEL_DATA] = (Mischief){ 0 };
  link_close_cleanly (&pair);
  relay_clear (&relay);
  link_pair_clear (&pair);
  g_rand_free (rand);
}
END_TEST

/* What the hosts allow for the handshake, short because many of these end by it. */
#define LIMIT_MS 1500

/* Plays until both hosts are connected or have ended. */
static void
play (LinkPair *pair, Relay *relay, RelayEnd ends[2], GRand *rand, const Mischief mischief[2])
{
  link_pair_init (pair);
  relay_init (relay, ends, pair, rand);
  memcpy (relay->mischief, mischief, sizeof relay->mischief);
  link_set_policy (pair, ICS_PATH_POLICY_RELAY);
  link_set_limit (pair, LIMIT_MS);
  link_pair_start (pair, FALSE);
  link_pair_run (pair, link_is_settled);
  if (!link_pair_is_connected (pair))
    link_pair_run (pair, link_pair_is_over);
}

static gboolean
play_disordered_round (GRand *rand, const Mischief mischief[2])
{
  LinkPair pair;
  Relay relay;
  RelayEnd ends[2];
  gboolean connected;

  play (&pair, &relay, ends, rand, mischief);
  connected = link_pair_is_connected (&pair);
  if (connected)
    {
      link_exchange_both_ways (&pair, rand, 1000);
      link_close_cleanly (&pair);
    }
  else
    for (guint i = 0; i < 2; i++)
      if (!pair.connected[i])
        check_clear_failure (pair.error[i]);
  relay_clear (&relay);
  link_pair_clear (&pair);
  return connected;
}

START_TEST (test_disorder_of_signals)
{
  const Mischief mischief[2]
      = { [ICS_CHANNEL_SIGNAL] = { .dropped = 8, .doubled = 30, .reflected = 8, .held = 12 } };
  GRand *rand = relay_make_rand ();
  guint connected = 0;

  for (guint i = 0; i < 8; i++)
    connected += play_disordered_round (rand, mischief);
  g_printerr ("connected in %u of 8 rounds\n", connected);
  g_rand_free (rand);
}
END_TEST

/* All messages of one kind are dropped (0, 1) or go back to whom they came from (2, 3). */
START_TEST (test_nothing_gets_through)
{
  LinkPair pair;
  Relay relay;
  RelayEnd ends[2];
  GRand *rand = relay_make_rand ();
  guint first = 2;
  Mischief mischief[2] = { 0 };

  mischief[_i % 2 == 0 ? ICS_CHANNEL_SIGNAL : ICS_CHANNEL_DATA]
      = (Mischief){ .dropped = _i < 2 ? 100 : 0, .reflected = _i < 2 ? 0 : 100 };
  play (&pair, &relay, ends, rand, mischief);
  for (guint i = 0; i < 2; i++)
    {
      ck_assert (!pair.connected[i]);
      check_clear_failure (pair.error[i]);
      if (g_error_matches (pair.error[i], ICS_ERROR, ICS_ERROR_TIMED_OUT))
        first = i;
    }
  /* The other one may only have seen that this one left. */
  ck_assert_uint_lt (first, 2);
  check_says (pair.error[first], ICS_ERROR_TIMED_OUT, "in time");
  relay_clear (&relay);
  link_pair_clear (&pair);
  g_rand_free (rand);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { test_every_message_twice, 1 }, { test_old_session_again, 2 },    { test_disorder_of_data, 1 },
    { test_disorder_of_signals, 1 }, { test_nothing_gets_through, 4 },
  };

  return run_loops ("malicious traffic", tests, G_N_ELEMENTS (tests));
}
