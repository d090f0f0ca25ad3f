/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tunnel to a TURN server, with real sockets and a real TLS server. */
#include "tests/certificate.h"
#include "tests/suite.h"
#include "tests/turn-bytes.h"
#include "tests/turn-peer.h"
#include "tests/wait.h"
#include "turn-fallback/turn-tunnel.h"
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQUEST_LEN 28 /* of turn_append_allocate() */
#define BULK (4 * 1024 * 1024)

typedef struct
{
  TurnPeer *peer;
  IcsTurnTunnel *tunnel;
  GPtrArray *notes;
  guint16 port;
  gboolean ended;
  GSocketConnection *client;
  GByteArray *got;
  gsize wanted;
  guint8 buffer[65536];
  gboolean over, stopped; /* the end of what comes in; nothing is read */
} World;

static void
on_ready (guint16 port, gpointer data)
{
  ((World *)data)->port = port;
}

static void
on_ended (gpointer data)
{
  ((World *)data)->ended = TRUE;
}

static void
on_note (const char *line, gpointer data)
{
  g_ptr_array_add (((World *)data)->notes, g_strdup (line));
}

static void
world_start (World *w, guint16 port, IcsTurnTransport transport, const IcsTurnTunnelConfig *more)
{
  static const IcsTurnTunnelCallbacks callbacks = { .ready = on_ready, .ended = on_ended, .note = on_note };
  IcsTurnServer server = { .host = (char *)"127.0.0.1", .port = port, .transport = transport };
  IcsTurnTunnelConfig config = { 0 };

  if (more != NULL)
    config = *more;
  config.server = &server;
  w->notes = g_ptr_array_new_with_free_func (g_free);
  w->got = g_byte_array_new ();
  w->tunnel = ics_turn_tunnel_new (&config, &callbacks, w);
}

static void
world_clear (World *w)
{
  g_clear_pointer (&w->tunnel, ics_turn_tunnel_free);
  while (!w->stopped && w->client != NULL)
    g_main_context_iteration (NULL, TRUE);
  g_clear_object (&w->client);
  spin ();
  g_clear_pointer (&w->peer, turn_peer_stop);
  g_ptr_array_unref (w->notes);
  g_byte_array_unref (w->got);
}

static void
expect_note (World *w, const char *part)
{
  for (guint i = 0; i < w->notes->len; i++)
    if (strstr (w->notes->pdata[i], part) != NULL)
      return;
  for (guint i = 0; i < w->notes->len; i++)
    g_printerr ("note: %s\n", (char *)w->notes->pdata[i]);
  ck_abort_msg ("no note says: %s", part);
}

static gboolean
is_ready (gpointer w)
{
  return ((World *)w)->port != 0;
}

static gboolean
has_ended (gpointer w)
{
  return ((World *)w)->ended;
}

static gboolean
has_all (gpointer data)
{
  World *w = data;

  return w->got->len >= w->wanted;
}

/* --- the client --- */

static void
on_read (GObject *source, GAsyncResult *result, gpointer data)
{
  World *w = data;
  gssize n = g_input_stream_read_finish (G_INPUT_STREAM (source), result, NULL);

  if (n <= 0)
    {
      w->over = w->stopped = TRUE;
      return;
    }
  g_byte_array_append (w->got, w->buffer, (guint)n);
  g_input_stream_read_async (G_INPUT_STREAM (source), w->buffer, sizeof w->buffer, G_PRIORITY_DEFAULT, NULL,
                             on_read, w);
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer data)
{
  World *w = data;

  w->client = g_socket_client_connect_finish (G_SOCKET_CLIENT (source), result, NULL);
  ck_assert_ptr_nonnull (w->client);
  g_input_stream_read_async (g_io_stream_get_input_stream (G_IO_STREAM (w->client)), w->buffer,
                             sizeof w->buffer, G_PRIORITY_DEFAULT, NULL, on_read, w);
}

static gboolean
has_client (gpointer w)
{
  return ((World *)w)->client != NULL;
}

static void
connect_client (World *w)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();

  g_socket_client_set_enable_proxy (client, FALSE);
  WAIT (is_ready, w);
  g_socket_client_connect_to_host_async (client, "127.0.0.1", w->port, NULL, on_connected, w);
  WAIT (has_client, w);
}

static void
on_written (GObject *source, GAsyncResult *result, gpointer done)
{
  g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL, NULL);
  set_true (done);
}

