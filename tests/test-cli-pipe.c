/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "pipe/1", what it stands on, and the event stream. */
#include "base/ics-error.h"
#include "cli/events.h"
#include "cli/frame.h"
#include "cli/pipe-run.h"
#include "cli/pump.h"
#include "cli/stripe.h"
#include "tests/cli-fixture.h"
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One host: its pipe, and the application at its local end. */
typedef struct
{
  CliPipe pipe;
  GIOStream *local; /* the pipe's */
  GIOStream *app;
  FakeSide side;
  guint8 *output; /* what the application gets */
  gsize n_output;
} Host;

static FakeLink *fake;
static Host hosts[2];

static GIOStream *
open_local (gpointer user_data, GCancellable *cancellable, GError **error)
{
  return g_object_ref (((Host *)user_data)->local);
}

static gboolean
work_pipe (gpointer data, GCancellable *cancellable, GError **error)
{
  return cli_pipe_run (data, cancellable, error);
}

static void
setup (void)
{
  signal (SIGPIPE, SIG_IGN);
  fake = fake_link_new ();
  memset (hosts, 0, sizeof hosts);
  for (guint i = 0; i < 2; i++)
    {
      Host *host = &hosts[i];

      fake_socketpair (&host->local, &host->app);
      host->pipe = (CliPipe){ .peer = i == 0 ? &fake->joiner.peer : &fake->listener.peer,
                              .open = open_local,
                              .open_data = host };
      host->side = (FakeSide){ .work = work_pipe, .data = &host->pipe };
    }
}

static void
teardown (void)
{
  for (guint i = 0; i < 2; i++)
    {
      cli_totals_clear (&hosts[i].pipe.sent);
      cli_totals_clear (&hosts[i].pipe.received);
      fake_side_clear (&hosts[i].side);
      g_clear_object (&hosts[i].local);
      g_clear_object (&hosts[i].app);
      g_clear_pointer (&hosts[i].output, g_free);
    }
  fake_link_free (fake);
}

typedef struct
{
  Host *host;
  const guint8 *data;
  gsize length;
} Feed;

static gpointer
feed (gpointer user_data)
{
  Feed *self = user_data;

  g_output_stream_write_all (g_io_stream_get_output_stream (self->host->app), self->data, self->length, NULL,
                             NULL, NULL);
  cli_peer_half_close (self->host->app, NULL);
  return NULL;
}

static gpointer
drain (gpointer user_data)
{
  Host *host = user_data;
  g_autoptr (GOutputStream) out = g_memory_output_stream_new_resizable ();
  CliPump pump = { .in = g_io_stream_get_input_stream (host->app), .out = out };

  cli_pump_run (&pump, NULL, NULL);
  g_output_stream_close (out, NULL, NULL);
  host->n_output = g_memory_output_stream_get_data_size (G_MEMORY_OUTPUT_STREAM (out));
  host->output = g_memory_output_stream_steal_data (G_MEMORY_OUTPUT_STREAM (out));
  return NULL;
}

static void
check_good (void)
{
  for (guint i = 0; i < 2; i++)
    if (hosts[i].side.error != NULL)
      ck_abort_msg ("host %u: %s", i, hosts[i].side.error->message);
}

static const struct
{
  gsize up;
  gsize down;
} amounts[]
    = { { 0, 0 }, { 3, 0 }, { 0, 3 }, { 3 * 1024 * 1024 + 5, 3 * 1024 * 1024 + 9 }, { 2 * 1024 * 1024, 1 } };

START_TEST (test_both_ways)
{
  gsize lengths[2] = { amounts[_i].up, amounts[_i].down };
  g_autofree guint8 *data0 = fake_bytes (lengths[0], 1);
  g_autofree guint8 *data1 = fake_bytes (lengths[1], 2);
  const guint8 *data[2] = { data0, data1 };
  Feed feeds[2];
  GThread *threads[4];

  for (guint i = 0; i < 2; i++)
    {
      feeds[i] = (Feed){ &hosts[i], data[i], lengths[i] };
      threads[2 * i] = g_thread_new ("feed", feed, &feeds[i]);
      threads[2 * i + 1] = g_thread_new ("drain", drain, &hosts[i]);
    }
  fake_run (&hosts[0].side, &hosts[1].side);
  for (guint i = 0; i < 4; i++)
    g_thread_join (threads[i]);
  check_good ();
  for (guint i = 0; i < 2; i++)
    {
      ck_assert_uint_eq (hosts[i].n_output, lengths[1 - i]);
      ck_assert (lengths[1 - i] == 0 || memcmp (hosts[i].output, data[1 - i], lengths[1 - i]) == 0);
      ck_assert_str_eq (hosts[i].pipe.sent.sha256, hosts[1 - i].pipe.received.sha256);
    }
}
END_TEST

