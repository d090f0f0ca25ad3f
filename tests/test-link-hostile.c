/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/channel-proxy.h"
#include "tests/hostile-joiner.h"
#include "tests/link-pair.h"
#include "tests/suite.h"

#include <string.h>

/* A listener whose peer knows the code and means it ill, or whose application does not look. */

static HostileJoiner *joiner;

static gboolean
has_code (LinkPair *pair)
{
  return ics_link_get_code (pair->link[0]) != NULL;
}

static gboolean
joiner_is_ready (LinkPair *pair)
{
  return pair->connected[0] && hostile_joiner_is_ready (joiner);
}

static void
start (LinkPair *pair)
{
  link_pair_init (pair);
  pair->alone = TRUE;
  link_pair_start (pair, FALSE);
  link_pair_run (pair, has_code);
  joiner = hostile_joiner_new (pair->channel[1], ics_link_get_code (pair->link[0]));
  link_pair_run (pair, joiner_is_ready);
}

static gboolean
listener_over (LinkPair *pair)
{
  return pair->closed[0];
}

static void
close_listener (LinkPair *pair)
{
  ics_link_close_async (pair->link[0], 0, "", NULL, NULL, NULL);
  link_pair_run (pair, listener_over);
}

static void
finish (LinkPair *pair)
{
  hostile_joiner_free (joiner);
  link_pair_clear (pair);
}

/* --- attempts without end --- */

#define N_ATTEMPTS 400

static guint most_files;

static guint
count_files (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (dir != NULL && g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static gboolean
attempts_answered (LinkPair *pair)
{
  most_files = MAX (most_files, count_files ());
  return hostile_joiner_get_answered (joiner) >= N_ATTEMPTS + 1;
}

/* Each attempt would open at least one socket. */
START_TEST (test_attempts_are_bounded)
{
  LinkPair pair;

  start (&pair);
  for (guint i = 2; i <= N_ATTEMPTS + 1; i++)
    hostile_joiner_say (joiner, &(IcsControl){ .type = ICS_CONTROL_ICE,
                                               .leg = ICS_LEG_DIRECT,
                                               .attempt = i,
                                               .a = "abcd",
                                               .b = "0123456789012345678901" });
  link_pair_run (&pair, attempts_answered);
  ck_assert_uint_lt (most_files, N_ATTEMPTS);
  ck_assert (!pair.closed[0]);
  close_listener (&pair);
  finish (&pair);
}
END_TEST

/* --- streams opened and given up at once --- */

#define N_STREAMS 1000
#define MOST_WAITING 256

static IcsQuicStream *streams[N_STREAMS];
static guint given_up;
static guint accepted;
static gboolean accepted_all;

/* Each is given up once its byte has left: the listener has it then. */
static gboolean
all_given_up (LinkPair *pair)
{
  while (given_up < N_STREAMS && ics_quic_stream_get_sent (streams[given_up], ICS_PATH_CHANNEL) > 0)
    ics_quic_stream_reset (streams[given_up++], 1);
  return given_up == N_STREAMS;
}

static void
on_accepted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (IcsStream) stream = ics_link_accept_stream_finish (ICS_LINK (source), result, NULL);

  accepted_all = stream == NULL;
  accepted += stream != NULL;
  if (stream != NULL)
    ics_link_accept_stream_async (ICS_LINK (source), NULL, on_accepted, NULL);
}

static gboolean
is_accepted_all (LinkPair *pair)
{
  return accepted_all;
}

START_TEST (test_streams_nobody_takes_are_bounded)
{
  LinkPair pair;

  start (&pair);
  g_signal_handlers_disconnect_matched (pair.link[0], G_SIGNAL_MATCH_ID | G_SIGNAL_MATCH_DATA,
                                        g_signal_lookup ("incoming-stream", ICS_TYPE_LINK), 0, NULL, NULL,
                                        &pair);
  for (guint i = 0; i < N_STREAMS; i++)
    {
      streams[i] = hostile_joiner_open (joiner);
      ics_quic_stream_write (streams[i], "x", 1, FALSE, NULL, NULL);
    }
  link_pair_run (&pair, all_given_up);
  close_listener (&pair);
  ics_link_accept_stream_async (pair.link[0], NULL, on_accepted, NULL);
  link_pair_run (&pair, is_accepted_all);
  ck_assert_uint_gt (accepted, 0);
  ck_assert_uint_le (accepted, MOST_WAITING);
  for (guint i = 0; i < N_STREAMS; i++)
    ics_quic_stream_unref (streams[i]);
  finish (&pair);
}
END_TEST

/* --- an application that does not look --- */

#define N_DATAGRAMS 3000

static gboolean
stream_arrived (LinkPair *pair)
{
  return !g_queue_is_empty (&pair->streams[0]);
}

static void
flood (IcsLink *link)
{
  g_autoptr (GBytes) payload = g_bytes_new_static ("flood", 5);

  for (guint sent = 0; sent < N_DATAGRAMS;)
    if (ics_link_send_datagram (link, payload))
      sent++;
    else
      g_thread_yield ();
}

/* A byte from @from to @to, without the main loop. */
static void
pass_byte (GIOStream *from, GIOStream *to)
{
  guint8 byte = 0;

  ck_assert (g_output_stream_write_all (g_io_stream_get_output_stream (from), "x", 1, NULL, NULL, NULL));
  ck_assert_int_eq (g_input_stream_read (g_io_stream_get_input_stream (to), &byte, 1, NULL, NULL), 1);
}

START_TEST (test_datagrams_nobody_takes_are_bounded)
{
  LinkPair pair;
  g_autoptr (IcsStream) stream = NULL;
  GIOStream *own, *other;

  link_pair_init (&pair);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_connected);
  link_pair_run (&pair, link_pair_is_direct);
  stream = ics_link_open_stream (pair.link[1], NULL);
  own = G_IO_STREAM (stream);
  ck_assert (g_output_stream_write_all (g_io_stream_get_output_stream (own), "x", 1, NULL, NULL, NULL));
  link_pair_run (&pair, stream_arrived);
  other = g_queue_peek_head (&pair.streams[0]);
  ck_assert_int_eq (g_input_stream_skip (g_io_stream_get_input_stream (other), 1, NULL, NULL), 1);
  /* While the main loop does not run; the bytes to and fro tell that the I/O threads have done their work. */
  flood (pair.link[1]);
  pass_byte (own, other);
  for (guint i = 0; i < 5; i++)
    {
      pass_byte (other, own);
      pass_byte (own, other);
    }
  link_pair_close (&pair, 1, 0, "");
  ck_assert_uint_gt (pair.datagrams[0].length, 0);
  ck_assert_uint_le (pair.datagrams[0].length, N_DATAGRAMS / 3);
  link_pair_clear (&pair);
}
END_TEST

