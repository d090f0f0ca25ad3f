/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "forward/1" with real sockets on the loopback. */
#include "base/ics-error.h"
#include "cli/forward.h"
#include "tests/cli-fixture.h"
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static FakeLink *fake;
static GSocketService *echo;
static guint16 echo_port;
static CliForwardServe serve;
static CliForwardConnect connecting;
static FakeSide serve_side;
static FakeSide connect_side;
static char *bound;               /* what the connecting side listens on */
static gboolean (*script) (void); /* runs when the connecting side listens */
static gboolean script_result;

/* Sends back what it got, but only after the client ended its half. */
static gboolean
echo_run (GThreadedSocketService *service, GSocketConnection *connection, GObject *source, gpointer user_data)
{
  g_autoptr (GOutputStream) buffer = g_memory_output_stream_new_resizable ();

  g_output_stream_splice (buffer, g_io_stream_get_input_stream (G_IO_STREAM (connection)),
                          G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL, NULL);
  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)),
                             g_memory_output_stream_get_data (G_MEMORY_OUTPUT_STREAM (buffer)),
                             g_memory_output_stream_get_data_size (G_MEMORY_OUTPUT_STREAM (buffer)), NULL,
                             NULL, NULL);
  return TRUE;
}

static gboolean
work_serve (gpointer data, GCancellable *cancellable, GError **error)
{
  return cli_forward_serve_run (data, cancellable, error);
}

static gpointer
run_script (gpointer data)
{
  script_result = script ();
  g_cancellable_cancel (connect_side.cancellable);
  return NULL;
}

static void
on_listening (const char *bind, const char *name, gpointer user_data)
{
  bound = g_strdup (bind);
  g_thread_unref (g_thread_new ("script", run_script, NULL));
}

static gboolean
work_connect (gpointer data, GCancellable *cancellable, GError **error)
{
  gboolean good = cli_forward_connect_run (data, cancellable, error);

  /* The end of the session, as the link would tell it. */
  cli_stream_queue_end (fake->listener.incoming, NULL);
  return good;
}

static CliListen *
listen_new (const char *spec)
{
  CliListen *listen = cli_listen_parse (spec, NULL);

  ck_assert_ptr_nonnull (listen);
  return listen;
}

static void
setup (void)
{
  g_autofree char *spec = NULL;

  signal (SIGPIPE, SIG_IGN);
  fake = fake_link_new ();
  echo = g_threaded_socket_service_new (100);
  g_signal_connect (echo, "run", G_CALLBACK (echo_run), NULL);
  echo_port = g_socket_listener_add_any_inet_port (G_SOCKET_LISTENER (echo), NULL, NULL);
  ck_assert_uint_ne (echo_port, 0);
  spec = g_strdup_printf ("echo=127.0.0.1:%u", echo_port);
  serve = (CliForwardServe){ .peer = &fake->listener.peer,
                             .targets = g_ptr_array_new_with_free_func ((GDestroyNotify)cli_target_free) };
  g_ptr_array_add (serve.targets, cli_target_parse (spec, NULL));
  g_ptr_array_add (serve.targets, cli_target_parse ("closed=127.0.0.1:1", NULL));
  connecting
      = (CliForwardConnect){ .peer = &fake->joiner.peer,
                             .listens = g_ptr_array_new_with_free_func ((GDestroyNotify)cli_listen_free),
                             .listening = on_listening };
  serve_side = (FakeSide){ .work = work_serve, .data = &serve };
  connect_side = (FakeSide){ .work = work_connect, .data = &connecting };
}

static void
teardown (void)
{
  g_socket_service_stop (echo);
  g_socket_listener_close (G_SOCKET_LISTENER (echo));
  g_clear_object (&echo);
  g_ptr_array_unref (serve.targets);
  g_ptr_array_unref (connecting.listens);
  fake_side_clear (&serve_side);
  fake_side_clear (&connect_side);
  g_clear_pointer (&bound, g_free);
  fake_link_free (fake);
}