static void
client_write (World *w, GByteArray *bytes)
{
  gboolean done = FALSE;

  g_output_stream_write_all_async (g_io_stream_get_output_stream (G_IO_STREAM (w->client)), bytes->data,
                                   bytes->len, G_PRIORITY_DEFAULT, NULL, on_written, &done);
  WAIT (is_true, &done);
}

static void
client_ask (World *w)
{
  g_autoptr (GByteArray) request = g_byte_array_new ();

  turn_append_allocate (request);
  ck_assert_uint_eq (request->len, REQUEST_LEN);
  client_write (w, request);
}

/* --- scripts --- */

static void
append_bulk (GByteArray *bytes)
{
  while (bytes->len < BULK)
    turn_append_channel_data (bytes, 1000 + bytes->len % 400);
}

/* Allocates, sends much, and gives all back that comes. */
static void
relay (GIOStream *stream, G_GNUC_UNUSED gpointer data)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint8 buffer[65536];
  gssize n;

  turn_peer_read (stream, REQUEST_LEN);
  turn_append_success (bytes);
  append_bulk (bytes);
  turn_peer_write (stream, bytes);
  while ((n = g_input_stream_read (g_io_stream_get_input_stream (stream), buffer, sizeof buffer, NULL, NULL))
         > 0)
    g_output_stream_write_all (g_io_stream_get_output_stream (stream), buffer, (gsize)n, NULL, NULL, NULL);
}

/* Says what it is given, and goes. */
static void
recite (GIOStream *stream, gpointer bytes)
{
  turn_peer_read (stream, REQUEST_LEN);
  turn_peer_write (stream, bytes);
}

/* The same, but stays until the client goes. */
static void
recite_and_stay (GIOStream *stream, gpointer bytes)
{
  recite (stream, bytes);
  turn_peer_read (stream, 1);
}

static void
swallow (GIOStream *stream, G_GNUC_UNUSED gpointer data)
{
  turn_peer_read (stream, BULK);
}

/* --- tests --- */

typedef struct
{
  char *dir, *own, *other, *elsewhere;
} Certificates;

static void
certificates_init (Certificates *c)
{
  c->dir = g_dir_make_tmp ("ice-session-test-XXXXXX", NULL);
  ck_assert_ptr_nonnull (c->dir);
  c->own = certificate_write (c->dir, "own.pem", "127.0.0.1");
  c->other = certificate_write (c->dir, "other.pem", "127.0.0.1");
  c->elsewhere = certificate_write (c->dir, "elsewhere.pem", "127.0.0.2");
}

static void
certificates_clear (Certificates *c)
{
  g_unlink (c->own);
  g_unlink (c->other);
  g_unlink (c->elsewhere);
  g_rmdir (c->dir);
  g_free (c->dir);
  g_free (c->own);
  g_free (c->other);
  g_free (c->elsewhere);
}

/* 4 MiB down at once and 4 MiB up and back, exact; 0: TCP, 1: TLS. */
START_TEST (carries_exactly)
{
  g_autoptr (GByteArray) sent = g_byte_array_new (), expected = g_byte_array_new ();
  Certificates c;
  World w = { 0 };

  certificates_init (&c);
  w.peer = turn_peer_start (_i == 1 ? c.own : NULL, relay, NULL);
  if (_i == 1)
    certificate_trust (c.own);
  world_start (&w, turn_peer_get_port (w.peer), _i == 1 ? ICS_TURN_TLS : ICS_TURN_TCP, NULL);
  connect_client (&w);
  client_ask (&w);
  append_bulk (sent);
  client_write (&w, sent);
  turn_append_success (expected);
  append_bulk (expected);
  g_byte_array_append (expected, sent->data, sent->len);
  w.wanted = expected->len;
  WAIT (has_all, &w);
  ck_assert_uint_eq (w.got->len, expected->len);
  ck_assert_mem_eq (w.got->data, expected->data, expected->len);
  expect_note (&w, "connected to turn");
  world_clear (&w);
  certificates_clear (&c);
}
END_TEST

static void
expect_end (World *w, const char *why)
{
  WAIT (has_ended, w);
  expect_note (w, why);
  world_clear (w);
}

