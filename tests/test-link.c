/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/link-pair.h"
#include "tests/suite.h"

#include <string.h>

/* Real links with real ICE on this host; only the relayed channel is of memory. */

#define BULK (4 * 1024 * 1024)

static guint8
content (gsize offset)
{
  return (guint8)((offset * 2654435761u) >> 16);
}

static gpointer
write_bulk (gpointer data)
{
  GOutputStream *out = g_io_stream_get_output_stream (data);
  g_autofree guint8 *buf = g_malloc (BULK);
  gboolean good;

  for (gsize i = 0; i < BULK; i++)
    buf[i] = content (i);
  good = g_output_stream_write_all (out, buf, BULK, NULL, NULL, NULL)
         && g_output_stream_close (out, NULL, NULL);
  g_object_unref (data);
  return GINT_TO_POINTER (good);
}

/* Blocking reads on a thread of its own: returns the number of wrong or missing bytes. */
static gpointer
read_bulk (gpointer data)
{
  GInputStream *in = g_io_stream_get_input_stream (data);
  guint8 buf[10000];
  gsize total = 0, wrong = 0;
  gssize n;

  while ((n = g_input_stream_read (in, buf, sizeof buf, NULL, NULL)) > 0)
    {
      for (gssize i = 0; i < n; i++)
        wrong += buf[i] != content (total + (gsize)i);
      total += (gsize)n;
    }
  g_object_unref (data);
  return GSIZE_TO_POINTER (wrong + (n < 0) + (total > BULK ? total - BULK : BULK - total));
}

static gboolean
stream_arrived (LinkPair *pair)
{
  return !g_queue_is_empty (&pair->streams[0]);
}

static gboolean acked;

static void
on_acked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  ck_assert_msg (ics_stream_flush_acked_finish (ICS_STREAM (source), result, &error), "%s",
                 error ? error->message : "");
  acked = TRUE;
}

static gboolean
is_acked (LinkPair *pair)
{
  return acked;
}

START_TEST (test_bulk_both_ways_while_it_shifts)
{
  LinkPair pair;
  g_autoptr (IcsStream) stream = NULL;
  g_autoptr (IcsStream) other = NULL;
  GThread *writers[2], *readers[2];
  guint64 sum = 0;

  link_pair_init (&pair);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_connected);
  ck_assert_str_ne (ics_link_get_peer_fingerprint (pair.link[0]),
                    ics_link_get_peer_fingerprint (pair.link[1]));
  stream = ics_link_open_stream (pair.link[1], NULL);
  writers[0] = g_thread_new ("w0", write_bulk, g_object_ref (stream));
  readers[0] = g_thread_new ("r0", read_bulk, g_object_ref (stream));
  link_pair_run (&pair, stream_arrived);
  other = g_queue_pop_head (&pair.streams[0]);
  writers[1] = g_thread_new ("w1", write_bulk, g_object_ref (other));
  readers[1] = g_thread_new ("r1", read_bulk, g_object_ref (other));
  link_pair_run (&pair, link_pair_is_direct);
  for (guint i = 0; i < 2; i++)
    {
      ck_assert_ptr_nonnull (g_thread_join (writers[i]));
      ck_assert_uint_eq (GPOINTER_TO_SIZE (g_thread_join (readers[i])), 0);
      ck_assert_int_eq (ics_path_info_get_kind (g_ptr_array_index (pair.paths[i], 0)), ICS_PATH_CHANNEL);
      ck_assert_int_eq (ics_path_info_get_reason (g_ptr_array_index (pair.paths[i], 0)),
                        ICS_PATH_REASON_FIRST);
    }
  acked = FALSE;
  ics_stream_flush_acked_async (stream, NULL, on_acked, NULL);
  link_pair_run (&pair, is_acked);
  for (int kind = 0; kind < ICS_N_PATH_KINDS; kind++)
    sum += ics_stream_get_received (stream, kind);
  ck_assert_uint_eq (sum, BULK);
  link_pair_close (&pair, 1, 0, "");
  ck_assert_ptr_null (pair.error[0]);
  ck_assert_ptr_null (pair.error[1]);
  link_pair_clear (&pair);
}
END_TEST