/* --- ends --- */

/* A reason of any length and content reaches the other host as a reason. */
START_TEST (test_unfit_reason)
{
  LinkPair pair;
  g_autofree char *reason = g_strnfill (20000, _i == 0 ? 'x' : '\x01');

  memcpy (reason, "so\xff", 3);
  link_pair_init (&pair);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_connected);
  link_pair_close (&pair, 1, 42, reason);
  ck_assert_msg (g_error_matches (pair.error[0], ICS_ERROR, ICS_ERROR_REFUSED), "%s", pair.error[0]->message);
  ck_assert_ptr_nonnull (strstr (pair.error[0]->message, "so\ufffd"));
  ck_assert_ptr_null (strchr (pair.error[0]->message, '\x01'));
  link_pair_clear (&pair);
}
END_TEST

/* --- the application's channel --- */

static gsize heard;

static void
on_heard (IcsChannel *channel, IcsChannelKind kind, GBytes *message, gpointer user_data)
{
  heard += g_bytes_get_size (message);
}

static void
iterate (GMainContext *context)
{
  while (g_main_context_iteration (context, FALSE))
    continue;
}

/* A channel that delivers faster than the I/O thread takes: what waits is bounded. Closed, the channel is let
 * go where it lives. */
START_TEST (test_channel_flood)
{
  g_autoptr (GMainContext) io = g_main_context_new ();
  g_autoptr (GBytes) message = g_bytes_new_take (g_malloc0 (65536), 65536);
  g_autoptr (IcsChannel) proxy = NULL;
  MemoryChannel *ends[2];
  gpointer alive;

  memory_channel_new_pair (&ends[0], &ends[1]);
  proxy = ics_channel_proxy_new (ICS_CHANNEL (ends[0]), g_main_context_default ());
  g_main_context_push_thread_default (io);
  ics_channel_start (proxy);
  g_main_context_pop_thread_default (io);
  g_signal_connect (proxy, "message", G_CALLBACK (on_heard), NULL);
  iterate (NULL);
  for (guint round = 0; round < 2; round++)
    {
      heard = 0;
      for (guint i = 0; i < 500; i++)
        memory_channel_inject (ends[0], ICS_CHANNEL_DATA, message);
      iterate (NULL);
      iterate (io);
      ck_assert_uint_gt (heard, 1024 * 1024);
      ck_assert_uint_le (heard, 4 * 1024 * 1024);
    }
  alive = ends[0];
  g_object_add_weak_pointer (G_OBJECT (ends[0]), &alive);
  g_object_unref (ends[0]);
  ics_channel_close (proxy);
  iterate (NULL);
  ck_assert_ptr_null (alive);
  ics_channel_send (proxy, ICS_CHANNEL_SIGNAL, message);
  iterate (NULL);
  iterate (io);
  g_object_unref (ends[1]);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { test_attempts_are_bounded, 1 },
    { test_streams_nobody_takes_are_bounded, 1 },
    { test_datagrams_nobody_takes_are_bounded, 1 },
    { test_unfit_reason, 2 },
    { test_channel_flood, 1 },
  };

  return run_loops ("link-hostile", tests, G_N_ELEMENTS (tests));
}