START_TEST (certificate_is_checked)
{
  static const struct
  {
    gboolean elsewhere;
    const char *trusts; /* "own", "other" */
    const char *why;    /* NULL: all is well */
  } cases[] = {
    { FALSE, "own", NULL },
    { FALSE, "other", "its certificate is not trusted" },
    { FALSE, NULL, "its certificate is not trusted" },
    { TRUE, "own", "its certificate is for another host name than 127.0.0.1" },
  };
  g_autoptr (GTlsDatabase) ca = NULL;
  IcsTurnTunnelConfig config = { 0 };
  Certificates c;
  World w = { 0 };
  const char *served;

  certificates_init (&c);
  served = cases[_i].elsewhere ? c.elsewhere : c.own;
  if (cases[_i].trusts != NULL)
    ca = g_tls_file_database_new (g_str_equal (cases[_i].trusts, "other") ? c.other : served, NULL);
  config.ca = ca;
  w.peer = turn_peer_start (served, relay, NULL);
  world_start (&w, turn_peer_get_port (w.peer), ICS_TURN_TLS, &config);
  if (cases[_i].why != NULL)
    expect_end (&w, cases[_i].why);
  else
    {
      WAIT (is_ready, &w);
      world_clear (&w);
    }
  certificates_clear (&c);
}
END_TEST

START_TEST (nobody_listens)
{
  World w = { 0 };

  w.peer = turn_peer_start (NULL, relay, NULL);
  world_start (&w, turn_peer_get_port (w.peer), ICS_TURN_TCP, NULL);
  turn_peer_stop (g_steal_pointer (&w.peer));
  g_clear_pointer (&w.tunnel, ics_turn_tunnel_free);
  g_ptr_array_unref (w.notes);
  g_byte_array_unref (w.got);
  memset (&w, 0, sizeof w);
  world_start (&w, 1, ICS_TURN_TCP, NULL);
  expect_end (&w, "Connection refused");
}
END_TEST

/* It takes the connection and never says a word of TLS. */
START_TEST (silent_server)
{
  IcsTurnTunnelConfig config = { .timeout_ms = 100 };
  World w = { 0 };

  w.peer = turn_peer_start (NULL, swallow, NULL);
  world_start (&w, turn_peer_get_port (w.peer), ICS_TURN_TLS, &config);
  expect_end (&w, "no answer in time");
}
END_TEST

/* Another process may find the port: it gets nothing, and the client is not disturbed. */
START_TEST (stranger_is_turned_away)
{
  g_autoptr (GByteArray) words = g_byte_array_new ();
  pid_t child;
  int status;
  World w = { 0 };

  turn_append_success (words);
  w.peer = turn_peer_start (NULL, recite_and_stay, words);
  world_start (&w, turn_peer_get_port (w.peer), ICS_TURN_TCP, NULL);
  WAIT (is_ready, &w);
  child = fork ();
  if (child == 0)
    {
      struct sockaddr_in address = { .sin_family = AF_INET,
                                     .sin_port = g_htons (w.port),
                                     .sin_addr.s_addr = g_htonl (INADDR_LOOPBACK) };
      int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      char byte;

      if (connect (fd, (struct sockaddr *)&address, sizeof address) != 0)
        _exit (1);
      _exit (recv (fd, &byte, 1, 0) <= 0 ? 0 : 2);
    }
  ck_assert_int_gt (child, 0);
  while (waitpid (child, &status, WNOHANG) == 0)
    g_main_context_iteration (NULL, FALSE);
  ck_assert_int_eq (status, 0);
  ck_assert (!w.ended);
  connect_client (&w);
  client_ask (&w);
  w.wanted = words->len;
  WAIT (has_all, &w);
  world_clear (&w);
}
END_TEST

/* One connection, and no more listening. */
START_TEST (listens_once)
{
  g_autoptr (GByteArray) words = g_byte_array_new ();
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  World w = { 0 };

  turn_append_success (words);
  w.peer = turn_peer_start (NULL, recite_and_stay, words);
  world_start (&w, turn_peer_get_port (w.peer), ICS_TURN_TCP, NULL);
  connect_client (&w);
  client_ask (&w);
  w.wanted = words->len;
  WAIT (has_all, &w);
  ck_assert_ptr_null (g_socket_client_connect_to_host (client, "127.0.0.1", w.port, NULL, NULL));
  world_clear (&w);
}
END_TEST

