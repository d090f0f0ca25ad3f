/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signaling/hello.h"
#include "tests/handshake-pair.h"
#include "tests/handshake-vectors.h"
#include "tests/suite.h"
#include <string.h>

static void
counting_random (guint8 *buf, gsize len, gpointer user_data)
{
  guint8 *next = user_data;

  for (gsize i = 0; i < len; i++)
    buf[i] = (*next)++;
}

static IcsHandshake *
new_counting_host (gboolean joiner, guint8 *next)
{
  IcsHandshakeConfig config = {
    .joiner = joiner, .code = CODE, .application = "file/1", .random = counting_random, .random_data = next
  };

  memset (config.fingerprint, joiner ? 'J' : 'L', ICS_FINGERPRINT_SIZE);
  return ics_handshake_new (&config);
}

static void
expect_vector (IcsHandshake *from, const guint8 *vector, gsize len, IcsHandshake *to)
{
  g_autoptr (GBytes) message = expect_message (from, len);

  ck_assert_mem_eq (g_bytes_get_data (message, NULL), vector, len);
  deliver (to, message);
}

START_TEST (messages_are_those_of_the_document)
{
  guint8 joiner_next = 0x00, listener_next = 0x80;
  g_auto (Pair) pair = { new_counting_host (TRUE, &joiner_next), new_counting_host (FALSE, &listener_next) };

  expect_vector (pair.joiner, start_vector, sizeof start_vector, pair.listener);
  expect_vector (pair.listener, answer_vector, sizeof answer_vector, pair.joiner);
  expect_vector (pair.joiner, finish_vector, sizeof finish_vector, pair.listener);
  expect_both_done (&pair);
  ics_handshake_handle_message (pair.joiner, reject_vector, sizeof reject_vector);
  expect_failed (pair.joiner, ICS_ERROR_CODE_REJECTED);
}
END_TEST

START_TEST (same_code_pairs)
{
  g_auto (Pair) pair = new_pair (CODE, CODE);

  settle (&pair);
  expect_both_done (&pair);
  ck_assert_uint_eq (ics_handshake_get_dropped (pair.joiner) + ics_handshake_get_dropped (pair.listener), 0);
}
END_TEST

static gboolean
contains (GBytes *message, const void *needle, gsize len)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (message, &size);

  for (gsize i = 0; i + len <= size; i++)
    if (memcmp (data + i, needle, len) == 0)
      return TRUE;
  return FALSE;
}

START_TEST (relay_reads_nothing)
{
  for (guint n = 0; n < 3; n++)
    {
      g_auto (Pair) pair = new_pair (CODE, CODE);
      IcsHandshake *receiver;
      g_autoptr (GBytes) message = run_to_message (&pair, n, &receiver);

      ck_assert (!contains (message, "file", 4));
      ck_assert (!contains (message, "JJJJ", 4));
      ck_assert (!contains (message, "LLLL", 4));
      ck_assert (!contains (message, "otter", 5));
    }
}
END_TEST

START_TEST (length_does_not_tell_the_application)
{
  g_autofree char *longest = g_strnfill (ICS_HELLO_APPLICATION_MAX, 'x');
  g_auto (Pair) pair = { new_host ('J', CODE, longest, NULL), new_host ('L', CODE, longest, NULL) };
  IcsHandshake *receiver;
  g_autoptr (GBytes) message = run_to_message (&pair, 2, &receiver);

  deliver (receiver, message);
  expect_both_done (&pair);
}
END_TEST

/* The joiner has not seen a proof, so it shows none: the tag of its reject is all zeros. */
START_TEST (wrong_code_fails_on_both_sides)
{
  static const guint8 zeros[REJECT_SIZE];
  g_auto (Pair) pair = new_pair (OTHER_CODE, CODE);
  IcsHandshake *receiver;
  g_autoptr (GBytes) answer = run_to_message (&pair, 1, &receiver);
  g_autoptr (GBytes) rejection = NULL;

  deliver (receiver, answer);
  expect_failed (pair.joiner, ICS_ERROR_CODE_REJECTED);
  rejection = expect_message (pair.joiner, REJECT_SIZE);
  ck_assert_mem_eq ((const guint8 *)g_bytes_get_data (rejection, NULL) + HEADER_SIZE + 1, zeros, 32);
  deliver (pair.listener, rejection);
  expect_failed (pair.listener, ICS_ERROR_CODE_REJECTED);
  expect_silence (pair.listener);
}
END_TEST

