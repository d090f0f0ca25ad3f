/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/link-pair.h"
#include "tests/suite.h"

#include <string.h>

/* What a link promises whoever calls it, beside carrying data. */

typedef struct
{
  guint n;
  GError *error;
} Ends;

static void
on_closed (IcsLink *link, GError *error, gpointer user_data)
{
  Ends *ends = user_data;

  ends->n++;
  ends->error = error != NULL ? g_error_copy (error) : NULL;
}

static void
on_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

static void
wait_for (gpointer *pointer)
{
  while (*pointer == NULL)
    g_main_context_iteration (NULL, TRUE);
}

static void
assert_connect_fails (IcsLink *link, const char *code)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  ics_link_connect_async (link, code, NULL, on_result, &result);
  ck_assert_ptr_null (result);
  wait_for ((gpointer *)&result);
  ck_assert (!ics_link_connect_finish (link, result, &error));
  ck_assert (g_error_matches (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT));
}

static void
close_and_wait (IcsLink *link)
{
  g_autoptr (GAsyncResult) result = NULL;

  ics_link_close_async (link, 0, NULL, NULL, on_result, &result);
  wait_for ((gpointer *)&result);
  ck_assert (ics_link_close_finish (link, result, NULL));
}

/* Nothing is begun with wrong arguments, but the link has ended, and says so. */
START_TEST (test_wrong_arguments)
{
  static const char *const turn_uris[] = { "turn:alice:secret@example.org", "turn.example.org", NULL };
  g_autoptr (IcsLink) link = ics_link_new (_i == 0 ? NULL : "ws://127.0.0.1:9", "test/1");
  Ends ends = { 0 };

  g_object_set (link, "port-mapping", FALSE, "turn-uris", _i == 2 ? turn_uris : NULL, NULL);
  g_signal_connect (link, "closed", G_CALLBACK (on_closed), &ends);
  assert_connect_fails (link, _i == 1 ? "seven cable otter" : NULL);
  while (ends.n == 0)
    g_main_context_iteration (NULL, TRUE);
  ck_assert (g_error_matches (ends.error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT));
  assert_connect_fails (link, NULL);
  close_and_wait (link);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  ck_assert_uint_eq (ends.n, 1);
  g_clear_error (&ends.error);
}
END_TEST

/* However often, and also after the end. */
START_TEST (test_close_again)
{
  LinkPair pair;
  GAsyncResult *results[3] = { NULL };

  link_pair_init (&pair);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_connected);
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    ics_link_close_async (pair.link[0], i, "first", NULL, on_result, &results[i]);
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    {
      wait_for ((gpointer *)&results[i]);
      ck_assert (ics_link_close_finish (pair.link[0], results[i], NULL));
      g_object_unref (results[i]);
    }
  close_and_wait (pair.link[0]);
  link_pair_run (&pair, link_pair_is_over);
  close_and_wait (pair.link[1]);
  /* The code of the first one counts. */
  ck_assert_ptr_null (pair.error[1]);
  link_pair_clear (&pair);
}
END_TEST

static void
expect_cancelled_close (IcsLink *link)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  ics_link_close_async (link, 0, NULL, cancellable, on_result, &result);
  g_cancellable_cancel (cancellable);
  wait_for ((gpointer *)&result);
  ck_assert (!ics_link_close_finish (link, result, &error));
  ck_assert (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
}

/* The wait ends, the close goes on. */
START_TEST (test_cancel_close)
{
  LinkPair pair;

  link_pair_init (&pair);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_connected);
  expect_cancelled_close (pair.link[0]);
  link_pair_run (&pair, link_pair_is_over);
  for (guint i = 0; i < 2; i++)
    close_and_wait (pair.link[i]);
  link_pair_clear (&pair);
}
END_TEST

static IcsStream *
accept (IcsLink *link, GCancellable *cancellable, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  ics_link_accept_stream_async (link, cancellable, on_result, &result);
  if (cancellable != NULL)
    g_cancellable_cancel (cancellable);
  wait_for ((gpointer *)&result);
  return ics_link_accept_stream_finish (link, result, error);
}

