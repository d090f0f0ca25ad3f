/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The handshake over an honest relay, which may lose, repeat and delay messages. */
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
  expect_dropped (&pair, 0, 0);
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
      expect_dropped (&pair, 0, 0);
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
  expect_dropped (&pair, 0, 0);
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
  expect_dropped (&pair, 2, 2);
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

int
main (void)
{
  const TTest *const tests[] = { messages_are_those_of_the_document,
                                 same_code_pairs,
                                 relay_reads_nothing,
                                 length_does_not_tell_the_application,
                                 wrong_code_fails_on_both_sides,
                                 other_application_is_refused_on_both_sides,
                                 two_joiners_or_two_listeners_do_not_pair,
                                 lost_messages_are_made_good_by_a_resend,
                                 repeats_get_the_same_answer,
                                 out_of_order_messages_are_dropped,
                                 listener_answers_one_joiner_only,
                                 NULL };

  return run_suite ("handshake", tests);
}