START_TEST (other_application_is_refused_on_both_sides)
{
  g_auto (Pair) pair = { new_host ('J', CODE, "file/1", NULL), new_host ('L', CODE, "pipe/1", NULL) };
  IcsHandshake *hosts[2] = { pair.joiner, pair.listener };

  settle (&pair);
  for (guint i = 0; i < 2; i++)
    {
      const char *message;

      expect_failed (hosts[i], ICS_ERROR_REFUSED);
      ics_handshake_get_failure (hosts[i], &message);
      ck_assert_ptr_nonnull (strstr (message, "file/1"));
      ck_assert_ptr_nonnull (strstr (message, "pipe/1"));
    }
  ics_handshake_resend (pair.joiner);
  settle (&pair);
}
END_TEST

/* One damaged byte. In the header it makes a message that is dropped, and the true one still counts. Anywhere
 * else it ends the handshake on both sides, whoever was DONE before. */
static void
damage_one_byte (guint n, gsize offset, guint8 mask)
{
  g_auto (Pair) pair = new_pair (CODE, CODE);
  IcsHandshake *receiver;
  g_autoptr (GBytes) message = run_to_message (&pair, n, &receiver);
  g_autoptr (GBytes) damaged = changed_byte (message, offset, mask);

  deliver (receiver, damaged);
  check_invariant (&pair);
  if (offset < HEADER_SIZE)
    {
      ck_assert_uint_eq (ics_handshake_get_dropped (receiver), 1);
      expect_silence (receiver);
      deliver (receiver, message);
      settle (&pair);
      expect_both_done (&pair);
      return;
    }
  settle (&pair);
  ck_assert_int_eq (ics_handshake_get_state (pair.joiner), ICS_HANDSHAKE_FAILED);
  ck_assert_int_eq (ics_handshake_get_state (pair.listener), ICS_HANDSHAKE_FAILED);
  deliver (receiver, message);
  settle (&pair);
  ck_assert_int_eq (ics_handshake_get_state (receiver), ICS_HANDSHAKE_FAILED);
}

START_TEST (every_byte_counts)
{
  static const gsize sizes[] = { START_SIZE, ANSWER_SIZE, FINISH_SIZE };
  static const guint8 masks[] = { 0x01, 0x80 };

  for (guint n = 0; n < G_N_ELEMENTS (sizes); n++)
    for (gsize offset = 0; offset < sizes[n]; offset++)
      for (gsize i = 0; i < G_N_ELEMENTS (masks); i++)
        damage_one_byte (n, offset, masks[i]);
}
END_TEST

/* Without a key in common a reject can only be taken at its word, and the word is always the same. */
START_TEST (every_byte_of_a_reject)
{
  for (gsize offset = 0; offset < REJECT_SIZE; offset++)
    for (guint mask = 1; mask < 256; mask <<= 1)
      {
        g_auto (Pair) pair = new_pair (OTHER_CODE, CODE);
        IcsHandshake *receiver;
        g_autoptr (GBytes) answer = run_to_message (&pair, 1, &receiver);
        g_autoptr (GBytes) rejection = NULL;
        g_autoptr (GBytes) damaged = NULL;

        deliver (receiver, answer);
        rejection = expect_message (pair.joiner, REJECT_SIZE);
        damaged = changed_byte (rejection, offset, (guint8)mask);
        deliver (pair.listener, damaged);
        deliver (pair.listener, rejection);
        expect_failed (pair.listener, ICS_ERROR_CODE_REJECTED);
        expect_silence (pair.listener);
      }
}
END_TEST

START_TEST (cut_and_stretched_messages_are_dropped)
{
  for (guint n = 0; n < 3; n++)
    {
      g_auto (Pair) pair = new_pair (CODE, CODE);
      IcsHandshake *receiver;
      g_autoptr (GBytes) message = run_to_message (&pair, n, &receiver);
      gsize len = g_bytes_get_size (message);
      g_autofree guint8 *stretched = g_malloc0 (len + 1);

      for (gsize cut = 0; cut < len; cut++)
        {
          g_autoptr (GBytes) part = g_bytes_new_from_bytes (message, 0, cut);

          deliver (receiver, part);
        }
      memcpy (stretched, g_bytes_get_data (message, NULL), len);
      ics_handshake_handle_message (receiver, stretched, len + 1);
      ck_assert_uint_eq (ics_handshake_get_dropped (receiver), len + 1);
      expect_silence (receiver);
      deliver (receiver, message);
      settle (&pair);
      expect_both_done (&pair);
    }
}
END_TEST