/* An accept that was given up takes no stream from the next one. */
START_TEST (test_cancel_accept)
{
  LinkPair pair;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (IcsStream) stream = NULL;
  g_autoptr (IcsStream) other = NULL;

  link_pair_init (&pair);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_connected);
  ck_assert_ptr_null (accept (pair.link[0], cancellable, &error));
  ck_assert (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
  stream = ics_link_open_stream (pair.link[1], NULL);
  ck_assert (g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (stream)), "x", 1, NULL,
                                        NULL, NULL));
  other = accept (pair.link[0], NULL, NULL);
  ck_assert_uint_eq (ics_stream_get_id (other), ics_stream_get_id (stream));
  link_pair_close (&pair, 0, 0, "");
  link_pair_clear (&pair);
}
END_TEST

static gboolean
joiner_over (LinkPair *pair)
{
  return pair->closed[1];
}

/* A channel that ends by itself, and not because the link closed it: nobody keeps it. */
START_TEST (test_channel_ends_by_itself)
{
  LinkPair pair;
  gpointer channel;

  link_pair_init (&pair);
  for (guint i = 0; i < 2; i++)
    g_object_set (pair.link[i], "policy", ICS_PATH_POLICY_RELAY, "timeout-ms", 1000, NULL);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_connected);
  ics_channel_close (ICS_CHANNEL (pair.channel[0]));
  link_pair_run (&pair, joiner_over);
  ck_assert (g_error_matches (pair.error[1], ICS_ERROR, ICS_ERROR_LINK_LOST));
  for (guint i = 0; i < 2; i++)
    close_and_wait (pair.link[i]);
  channel = pair.channel[1];
  g_object_add_weak_pointer (channel, &channel);
  link_pair_clear (&pair);
  ck_assert_ptr_null (channel);
}
END_TEST

START_TEST (test_nameplate)
{
  LinkPair pair;
  g_autofree char *nameplate = NULL;
  g_autoptr (GError) error = NULL;

  link_pair_init (&pair);
  g_object_set (pair.link[0], "nameplate", "4711", NULL);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_connected);
  nameplate = ics_code_get_nameplate (ics_link_get_code (pair.link[0]), NULL);
  ck_assert_str_eq (nameplate, "4711");
  link_pair_close (&pair, 0, 0, "");
  link_pair_clear (&pair);
  ck_assert_ptr_null (ics_code_get_nameplate ("4711-cable", &error));
  ck_assert (g_error_matches (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT));
}
END_TEST

START_TEST (test_wrong_nameplate)
{
  LinkPair pair;

  link_pair_init (&pair);
  g_object_set (pair.link[0], "nameplate", "room 5", NULL);
  pair.alone = TRUE;
  link_pair_start (&pair, FALSE);
  while (!pair.closed[0])
    g_main_context_iteration (NULL, TRUE);
  ck_assert (g_error_matches (pair.error[0], ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT));
  close_and_wait (pair.link[0]);
  link_pair_clear (&pair);
}
END_TEST

START_TEST (test_fingerprints)
{
  LinkPair pair;

  link_pair_init (&pair);
  ck_assert_ptr_null (ics_link_get_fingerprint (pair.link[0]));
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_connected);
  for (guint i = 0; i < 2; i++)
    ck_assert_str_eq (ics_link_get_fingerprint (pair.link[i]),
                      ics_link_get_peer_fingerprint (pair.link[1 - i]));
  link_pair_close (&pair, 0, 0, "");
  link_pair_clear (&pair);
}
END_TEST

static gboolean
datagram_came (LinkPair *pair)
{
  return !g_queue_is_empty (&pair->datagrams[0]);
}

static gboolean
stream_came (LinkPair *pair)
{
  return !g_queue_is_empty (&pair->streams[0]);
}

static void
assert_statistics (LinkPair *pair, guint side, gsize bulk)
{
  g_autoptr (IcsStatistics) sum = ics_link_get_statistics (pair->link[side]);
  guint64 bytes = 0;

  for (IcsPathKind kind = 0; kind < ICS_N_PATH_KINDS; kind++)
    bytes += side == 1 ? ics_statistics_get_sent (sum, kind) : ics_statistics_get_received (sum, kind);
  ck_assert_uint_gt (bytes, bulk);
  ck_assert_uint_eq (ics_statistics_get_datagrams_sent (sum), side);
  ck_assert_uint_eq (ics_statistics_get_datagrams_received (sum), 1 - side);
  ck_assert_uint_eq (ics_statistics_get_datagrams_unsent (sum), 0);
  ck_assert_uint_eq (ics_statistics_get_datagrams_missed (sum), 0);
  ck_assert_uint_ge (ics_statistics_get_n_shifts (sum), 1);
  ck_assert_uint_eq (ics_statistics_get_n_shifts (sum), pair->paths[side]->len - 1);
  ck_assert (ics_statistics_get_rtt_ms (sum) > 0);
  ck_assert (ics_statistics_get_loss (sum) >= 0 && ics_statistics_get_loss (sum) <= 1);
}

