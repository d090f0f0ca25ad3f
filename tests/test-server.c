/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The public server object: it serves, it stops, and it leaves nothing behind. */
#include "tests/certificate.h"
#include "tests/suite.h"
#include "tests/wait.h"
#include <glib/gstdio.h>
#include <libsoup/soup.h>
#include <session/ics-server.h>
#include <string.h>

typedef struct
{
  IcsServer *server;
  char *dir; /* of the test, for all files */
  char *url;
  guint listening;
  gboolean stopped;
} World;

static void
on_listening (IcsServer *server, const char *url, World *w)
{
  g_free (w->url);
  w->url = g_strdup (url);
  w->listening++;
}

static void
world_init (World *w)
{
  memset (w, 0, sizeof *w);
  /* Not by g_dir_make_tmp(), which would settle where temporary files go. */
  w->dir = g_mkdtemp (g_strdup ("/tmp/ice-session-test-XXXXXX"));
  ck_assert_ptr_nonnull (w->dir);
}

/* Takes @server. */
static void
start (World *w, IcsServer *server)
{
  g_autoptr (GError) error = NULL;

  w->server = server;
  g_signal_connect (server, "listening", G_CALLBACK (on_listening), w);
  ck_assert_msg (ics_server_start (server, &error), "%s", error != NULL ? error->message : "");
  ck_assert_uint_eq (w->listening, 1);
}

static void
on_stopped (GObject *source, GAsyncResult *result, gpointer data)
{
  World *w = data;

  ck_assert (ics_server_stop_finish (ICS_SERVER (source), result, NULL));
  w->stopped = TRUE;
}

static void
stop (World *w)
{
  ics_server_stop_async (w->server, NULL, on_stopped, w);
  WAIT (is_true, &w->stopped);
}

static void
world_clear (World *w)
{
  g_clear_object (&w->server);
  spin ();
  g_rmdir (w->dir);
  g_free (w->dir);
  g_free (w->url);
}

static gboolean
is_empty (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);

  ck_assert_ptr_nonnull (dir);
  return g_dir_read_name (dir) == NULL;
}

typedef struct
{
  GBytes *body;
  gboolean answered;
} Answer;

static void
on_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  answer->body = soup_session_send_and_read_finish (SOUP_SESSION (source), result, NULL);
  answer->answered = TRUE;
}

/* What /healthz says, or NULL. */
static char *
health (World *w)
{
  g_autofree char *uri = g_strdup_printf ("http%s/healthz", w->url + strlen ("ws"));
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autoptr (SoupMessage) message = soup_message_new ("GET", uri);
  Answer answer = { 0 };
  char *text = NULL;

  soup_session_send_and_read_async (session, message, G_PRIORITY_DEFAULT, NULL, on_answer, &answer);
  WAIT (is_true, &answer.answered);
  if (answer.body != NULL && soup_message_get_status (message) == SOUP_STATUS_OK)
    text = g_strndup (g_bytes_get_data (answer.body, NULL), g_bytes_get_size (answer.body));
  g_clear_pointer (&answer.body, g_bytes_unref);
  soup_session_abort (session);
  return text;
}

static void
assert_serves_until_stopped (World *w, const char *prefix)
{
  g_autofree char *before = health (w);
  g_autofree char *after = NULL;

  ck_assert_msg (g_str_has_prefix (w->url, prefix) && !g_str_has_suffix (w->url, ":0"), "%s", w->url);
  ck_assert_ptr_nonnull (before);
  ck_assert_msg (strstr (before, "\"status\":\"ok\"") != NULL, "%s", before);
  stop (w);
  after = health (w);
  ck_assert_ptr_null (after);
}

static const char *const loopback[] = { "127.0.0.1:0", NULL };
static const char *const no_turn[] = { "none", NULL };

START_TEST (serves_without_turn)
{
  World w;

  world_init (&w);
  start (&w,
         g_object_new (ICS_TYPE_SERVER, "listen", loopback, "turn-uris", no_turn, "state-dir", w.dir, NULL));
  assert_serves_until_stopped (&w, "ws://127.0.0.1:");
  ck_assert (is_empty (w.dir));
  world_clear (&w);
}
END_TEST

/* With the TURN child, where turnserver is installed: its files and itself are gone once the server has
 * stopped. */
START_TEST (leaves_nothing_in_the_state_dir)
{
  g_autofree char *turnserver = g_find_program_in_path ("turnserver");
  World w;

  world_init (&w);
  start (&w, g_object_new (ICS_TYPE_SERVER, "listen", loopback, "state-dir", w.dir, NULL));
  ck_assert (turnserver == NULL || !is_empty (w.dir));
  assert_serves_until_stopped (&w, "ws://127.0.0.1:");
  ck_assert (is_empty (w.dir));
  world_clear (&w);
}
END_TEST

START_TEST (removes_a_state_dir_of_its_own)
{
  World w;

  world_init (&w);
  g_setenv ("TMPDIR", w.dir, TRUE);
  start (&w, g_object_new (ICS_TYPE_SERVER, "listen", loopback, NULL));
  assert_serves_until_stopped (&w, "ws://127.0.0.1:");
  ck_assert (is_empty (w.dir));
  world_clear (&w);
}
END_TEST

START_TEST (serves_over_tls)
{
  g_autofree char *file = NULL;
  World w;

  world_init (&w);
  file = certificate_write (w.dir, "server.pem", "127.0.0.1");
  certificate_trust (file);
  start (&w, g_object_new (ICS_TYPE_SERVER, "listen", loopback, "turn-uris", no_turn, "tls-cert-file", file,
                           "tls-key-file", file, NULL));
  assert_serves_until_stopped (&w, "wss://127.0.0.1:");
  g_unlink (file);
  world_clear (&w);
}
END_TEST

static void
assert_does_not_start (IcsServer *server, GQuark domain, int code)
{
  g_autoptr (GError) error = NULL;

  ck_assert (!ics_server_start (server, &error));
  ck_assert_msg (g_error_matches (error, domain, code), "%s", error->message);
  g_object_unref (server);
}

START_TEST (says_why_it_does_not_start)
{
  static const char *const nowhere[] = { "somewhere:0", NULL };
  const char *taken[] = { NULL, NULL };
  World w;

  world_init (&w);
  start (&w, g_object_new (ICS_TYPE_SERVER, "listen", loopback, "turn-uris", no_turn, NULL));
  taken[0] = w.url + strlen ("ws://");
  assert_does_not_start (g_object_new (ICS_TYPE_SERVER, "listen", taken, "turn-uris", no_turn, NULL),
                         G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  assert_does_not_start (g_object_new (ICS_TYPE_SERVER, "listen", nowhere, "turn-uris", no_turn, NULL),
                         ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT);
  assert_does_not_start (g_object_new (ICS_TYPE_SERVER, "listen", loopback, "tls-cert-file", "x", NULL),
                         ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT);
  stop (&w);
  world_clear (&w);
}
END_TEST

int
main (void)
{
  const TTest *const tests[]
      = { serves_without_turn, leaves_nothing_in_the_state_dir, removes_a_state_dir_of_its_own,
          serves_over_tls,     says_why_it_does_not_start,      NULL };

  return run_suite ("server", tests);
}