/* Back to the sender, as it is and dressed up as each other type. */
START_TEST (reflected_messages_are_dropped)
{
  for (guint n = 0; n < 3; n++)
    {
      g_auto (Pair) pair = new_pair (CODE, CODE);
      IcsHandshake *receiver, *sender;
      g_autoptr (GBytes) message = run_to_message (&pair, n, &receiver);
      IcsHandshakeState before;

      sender = other_host (&pair, receiver);
      before = ics_handshake_get_state (sender);
      for (guint8 type = 0; type < 6; type++)
        {
          g_autoptr (GBytes) dressed_up = relabelled (message, type);

          deliver (sender, dressed_up);
          expect_silence (sender);
          ck_assert_int_eq (ics_handshake_get_state (sender), before);
        }
      ck_assert_uint_eq (ics_handshake_get_dropped (sender), 6);
      deliver (receiver, message);
      settle (&pair);
      expect_both_done (&pair);
    }
}
END_TEST

/* The strongest reflection: the joiner gets its own share back as the listener's. */
START_TEST (reflected_share_proves_nothing)
{
  g_auto (Pair) pair = new_pair (CODE, CODE);
  g_autoptr (GBytes) start = expect_message (pair.joiner, START_SIZE);
  guint8 answer[ANSWER_SIZE] = { 1, 2 };

  memcpy (answer + HEADER_SIZE, (const guint8 *)g_bytes_get_data (start, NULL) + HEADER_SIZE + SID_SIZE, 32);
  ics_handshake_handle_message (pair.joiner, answer, sizeof answer);
  expect_failed (pair.joiner, ICS_ERROR_CODE_REJECTED);
}
END_TEST

START_TEST (two_joiners_or_two_listeners_do_not_pair)
{
  g_auto (Pair) joiners = { new_host ('J', CODE, "file/1", NULL), new_host ('J', CODE, "file/1", NULL) };
  g_auto (Pair) listeners = { new_host ('L', CODE, "file/1", NULL), new_host ('L', CODE, "file/1", NULL) };

  settle (&joiners);
  settle (&listeners);
  expect_running (joiners.joiner);
  expect_running (joiners.listener);
  expect_running (listeners.joiner);
  expect_running (listeners.listener);
}
END_TEST

START_TEST (lost_messages_are_made_good_by_a_resend)
{
  for (guint n = 0; n < 3; n++)
    {
      g_auto (Pair) pair = new_pair (CODE, CODE);
      IcsHandshake *receiver;
      g_autoptr (GBytes) lost = run_to_message (&pair, n, &receiver);

      ics_handshake_resend (pair.joiner);
      ics_handshake_resend (pair.listener);
      settle (&pair);
      expect_both_done (&pair);
      ck_assert_uint_eq (ics_handshake_get_dropped (pair.joiner), 0);
      ck_assert_uint_eq (ics_handshake_get_dropped (pair.listener), 0);
    }
}
END_TEST

START_TEST (repeats_get_the_same_answer)
{
  g_auto (Pair) pair = new_pair (CODE, CODE);
  g_autoptr (GBytes) start = expect_message (pair.joiner, START_SIZE);
  g_autoptr (GBytes) answer = NULL;
  g_autoptr (GBytes) answer_again = NULL;
  g_autoptr (GBytes) finish = NULL;
  g_autoptr (GBytes) finish_again = NULL;

  deliver (pair.listener, start);
  answer = expect_message (pair.listener, ANSWER_SIZE);
  deliver (pair.listener, start);
  answer_again = expect_message (pair.listener, ANSWER_SIZE);
  ck_assert (g_bytes_equal (answer, answer_again));
  deliver (pair.joiner, answer);
  finish = expect_message (pair.joiner, FINISH_SIZE);
  deliver (pair.joiner, answer);
  finish_again = expect_message (pair.joiner, FINISH_SIZE);
  ck_assert (g_bytes_equal (finish, finish_again));
  deliver (pair.listener, finish);
  deliver (pair.listener, finish);
  expect_silence (pair.listener);
  expect_both_done (&pair);
  ck_assert_uint_eq (ics_handshake_get_dropped (pair.joiner) + ics_handshake_get_dropped (pair.listener), 0);
}
END_TEST