/* What comes back for @length bytes, -1 if no connection. */
static gssize
ask (gsize length)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) connection = g_socket_client_connect_to_host (client, bound, 0, NULL, NULL);
  g_autofree guint8 *data = fake_bytes (length, 7);
  g_autofree guint8 *back = g_malloc (length + 1);
  gsize n = 0;

  if (connection == NULL)
    return -1;
  if (g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), data, length, NULL,
                                 NULL, NULL))
    cli_peer_half_close (G_IO_STREAM (connection), NULL);
  g_input_stream_read_all (g_io_stream_get_input_stream (G_IO_STREAM (connection)), back, length + 1, &n,
                           NULL, NULL);
  return memcmp (data, back, MIN (n, length)) == 0 ? (gssize)n : -2;
}

static gint asked_well;

static gpointer
ask_in_thread (gpointer data)
{
  if (ask (100000) == 100000)
    g_atomic_int_inc (&asked_well);
  return NULL;
}

static gboolean
script_echo (void)
{
  GThread *threads[20];

  if (ask (0) != 0 || ask (5) != 5 || ask (3000000) != 3000000)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("ask", ask_in_thread, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  return asked_well == G_N_ELEMENTS (threads);
}

static void
run_listening (const char *spec, gboolean (*with) (void))
{
  script = with;
  g_ptr_array_add (connecting.listens, listen_new (spec));
  fake_run (&serve_side, &connect_side);
  ck_assert (script_result);
  ck_assert (serve_side.good);
}

START_TEST (test_echo)
{
  run_listening ("0:echo", script_echo);
  ck_assert_uint_eq (serve.served, 23);
  ck_assert_uint_eq (serve.refused, 0);
}
END_TEST

/* The target does not answer: the client sees a close, and the session lives on. */
static gboolean
script_closed (void)
{
  return ask (5) <= 0 && ask (5) <= 0;
}

START_TEST (test_unreachable_target)
{
  run_listening ("0:closed", script_closed);
  ck_assert_uint_eq (serve.refused, 2);
}
END_TEST

START_TEST (test_not_offered)
{
  g_ptr_array_add (connecting.listens, listen_new ("0:secret"));
  fake_run (&serve_side, &connect_side);
  ck_assert (g_error_matches (connect_side.error, ICS_ERROR, ICS_ERROR_REFUSED));
}
END_TEST

/* A peer that does not keep to the list, or to the form. */
static const char *const bad_headers[]
    = { "{\"target\":\"secret\"}", "{\"target\":\"127.0.0.1:1\"}", "{\"target\":1}", "{}", "[", "" };

static gboolean
work_intruder (gpointer data, GCancellable *cancellable, GError **error)
{
  CliPeer *peer = &fake->joiner.peer;
  g_autoptr (GIOStream) control
      = cli_control_start (peer, cli_control_new_hello ("connect"), cancellable, error);
  g_autoptr (JsonObject) hello = cli_control_read_hello (control, "serve", cancellable, error);
  g_autoptr (GIOStream) stream = cli_peer_open (peer, CLI_STREAM_FORWARD, 0, cancellable, error);
  guint16 length = GUINT16_TO_BE ((guint16)strlen (data));
  g_autoptr (JsonObject) answer = NULL;

  cli_peer_write_all (g_io_stream_get_output_stream (stream), &length, sizeof length, cancellable, error);
  cli_peer_write_all (g_io_stream_get_output_stream (stream), data, strlen (data), cancellable, error);
  answer = cli_forward_header_read (stream, cancellable, error);
  cli_stream_queue_end (fake->listener.incoming, NULL);
  return answer != NULL && cli_json_string (answer, "error") != NULL && !cli_json_bool (answer, "ok");
}

START_TEST (test_intruder)
{
  FakeSide intruder = { .work = work_intruder, .data = (gpointer)bad_headers[_i] };

  fake_run (&serve_side, &intruder);
  ck_assert (intruder.good);
  ck_assert (serve_side.good);
  ck_assert_uint_eq (serve.served, 0);
  ck_assert_uint_eq (serve.refused, 1);
  fake_side_clear (&intruder);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("cli-forward");
  TCase *tcase = tcase_create ("all");
  SRunner *runner = srunner_create (suite);
  int failed;

  tcase_set_timeout (tcase, 120);
  tcase_add_checked_fixture (tcase, setup, teardown);
  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_echo);
  tcase_add_test (tcase, test_unreachable_target);
  tcase_add_test (tcase, test_not_offered);
  tcase_add_loop_test (tcase, test_intruder, 0, G_N_ELEMENTS (bad_headers));
  srunner_run_all (runner, CK_ENV);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
