/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wss://: a client talks only to a server whose certificate it trusts for that host. */
#include "tests/certificate.h"
#include "tests/suite.h"
#include "tests/ws-fixture.h"
#include <glib/gstdio.h>
#include <string.h>

typedef struct
{
  Server server;
  char *dir;
  char *own;   /* the server's certificate */
  char *other; /* one that no server has */
} World;

/* A server with a certificate for @address. */
static void
world_init (World *w, const char *address)
{
  g_autoptr (GError) error = NULL;

  memset (w, 0, sizeof *w);
  w->dir = g_dir_make_tmp ("ice-session-test-XXXXXX", NULL);
  ck_assert_ptr_nonnull (w->dir);
  w->own = certificate_write (w->dir, "own.pem", address);
  w->other = certificate_write (w->dir, "other.pem", address);
  w->server.certificate = g_tls_certificate_new_from_file (w->own, &error);
  ck_assert_msg (w->server.certificate != NULL, "%s", error != NULL ? error->message : "");
  server_start (&w->server, NULL);
}

static void
world_clear (World *w)
{
  server_end (&w->server);
  g_clear_object (&w->server.certificate);
  g_unlink (w->own);
  g_unlink (w->other);
  g_rmdir (w->dir);
  g_free (w->own);
  g_free (w->other);
  g_free (w->dir);
}

START_TEST (trusted_server_relays)
{
  g_autofree char *local = NULL, *remote = NULL, *expected = NULL;
  World w;
  Client a, b;

  world_init (&w, "127.0.0.1");
  certificate_trust (w.own);
  ck_assert (g_str_has_prefix (w.server.uri, "wss://"));
  pair_at (w.server.uri, w.server.uri, &a, &b);
  ck_assert (send_text (&a, "to b"));
  ck_assert (send_data (&b, 0, 60000));
  WAIT (has_signal, &b);
  WAIT (has_data, &a);
  ck_assert_mem_eq (g_bytes_get_data (b.signals->pdata[0], NULL), "to b", 4);
  ck_assert_uint_eq (a.data_bytes, 60000);
  ics_channel_get_addresses (ICS_CHANNEL (a.channel), &local, &remote);
  expected = g_strdup_printf ("127.0.0.1:%u", w.server.port);
  ck_assert_str_eq (remote, expected);
  client_end (&b);
  assert_error (&a, ICS_ERROR_LINK_LOST);
  ck_assert (ics_ws_channel_peer_left (a.channel));
  client_end (&a);
  world_clear (&w);
}
END_TEST

static void
assert_unreachable (const char *uri, const char *reason)
{
  IcsWsChannelConfig config = { .server_uri = uri };
  g_autoptr (GError) error = NULL;
  Client c;

  client_start (&c, &config);
  assert_error (&c, ICS_ERROR_SERVER_UNREACHABLE);
  ck_assert (!c.seen[ICS_CHANNEL_WAITING]);
  error = ics_channel_get_error (ICS_CHANNEL (c.channel));
  ck_assert_msg (strstr (error->message, "cannot reach 127.0.0.1:") != NULL, "%s", error->message);
  ck_assert_msg (strstr (error->message, reason) != NULL, "%s", error->message);
  client_end (&c);
}

/* First with what the system trusts, then with another certificate in its place. */
START_TEST (unknown_certificate_is_refused)
{
  IcsRooms *rooms;
  World w;

  world_init (&w, "127.0.0.1");
  rooms = ics_rv_server_get_rooms (w.server.server);
  assert_unreachable (w.server.uri, "TLS certificate");
  certificate_trust (w.other);
  assert_unreachable (w.server.uri, "TLS certificate");
  ck_assert_uint_eq (ics_rooms_get_stat (rooms, ICS_ROOMS_STAT_ALLOCATED), 0);
  world_clear (&w);
}
END_TEST

START_TEST (certificate_of_another_host_is_refused)
{
  World w;

  world_init (&w, "127.0.0.2");
  certificate_trust (w.own);
  assert_unreachable (w.server.uri, "TLS certificate");
  world_clear (&w);
}
END_TEST

START_TEST (server_without_tls_is_refused)
{
  g_autofree char *uri = NULL;
  Server s = { 0 };

  server_start (&s, NULL);
  uri = g_strdup_printf ("wss://127.0.0.1:%u", s.port);
  assert_unreachable (uri, "TLS");
  server_end (&s);
}
END_TEST

int
main (void)
{
  const TTest *const tests[]
      = { trusted_server_relays, unknown_certificate_is_refused, certificate_of_another_host_is_refused,
          server_without_tls_is_refused, NULL };

  return run_suite ("ws-tls", tests);
}