START_TEST (out_of_order_messages_are_dropped)
{
  g_auto (Pair) pair = new_pair (CODE, CODE);
  g_auto (Pair) ahead = new_pair (CODE, CODE);
  IcsHandshake *receiver;
  g_autoptr (GBytes) finish = run_to_message (&ahead, 2, &receiver);
  g_autoptr (GBytes) start = NULL;

  deliver (pair.listener, finish);
  deliver (pair.joiner, finish);
  expect_running (pair.listener);
  expect_running (pair.joiner);
  start = expect_message (pair.joiner, START_SIZE);
  deliver (pair.listener, start);
  start = (g_bytes_unref (start), NULL);
  settle (&pair);
  expect_both_done (&pair);
  deliver (pair.joiner, finish);
  deliver (pair.listener, finish);
  expect_both_done (&pair);
  ck_assert_uint_eq (ics_handshake_get_dropped (pair.joiner), 2);
  ck_assert_uint_eq (ics_handshake_get_dropped (pair.listener), 2);
}
END_TEST

/* One guess per code: also somebody who knows the code comes too late. */
START_TEST (listener_answers_one_joiner_only)
{
  g_auto (Pair) pair = new_pair (CODE, CODE);
  g_autoptr (IcsHandshake) second = new_host ('j', CODE, "file/1", NULL);
  IcsHandshake *receiver;
  g_autoptr (GBytes) answer = run_to_message (&pair, 1, &receiver);
  g_autoptr (GBytes) start = expect_message (second, START_SIZE);

  deliver (pair.listener, start);
  expect_silence (pair.listener);
  ck_assert_uint_eq (ics_handshake_get_dropped (pair.listener), 1);
  deliver (pair.joiner, answer);
  settle (&pair);
  expect_both_done (&pair);
}
END_TEST

START_TEST (messages_of_another_run_prove_nothing)
{
  for (guint n = 0; n < 3; n++)
    {
      g_auto (Pair) old = { new_host ('j', CODE, "file/1", NULL), new_host ('l', CODE, "file/1", NULL) };
      g_auto (Pair) pair = new_pair (CODE, CODE);
      IcsHandshake *receiver, *old_receiver;
      g_autoptr (GBytes) recorded = run_to_message (&old, n, &old_receiver);
      g_autoptr (GBytes) replaced = run_to_message (&pair, n, &receiver);

      deliver (receiver, recorded);
      settle (&pair);
      expect_failed (pair.joiner, ICS_ERROR_CODE_REJECTED);
      expect_failed (pair.listener, ICS_ERROR_CODE_REJECTED);
    }
}
END_TEST

/* A man in the middle runs a handshake of his own with each side. He does not know the code. */
START_TEST (man_in_the_middle_fails_on_both_sides)
{
  g_auto (Pair) left = { new_host ('J', CODE, "file/1", NULL), new_host ('l', OTHER_CODE, "file/1", NULL) };
  g_auto (Pair) right = { new_host ('j', OTHER_CODE, "file/1", NULL), new_host ('L', CODE, "file/1", NULL) };

  settle (&left);
  settle (&right);
  expect_failed (left.joiner, ICS_ERROR_CODE_REJECTED);
  expect_failed (right.listener, ICS_ERROR_CODE_REJECTED);
}
END_TEST

/* A guesser who goes on with message 3 although message 2 told him that he is wrong. */
START_TEST (guesser_cannot_go_on)
{
  g_auto (Pair) pair = new_pair (CODE, CODE);
  g_auto (Pair) guess
      = { new_host ('j', OTHER_CODE, "file/1", NULL), new_host ('l', OTHER_CODE, "file/1", NULL) };
  IcsHandshake *receiver;
  g_autoptr (GBytes) start = run_to_message (&pair, 0, &receiver);
  g_autoptr (GBytes) finish = run_to_message (&guess, 2, &receiver);

  deliver (pair.listener, start);
  deliver (pair.listener, finish);
  expect_failed (pair.listener, ICS_ERROR_CODE_REJECTED);
}
END_TEST