/* The second host answers only when it has seen the end of the first one's data. */
static gpointer
answer_after_end (gpointer user_data)
{
  Host *host = user_data;
  Feed answer = { host, (const guint8 *)"answer", 6 };

  drain (host);
  feed (&answer);
  return NULL;
}

START_TEST (test_half_close)
{
  Feed question = { &hosts[0], (const guint8 *)"question", 8 };
  GThread *threads[2];

  feed (&question);
  threads[0] = g_thread_new ("drain", drain, &hosts[0]);
  threads[1] = g_thread_new ("answer", answer_after_end, &hosts[1]);
  fake_run (&hosts[0].side, &hosts[1].side);
  g_thread_join (threads[0]);
  g_thread_join (threads[1]);
  check_good ();
  ck_assert_uint_eq (hosts[1].n_output, 8);
  ck_assert_uint_eq (hosts[0].n_output, 6);
  ck_assert_int_eq (memcmp (hosts[0].output, "answer", 6), 0);
}
END_TEST

/* The application at one end is gone: a local error there, a refusal at the other. */
START_TEST (test_closed_output)
{
  gsize length = 8 * 1024 * 1024;
  g_autofree guint8 *data = fake_bytes (length, 3);
  Feed much = { &hosts[0], data, length };
  GThread *thread;

  g_io_stream_close (hosts[1].app, NULL, NULL);
  thread = g_thread_new ("feed", feed, &much);
  fake_run (&hosts[0].side, &hosts[1].side);
  g_io_stream_close (hosts[0].local, NULL, NULL);
  g_thread_join (thread);
  ck_assert (hosts[1].side.error->domain != ICS_ERROR);
  ck_assert_ptr_nonnull (strstr (hosts[1].side.error->message, "cannot write the output"));
  ck_assert_msg (g_error_matches (hosts[0].side.error, ICS_ERROR, ICS_ERROR_REFUSED), "%s",
                 hosts[0].side.error->message);
  ck_assert_ptr_nonnull (strstr (hosts[0].side.error->message, "cannot write the output"));
}
END_TEST

/* A peer that says it got something else. */
static gboolean
work_liar (gpointer data, GCancellable *cancellable, GError **error)
{
  CliPeer *peer = &fake->listener.peer;
  JsonObject *hello = cli_control_new_hello ("pipe");
  JsonObject *verdict = cli_frame_new ("verdict");
  g_autoptr (GIOStream) control = NULL;
  g_autoptr (CliStripes) stripes = NULL;
  g_autoptr (GOutputStream) out = NULL;

  cli_stripes_describe (hello);
  json_object_set_string_member (verdict, "sha256", "00");
  control = cli_control_start (peer, hello, cancellable, error);
  stripes = cli_stripes_accept (peer, CLI_STRIPE_COUNT, CLI_STRIPE_BLOCK, cancellable, error);
  out = cli_stripes_new_output (stripes);
  g_output_stream_close (out, NULL, NULL);
  cli_frame_write (control, verdict, cancellable, error);
  cli_control_farewell (control, cancellable);
  return TRUE;
}

START_TEST (test_wrong_verdict)
{
  FakeSide liar = { .work = work_liar };
  Feed question = { &hosts[0], (const guint8 *)"question", 8 };

  feed (&question);
  fake_run (&hosts[0].side, &liar);
  ck_assert (g_error_matches (hosts[0].side.error, ICS_ERROR, ICS_ERROR_INTEGRITY));
  fake_side_clear (&liar);
}
END_TEST

START_TEST (test_apportion)
{
  guint64 sum = 0;
  guint64 counts[][ICS_N_PATH_KINDS]
      = { { 0, 0, 0 }, { 10, 0, 90 }, { 1, 1, 1 }, { G_MAXINT64 / 4, 5, G_MAXINT64 / 4 }, { 0, 0, 7 } };

  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    {
      cli_stripes_apportion (97, counts[i]);
      sum = counts[i][0] + counts[i][1] + counts[i][2];
      ck_assert_uint_eq (sum, 97);
    }
  ck_assert_uint_eq (counts[1][ICS_PATH_TURN], 0);
  ck_assert_uint_eq (counts[4][ICS_PATH_DIRECT], 97);
}
END_TEST