START_TEST (test_statistics)
{
  LinkPair pair;
  g_autoptr (GBytes) payload = g_bytes_new_static ("ping", 4);
  g_autoptr (IcsStream) stream = NULL;
  static guint8 bulk[100000];
  gsize n = 0;

  link_pair_init (&pair);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_connected);
  link_pair_run (&pair, link_pair_is_direct);
  ck_assert (ics_link_send_datagram (pair.link[1], payload));
  stream = ics_link_open_stream (pair.link[1], NULL);
  ck_assert (g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (stream)), bulk,
                                        sizeof bulk, NULL, NULL, NULL));
  link_pair_run (&pair, datagram_came);
  link_pair_run (&pair, stream_came);
  ck_assert (g_input_stream_read_all (g_io_stream_get_input_stream (g_queue_peek_head (&pair.streams[0])),
                                      bulk, sizeof bulk, &n, NULL, NULL));
  ck_assert_uint_eq (n, sizeof bulk);
  link_pair_close (&pair, 1, 0, "");
  for (guint side = 0; side < 2; side++)
    assert_statistics (&pair, side, sizeof bulk);
  link_pair_clear (&pair);
}
END_TEST

static guint n_criticals;

static void
count_criticals (const char *domain, GLogLevelFlags level, const char *message, gpointer user_data)
{
  n_criticals += (level & G_LOG_LEVEL_CRITICAL) != 0;
}

/* Without blocking this thread, which runs the channel. */
static gssize
read_byte (IcsStream *stream, GError **error)
{
  GInputStream *in = g_io_stream_get_input_stream (G_IO_STREAM (stream));
  g_autoptr (GAsyncResult) result = NULL;
  char byte;

  g_input_stream_read_async (in, &byte, 1, G_PRIORITY_DEFAULT, NULL, on_result, &result);
  wait_for ((gpointer *)&result);
  return g_input_stream_read_finish (in, result, error);
}

/* A code that QUIC cannot carry is the caller's mistake, and nothing happens; the largest one is carried. */
START_TEST (test_large_codes)
{
  const guint64 largest = (G_GUINT64_CONSTANT (1) << 62) - 1;
  g_autoptr (IcsStream) stream = NULL;
  g_autoptr (GError) error = NULL;
  GLogLevelFlags fatal;
  LinkPair pair;
  const char byte = 1;

  link_pair_init (&pair);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_connected);
  stream = ics_link_open_stream (pair.link[1], NULL);
  ck_assert (g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (stream)), &byte, 1, NULL,
                                        NULL, NULL));
  link_pair_run (&pair, stream_came);
  fatal = g_log_set_always_fatal (G_LOG_FATAL_MASK);
  g_log_set_default_handler (count_criticals, NULL);
  ics_stream_reset (stream, largest + 1);
  ics_link_close_async (pair.link[1], largest + 1, "", NULL, NULL, NULL);
  ck_assert_uint_eq (n_criticals, 2);
  g_log_set_default_handler (g_log_default_handler, NULL);
  g_log_set_always_fatal (fatal);
  ck_assert_int_eq (read_byte (g_queue_peek_head (&pair.streams[0]), NULL), 1);
  ics_stream_reset (stream, largest);
  ck_assert_int_eq (read_byte (g_queue_peek_head (&pair.streams[0]), &error), -1);
  ck_assert (g_error_matches (error, ICS_ERROR, ICS_ERROR_REFUSED));
  link_pair_close (&pair, 1, largest, "enough");
  ck_assert (g_error_matches (pair.error[0], ICS_ERROR, ICS_ERROR_REFUSED));
  link_pair_clear (&pair);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { test_wrong_arguments, 3 },
    { test_close_again, 1 },
    { test_cancel_close, 1 },
    { test_cancel_accept, 1 },
    { test_channel_ends_by_itself, 1 },
    { test_nameplate, 1 },
    { test_wrong_nameplate, 1 },
    { test_fingerprints, 1 },
    { test_statistics, 1 },
    { test_large_codes, 1 },
  };

  return run_loops ("link-interface", tests, G_N_ELEMENTS (tests));
}