START_TEST (forged_rejects)
{
  for (guint8 reason = 0; reason < 4; reason++)
    {
      g_auto (Pair) fresh = new_pair (CODE, CODE);
      g_auto (Pair) done = new_pair (CODE, CODE);
      g_autoptr (GBytes) forged = forged_reject (reason);
      gboolean known = reason == 1 || reason == 2;

      deliver (fresh.joiner, forged);
      deliver (fresh.listener, forged);
      if (known)
        expect_failed (fresh.joiner, ICS_ERROR_CODE_REJECTED);
      else
        expect_running (fresh.joiner);
      expect_running (fresh.listener);

      settle (&done);
      deliver (done.joiner, forged);
      deliver (done.listener, forged);
      expect_both_done (&done);
      ck_assert_uint_eq (ics_handshake_get_dropped (done.joiner), 1);
      ck_assert_uint_eq (ics_handshake_get_dropped (done.listener), 1);
    }
}
END_TEST

/* The joiner is DONE first. That the listener could not finish reaches it, with a proof; the same reject is
 * worth nothing to another joiner, nor with another byte in it, nor back at the listener's side. */
START_TEST (late_reject_needs_a_proof)
{
  g_auto (Pair) pair = new_pair (CODE, CODE);
  g_auto (Pair) other = new_pair (CODE, CODE);
  IcsHandshake *receiver;
  g_autoptr (GBytes) finish = run_to_message (&pair, 2, &receiver);
  g_autoptr (GBytes) damaged = changed_byte (finish, HEADER_SIZE, 1);
  g_autoptr (GBytes) rejection = NULL;

  deliver (pair.listener, damaged);
  expect_failed (pair.listener, ICS_ERROR_CODE_REJECTED);
  rejection = expect_message (pair.listener, REJECT_SIZE);

  settle (&other);
  deliver (other.joiner, rejection);
  deliver (other.listener, rejection);
  expect_both_done (&other);

  for (gsize offset = 0; offset < REJECT_SIZE; offset++)
    {
      g_autoptr (GBytes) changed = changed_byte (rejection, offset, 3);

      deliver (pair.joiner, changed);
      expect_done (pair.joiner, 'L');
    }
  deliver (pair.joiner, rejection);
  expect_failed (pair.joiner, ICS_ERROR_CODE_REJECTED);
  deliver (pair.joiner, rejection);
  expect_silence (pair.joiner);
}
END_TEST

/* A damaged hello behind a good tag: the codes are the same, so it was altered, and both can say so. */
START_TEST (altered_hello_is_told_from_a_wrong_code)
{
  for (guint n = 1; n < 3; n++)
    {
      g_auto (Pair) pair = new_pair (CODE, CODE);
      IcsHandshake *receiver;
      g_autoptr (GBytes) message = run_to_message (&pair, n, &receiver);
      g_autoptr (GBytes) damaged = changed_byte (message, g_bytes_get_size (message) - 1, 1);

      deliver (receiver, damaged);
      settle (&pair);
      expect_failed (pair.joiner, ICS_ERROR_PROTOCOL);
      expect_failed (pair.listener, ICS_ERROR_PROTOCOL);
    }
}
END_TEST

START_TEST (no_group_element_no_key)
{
  g_auto (Pair) pair = new_pair (CODE, CODE);
  g_auto (Pair) other = new_pair (CODE, CODE);
  guint8 start[START_SIZE] = { 1, 1 }; /* Ya is the identity */
  guint8 answer[ANSWER_SIZE] = { 1, 2 };

  ics_handshake_handle_message (pair.listener, start, sizeof start);
  expect_failed (pair.listener, ICS_ERROR_PROTOCOL);
  settle (&pair);
  expect_failed (pair.joiner, ICS_ERROR_CODE_REJECTED);

  memset (answer + HEADER_SIZE, 0xff, 32); /* decodes to no element */
  ics_handshake_handle_message (other.joiner, answer, sizeof answer);
  expect_failed (other.joiner, ICS_ERROR_PROTOCOL);
}
END_TEST