START_TEST (test_wrong_code)
{
  LinkPair pair;

  link_pair_init (&pair);
  link_pair_start (&pair, TRUE);
  link_pair_run (&pair, link_pair_is_over);
  ck_assert (g_error_matches (pair.error[0], ICS_ERROR, ICS_ERROR_CODE_REJECTED));
  ck_assert (g_error_matches (pair.error[1], ICS_ERROR, ICS_ERROR_CODE_REJECTED));
  link_pair_clear (&pair);
}
END_TEST

START_TEST (test_other_application)
{
  LinkPair pair;

  link_pair_init (&pair);
  g_object_set (pair.link[1], "application", "other/1", NULL);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_over);
  ck_assert (g_error_matches (pair.error[0], ICS_ERROR, ICS_ERROR_REFUSED));
  ck_assert (g_error_matches (pair.error[1], ICS_ERROR, ICS_ERROR_REFUSED));
  link_pair_clear (&pair);
}
END_TEST

START_TEST (test_close_with_reason)
{
  LinkPair pair;

  link_pair_init (&pair);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_connected);
  link_pair_close (&pair, (guint)_i, 42, "no more of this");
  ck_assert_ptr_null (pair.error[_i]);
  ck_assert (g_error_matches (pair.error[1 - _i], ICS_ERROR, ICS_ERROR_REFUSED));
  ck_assert_ptr_nonnull (strstr (pair.error[1 - _i]->message, "no more of this"));
  link_pair_clear (&pair);
}
END_TEST

static gboolean
datagram_arrived (LinkPair *pair)
{
  return !g_queue_is_empty (&pair->datagrams[0]);
}

START_TEST (test_datagram)
{
  LinkPair pair;
  const char *words[] = { "ping", "" };

  link_pair_init (&pair);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_connected);
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    {
      g_autoptr (GBytes) payload = g_bytes_new_static (words[i], strlen (words[i]));
      g_autoptr (GBytes) received = NULL;

      ck_assert (ics_link_send_datagram (pair.link[1], payload));
      link_pair_run (&pair, datagram_arrived);
      received = g_queue_pop_head (&pair.datagrams[0]);
      ck_assert (g_bytes_equal (received, payload));
    }
  link_pair_close (&pair, 0, 0, "");
  link_pair_clear (&pair);
}
END_TEST

/* Policy direct on one side: application data only there, and connect says so only then. */
START_TEST (test_direct_only)
{
  LinkPair pair;

  link_pair_init (&pair);
  g_object_set (pair.link[_i], "policy", ICS_PATH_POLICY_DIRECT, NULL);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_connected);
  link_pair_run (&pair, link_pair_is_direct);
  ck_assert_int_eq (ics_path_info_get_kind (g_ptr_array_index (pair.paths[_i], 0)), ICS_PATH_DIRECT);
  link_pair_close (&pair, 0, 0, "");
  link_pair_clear (&pair);
}
END_TEST

/* One side allows only relays: the other finds no direct path and, wanting nothing else, gives up. */
START_TEST (test_direct_impossible)
{
  LinkPair pair;

  link_pair_init (&pair);
  g_object_set (pair.link[_i], "policy", ICS_PATH_POLICY_DIRECT, "timeout-ms", 3000, NULL);
  g_object_set (pair.link[1 - _i], "policy", ICS_PATH_POLICY_RELAY, NULL);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_over);
  ck_assert (g_error_matches (pair.error[_i], ICS_ERROR, ICS_ERROR_PATH_UNAVAILABLE));
  link_pair_clear (&pair);
}
END_TEST

static gboolean
listener_over (LinkPair *pair)
{
  return pair->closed[0];
}

START_TEST (test_nobody_comes)
{
  LinkPair pair;

  link_pair_init (&pair);
  g_object_set (pair.link[0], "timeout-ms", 2000, NULL);
  pair.alone = TRUE;
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, listener_over);
  ck_assert (g_error_matches (pair.error[0], ICS_ERROR, ICS_ERROR_NO_PEER));
  link_pair_clear (&pair);
}
END_TEST