static void
note_lost (const GError *error, gpointer user_data)
{
  ck_assert (error->domain == G_IO_ERROR);
  g_atomic_int_set ((gint *)user_data, 1);
}

START_TEST (test_event_lines)
{
  g_autoptr (CliEvents) events = cli_events_new (g_get_monotonic_time ());
  JsonObject *event = cli_event_new ("code");
  g_autoptr (JsonObject) parsed = NULL;
  char line[256] = { 0 };
  int fds[2];
  gint64 at;

  ck_assert_int_eq (pipe (fds), 0);
  cli_events_add_fd (events, fds[1]);
  json_object_set_string_member (event, "code", "9-river\n-lamp");
  cli_events_emit (events, event);
  ck_assert (cli_events_flush (events, NULL));
  ck_assert_int_gt (read (fds[0], line, sizeof line - 1), 0);
  ck_assert_ptr_eq (strchr (line, '\n'), line + strlen (line) - 1);
  ck_assert (g_str_has_prefix (line, "{\"v\":1,\"type\":\"code\","));
  parsed = cli_json_parse (line, strlen (line));
  ck_assert_str_eq (cli_json_string (parsed, "code"), "9-river\n-lamp");
  ck_assert (cli_json_int (parsed, "at_ms", 0, 60000, &at));
  close (fds[0]);
  close (fds[1]);
}
END_TEST

START_TEST (test_lost_reader)
{
  g_autoptr (CliEvents) events = cli_events_new (0);
  g_autoptr (GError) error = NULL;
  gint lost = 0;
  int fds[2];

  ck_assert_int_eq (pipe (fds), 0);
  close (fds[0]);
  cli_events_add_fd (events, fds[1]);
  cli_events_set_lost (events, note_lost, &lost);
  cli_events_emit (events, cli_event_new ("code"));
  fake_wait (&lost);
  ck_assert (!cli_events_flush (events, &error));
  ck_assert_ptr_nonnull (error);
  close (fds[1]);
}
END_TEST

/* A reader that lags gets few progress lines, but is not given up for them, and gets all else. */
START_TEST (test_lagging_reader)
{
  g_autoptr (CliEvents) events = cli_events_new (0);
  GString *text = g_string_new (NULL);
  guint lines = 0;
  int fds[2];

  ck_assert_int_eq (pipe (fds), 0);
  cli_events_add_fd (events, fds[1]);
  for (guint i = 0; i < 100000; i++)
    cli_events_emit (events, cli_event_new ("progress"));
  cli_events_emit (events, cli_event_new ("done"));
  while (strstr (text->str, "\"done\"") == NULL)
    {
      char buffer[4096];
      ssize_t n = read (fds[0], buffer, sizeof buffer);

      ck_assert_int_gt (n, 0);
      g_string_append_len (text, buffer, n);
    }
  ck_assert (cli_events_flush (events, NULL));
  for (const char *p = strchr (text->str, '\n'); p != NULL; p = strchr (p + 1, '\n'))
    lines++;
  ck_assert_uint_lt (lines, 50000);
  close (fds[0]);
  close (fds[1]);
  g_string_free (text, TRUE);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("cli-pipe");
  TCase *tcase = tcase_create ("all");
  SRunner *runner = srunner_create (suite);
  int failed;

  tcase_set_timeout (tcase, 120);
  tcase_add_checked_fixture (tcase, setup, teardown);
  suite_add_tcase (suite, tcase);
  tcase_add_loop_test (tcase, test_both_ways, 0, G_N_ELEMENTS (amounts));
  tcase_add_test (tcase, test_half_close);
  tcase_add_test (tcase, test_closed_output);
  tcase_add_test (tcase, test_wrong_verdict);
  tcase_add_test (tcase, test_apportion);
  tcase_add_test (tcase, test_event_lines);
  /* again and again: the writer and the main loop race here */
  tcase_add_loop_test (tcase, test_lost_reader, 0, 100);
  tcase_add_test (tcase, test_lagging_reader);
  srunner_run_all (runner, CK_ENV);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