START_TEST (reasons_are_told)
{
  static const struct
  {
    guint codes[3];
    const char *words; /* instead */
    const char *why;
  } cases[] = {
    { .codes = { 401, 401 }, .why = "refused: wrong or expired credentials (401)" },
    { .codes = { 401, 486 }, .why = "refused: this user has as many allocations as it allows (486)" },
    { .codes = { 401 }, .why = "broke during the allocation: the server closed it" },
    { .words = "HTTP/1.1 400 Bad Request\r\n\r\n", .why = "is no TURN server" },
  };
  g_autoptr (GByteArray) words = g_byte_array_new ();
  World w = { 0 };

  for (guint i = 0; cases[_i].codes[i] != 0; i++)
    turn_append_error (words, ICS_TURN_ALLOCATE, cases[_i].codes[i], 0, 0);
  if (cases[_i].words != NULL)
    g_byte_array_append (words, (const guint8 *)cases[_i].words, (guint)strlen (cases[_i].words));
  w.peer = turn_peer_start (NULL, recite, words);
  world_start (&w, turn_peer_get_port (w.peer), ICS_TURN_TCP, NULL);
  connect_client (&w);
  client_ask (&w);
  WAIT (has_ended, &w);
  ck_assert (ics_turn_tunnel_was_refused (w.tunnel) == (cases[_i].codes[0] != 0));
  expect_end (&w, cases[_i].why);
}
END_TEST

/* The client asks once, and the other server answers it. */
START_TEST (redirection_is_followed)
{
  g_autoptr (GByteArray) first = g_byte_array_new (), second = g_byte_array_new ();
  TurnPeer *elsewhere;
  Certificates c;
  World w = { 0 };

  certificates_init (&c);
  certificate_trust (c.own);
  turn_append_success (second);
  elsewhere = turn_peer_start (_i == 1 ? c.own : NULL, recite_and_stay, second);
  turn_append_error (first, ICS_TURN_ALLOCATE, 300, INADDR_LOOPBACK, turn_peer_get_port (elsewhere));
  w.peer = turn_peer_start (_i == 1 ? c.own : NULL, recite_and_stay, first);
  world_start (&w, turn_peer_get_port (w.peer), _i == 1 ? ICS_TURN_TLS : ICS_TURN_TCP, NULL);
  connect_client (&w);
  client_ask (&w);
  w.wanted = second->len;
  WAIT (has_all, &w);
  ck_assert_mem_eq (w.got->data, second->data, second->len);
  expect_note (&w, "sends us to 127.0.0.1, port");
  world_clear (&w);
  turn_peer_stop (elsewhere);
  certificates_clear (&c);
}
END_TEST

/* To itself, again and again; and to where it must not. */
START_TEST (redirection_is_bounded)
{
  g_autoptr (GByteArray) words = g_byte_array_new ();
  World w = { 0 };

  w.peer = turn_peer_start (NULL, recite_and_stay, words);
  turn_append_error (words, ICS_TURN_ALLOCATE, 300, _i == 0 ? INADDR_LOOPBACK : INADDR_ANY,
                     turn_peer_get_port (w.peer));
  world_start (&w, turn_peer_get_port (w.peer), ICS_TURN_TCP, NULL);
  connect_client (&w);
  client_ask (&w);
  expect_end (&w, _i == 0 ? "we were sent once already" : "where we do not go");
}
END_TEST

/* Freed after every possible number of steps. */
START_TEST (freed_at_any_time)
{
  for (guint n = 0; n < 40; n++)
    {
      World w = { .stopped = TRUE };

      w.peer = turn_peer_start (NULL, relay, NULL);
      world_start (&w, turn_peer_get_port (w.peer), ICS_TURN_TCP, NULL);
      for (guint i = 0; i < n && !w.ended; i++)
        g_main_context_iteration (NULL, n < 20 && w.port == 0);
      if (w.port != 0)
        connect_client (&w);
      w.stopped = w.client == NULL;
      world_clear (&w);
    }
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { carries_exactly, 2 },   { certificate_is_checked, 4 },  { nobody_listens, 1 },
    { silent_server, 1 },     { stranger_is_turned_away, 1 }, { listens_once, 1 },
    { reasons_are_told, 4 },  { redirection_is_followed, 2 }, { redirection_is_bounded, 2 },
    { freed_at_any_time, 1 },
  };

  return run_loops ("turn tunnel", tests, G_N_ELEMENTS (tests));
}