START_TEST (owner_can_fail_a_running_handshake)
{
  g_auto (Pair) pair = new_pair (CODE, CODE);
  g_auto (Pair) done = new_pair (CODE, CODE);
  IcsHandshake *receiver;
  g_autoptr (GBytes) answer = run_to_message (&pair, 1, &receiver);

  ics_handshake_fail (pair.listener, ICS_ERROR_CODE_REJECTED, "the other host left");
  expect_failed (pair.listener, ICS_ERROR_CODE_REJECTED);
  ics_handshake_resend (pair.listener);
  expect_silence (pair.listener);
  deliver (pair.joiner, answer);
  settle (&pair);
  expect_failed (pair.listener, ICS_ERROR_CODE_REJECTED);

  settle (&done);
  ics_handshake_fail (done.joiner, ICS_ERROR_TIMED_OUT, "too late");
  expect_both_done (&done);
}
END_TEST

START_TEST (hello_is_read_strictly)
{
  guint8 fingerprint[ICS_FINGERPRINT_SIZE] = { 1, 2, 3 }, plain[ICS_HELLO_SIZE], bad[ICS_HELLO_SIZE];
  static const struct
  {
    gsize offset;
    guint8 value;
  } breaks[] = { { 0, 2 },    { 34, 0 },    { 34, 3 },    { 34, 65 }, { 34, 255 },
                 { 36, ' ' }, { 37, 0x1b }, { 37, 0x80 }, { 41, 1 },  { 127, 1 } };
  IcsHello hello, read;

  ck_assert (ics_hello_init (&hello, fingerprint, "file/1"));
  ics_hello_write (&hello, plain);
  ck_assert (ics_hello_read (&read, plain));
  ck_assert_str_eq (read.application, "file/1");
  ck_assert_mem_eq (read.fingerprint, fingerprint, sizeof fingerprint);
  for (gsize i = 0; i < G_N_ELEMENTS (breaks); i++)
    {
      memcpy (bad, plain, sizeof bad);
      bad[breaks[i].offset] = breaks[i].value;
      ck_assert_msg (!ics_hello_read (&read, bad), "break %zu", i);
    }
  ck_assert (!ics_hello_init (&hello, fingerprint, ""));
  ck_assert (!ics_hello_init (&hello, fingerprint, "two words"));
  ck_assert (!ics_hello_init (&hello, fingerprint, "ansi\033[2J"));
}
END_TEST

START_TEST (hosts_without_a_common_version_do_not_match)
{
  guint8 fingerprint[ICS_FINGERPRINT_SIZE] = { 0 };
  g_autofree char *message = NULL;
  IcsHello own, peer;
  IcsError failure;

  ck_assert (ics_hello_init (&own, fingerprint, "file/1") && ics_hello_init (&peer, fingerprint, "file/1"));
  peer.highest_version = 9;
  ck_assert (ics_hello_matches (&own, &peer, &failure, &message));
  peer.lowest_version = 2;
  ck_assert (!ics_hello_matches (&own, &peer, &failure, &message));
  ck_assert_int_eq (failure, ICS_ERROR_PROTOCOL);
}
END_TEST

int
main (void)
{
  const TTest *const tests[] = { messages_are_those_of_the_document,
                                 same_code_pairs,
                                 relay_reads_nothing,
                                 length_does_not_tell_the_application,
                                 wrong_code_fails_on_both_sides,
                                 other_application_is_refused_on_both_sides,
                                 every_byte_counts,
                                 every_byte_of_a_reject,
                                 cut_and_stretched_messages_are_dropped,
                                 reflected_messages_are_dropped,
                                 reflected_share_proves_nothing,
                                 two_joiners_or_two_listeners_do_not_pair,
                                 lost_messages_are_made_good_by_a_resend,
                                 repeats_get_the_same_answer,
                                 out_of_order_messages_are_dropped,
                                 listener_answers_one_joiner_only,
                                 messages_of_another_run_prove_nothing,
                                 man_in_the_middle_fails_on_both_sides,
                                 guesser_cannot_go_on,
                                 forged_rejects,
                                 late_reject_needs_a_proof,
                                 altered_hello_is_told_from_a_wrong_code,
                                 no_group_element_no_key,
                                 owner_can_fail_a_running_handshake,
                                 hello_is_read_strictly,
                                 hosts_without_a_common_version_do_not_match,
                                 NULL };

  return run_suite ("handshake", tests);
}