/* Both paths go: the link says so after its limit, and its streams end. */
START_TEST (test_link_lost)
{
  LinkPair pair;
  g_autoptr (IcsStream) stream = NULL;
  g_autoptr (GError) error = NULL;
  guint8 byte;

  link_pair_init (&pair);
  for (guint i = 0; i < 2; i++)
    g_object_set (pair.link[i], "policy", ICS_PATH_POLICY_RELAY, "timeout-ms", 4000, NULL);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_connected);
  stream = ics_link_open_stream (pair.link[1], NULL);
  memory_channel_cut (pair.channel[0], _i);
  link_pair_run (&pair, link_pair_is_over);
  for (guint i = 0; i < 2; i++)
    ck_assert (g_error_matches (pair.error[i], ICS_ERROR, ICS_ERROR_LINK_LOST));
  ck_assert_int_eq (
      g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (stream)), &byte, 1, NULL, &error), -1);
  ck_assert (g_error_matches (error, ICS_ERROR, ICS_ERROR_CLOSED));
  ck_assert_ptr_null (ics_link_open_stream (pair.link[1], NULL));
  link_pair_clear (&pair);
}
END_TEST

/* The channel is cut for good while the direct path lives: nothing is noticed. */
START_TEST (test_direct_survives_the_channel)
{
  LinkPair pair;
  g_autoptr (IcsStream) stream = NULL;
  g_autoptr (IcsStream) other = NULL;
  GThread *writer, *reader;

  link_pair_init (&pair);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_connected);
  link_pair_run (&pair, link_pair_is_direct);
  memory_channel_cut (pair.channel[0], TRUE);
  stream = ics_link_open_stream (pair.link[1], NULL);
  writer = g_thread_new ("w", write_bulk, g_object_ref (stream));
  link_pair_run (&pair, stream_arrived);
  other = g_queue_pop_head (&pair.streams[0]);
  reader = g_thread_new ("r", read_bulk, g_object_ref (other));
  ck_assert_ptr_nonnull (g_thread_join (writer));
  ck_assert_uint_eq (GPOINTER_TO_SIZE (g_thread_join (reader)), 0);
  link_pair_close (&pair, 0, 0, "");
  link_pair_clear (&pair);
}
END_TEST

/* A link dropped without a word ends by itself, and the peer is told by the closed channel. */
START_TEST (test_dropped_link)
{
  LinkPair pair;

  link_pair_init (&pair);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_connected);
  g_clear_object (&pair.link[1]);
  link_pair_run (&pair, listener_over);
  ck_assert_ptr_null (pair.error[0]);
  pair.link[1] = g_object_new (ICS_TYPE_LINK, NULL);
  link_pair_clear (&pair);
}
END_TEST

static gboolean
listener_answered (LinkPair *pair)
{
  return pair->answered[0];
}

/* Cancelled while it waits for the peer: connect ends, and the link with it. Cancelled later: nothing
 * happens. */
START_TEST (test_cancel)
{
  LinkPair pair;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  link_pair_init (&pair);
  pair.alone = _i == 0;
  pair.cancellable = cancellable;
  link_pair_start (&pair, FALSE);
  if (_i == 1)
    link_pair_run (&pair, link_pair_is_connected);
  g_cancellable_cancel (cancellable);
  if (_i == 0)
    {
      link_pair_run (&pair, listener_answered);
      ck_assert (g_error_matches (pair.error[0], G_IO_ERROR, G_IO_ERROR_CANCELLED));
      link_pair_run (&pair, listener_over);
    }
  else
    {
      link_pair_run (&pair, link_pair_is_direct);
      ck_assert (!pair.closed[0]);
      link_pair_close (&pair, 0, 0, "");
    }
  link_pair_clear (&pair);
}
END_TEST

int
main (void)
{
  const struct
  {
    const TTest *test;
    int runs;
  } tests[] = {
    { test_bulk_both_ways_while_it_shifts, 1 },
    { test_wrong_code, 1 },
    { test_other_application, 1 },
    { test_close_with_reason, 2 },
    { test_datagram, 1 },
    { test_direct_only, 2 },
    { test_direct_impossible, 2 },
    { test_nobody_comes, 1 },
    { test_link_lost, 2 },
    { test_direct_survives_the_channel, 1 },
    { test_dropped_link, 1 },
    { test_cancel, 2 },
  };
  Suite *suite = suite_create ("link");
  SRunner *runner = srunner_create (suite);
  int failed;

  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    {
      TCase *tcase = tcase_create (tests[i].test->name);

      tcase_set_timeout (tcase, 120);
      tcase_add_loop_test (tcase, tests[i].test, 0, tests[i].runs);
      suite_add_tcase (suite, tcase);
    }
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
