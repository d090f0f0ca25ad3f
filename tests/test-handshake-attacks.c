/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The handshake with somebody in between who alters, reflects, replays, guesses or forges. */
#include "tests/handshake-pair.h"
#include "tests/suite.h"
#include <string.h>

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
      expect_dropped (&done, 1, 1);
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

int
main (void)
{
  const TTest *const tests[] = { every_byte_counts,
                                 every_byte_of_a_reject,
                                 cut_and_stretched_messages_are_dropped,
                                 reflected_messages_are_dropped,
                                 reflected_share_proves_nothing,
                                 messages_of_another_run_prove_nothing,
                                 man_in_the_middle_fails_on_both_sides,
                                 guesser_cannot_go_on,
                                 forged_rejects,
                                 late_reject_needs_a_proof,
                                 altered_hello_is_told_from_a_wrong_code,
                                 no_group_element_no_key,
                                 NULL };

  return run_suite ("handshake-attacks", tests);
}
