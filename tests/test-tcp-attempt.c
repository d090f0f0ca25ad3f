/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/stream-frame.h"
#include "agent/stun-peer.h"
#include "agent/tcp-attempt.h"
#include "agent/tcp-socket.h"
#include "tests/coturn.h"
#include "tests/ice-side.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static GMainContext *context;
static Side sides[2];

static void
setup (void)
{
  context = g_main_context_new ();
  side_make = ics_tcp_attempt_new;
  side_transport = "tcp";
}

static void
teardown (void)
{
  while (g_main_context_iteration (context, FALSE))
    ;
  g_main_context_unref (context);
}

static IcsIceConfig
config_of (int family)
{
  return (IcsIceConfig){ .family = family, .context = context, .signal_rtt_us = 2000 };
}

static guint16
port_of (Side *side)
{
  g_auto (GStrv) fields = g_strsplit (side->lines->pdata[0], " ", 0);

  return (guint16)atoi (fields[5]);
}

static IcsSockaddr
address_of (Side *side)
{
  g_auto (GStrv) fields = g_strsplit (side->lines->pdata[0], " ", 0);
  IcsSockaddr address;

  ck_assert (ics_sockaddr_parse (&address, fields[4], port_of (side)));
  return address;
}

static int
knock (Side *side)
{
  IcsSockaddr to = address_of (side);
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  ck_assert_int_eq (connect (fd, &to.any, sizeof to.v4), 0);
  return fd;
}

/* Returns what came until the other side closed. */
static gsize
read_until_closed (int fd)
{
  gsize total = 0;
  guint8 buf[4096];

  for (;;)
    {
      gssize n = recv (fd, buf, sizeof buf, MSG_DONTWAIT);

      if (n > 0)
        total += (gsize)n;
      else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        break;
      else
        g_main_context_iteration (context, FALSE);
    }
  close (fd);
  return total;
}

START_TEST (two_hosts)
{
  IcsIceConfig config = config_of (_i);

  if (!have_family (_i))
    return;
  pair_init (sides, &config);
  pair_connect (sides);
  pair_exchange (sides);
  pair_check_agreement (sides);
  ck_assert_uint_eq (side_count_state (&sides[0], ICS_ICE_FAILED), 0);
  pair_clear (sides);
}
END_TEST

/* RFC 6544 §4.5, and only what this host has. */
START_TEST (candidates)
{
  IcsIceConfig config = config_of (4);
  const char *line;

  pair_init (sides, &config);
  sides[0].hold = sides[1].hold = TRUE;
  pair_start (sides);
  WAIT_FOR (context, sides[1].gathered);
  line = sides[1].lines->pdata[0];
  ck_assert_msg (g_str_has_prefix (line, "candidate:1 1 TCP 2120220671 ")
                     && g_str_has_suffix (line, " typ host tcptype so"),
                 "%s", line);
  /* The controlling host's end is the signal to start: it comes second. */
  ck_assert (!sides[0].gathered);
  side_give_credentials (&sides[0]);
  side_give_credentials (&sides[1]);
  ck_assert (
      !ics_traversal_add_remote_candidate (sides[0].attempt, "candidate:1 1 UDP 1 192.0.2.1 9 typ host"));
  side_release (&sides[1]);
  WAIT_FOR (context, sides[0].gathered);
  side_release (&sides[0]);
  WAIT_FOR (context, pair_is_connected (sides));
  pair_clear (sides);
}
END_TEST

/* The server sees the port that listens, or there would be nothing to be told. */
START_TEST (mapped_address)
{
  Coturn *coturn = coturn_start ("127.0.0.1", "127.0.0.1");
  IcsTurnServer stun = { .is_stun = TRUE, .host = (char *)"127.0.0.1", .port = coturn_get_port (coturn) };
  IcsIceConfig config = config_of (4);

  config.stun = &stun;
  pair_init (sides, &config);
  pair_connect (sides);
  pair_exchange (sides);
  /* No NAT: the mapped address is that of the host, and not told twice. */
  for (guint i = 0; i < 2; i++)
    {
      ck_assert (!side_has_note (&sides[i], "over TCP"));
      for (guint k = 0; k < sides[i].lines->len; k++)
        ck_assert_ptr_null (strstr (sides[i].lines->pdata[k], "srflx raddr 127.0.0.1"));
    }
  pair_clear (sides);
  coturn_stop (coturn);
}
END_TEST

START_TEST (no_server_answers)
{
  guint16 port = 0;
  int deaf = ics_tcp_socket_listen (4, &port);
  IcsTurnServer stun = { .is_stun = TRUE, .host = (char *)"127.0.0.1", .port = port };
  IcsIceConfig config = config_of (4);

  config.stun = &stun;
  if (_i == 1) /* nobody listens there */
    close (deaf);
  pair_init (sides, &config);
  pair_connect (sides);
  ck_assert (side_has_note (&sides[0], _i == 1 ? "Connection refused" : "no answer in time"));
  pair_clear (sides);
  if (_i == 0)
    close (deaf);
}
END_TEST

static void
start_and_hold (void)
{
  IcsIceConfig config = config_of (4);

  pair_init (sides, &config);
  sides[0].hold = sides[1].hold = TRUE;
  pair_start (sides);
  WAIT_FOR (context, sides[0].lines->len > 0 && sides[1].gathered);
}

static void
release_both (void)
{
  side_release (&sides[1]);
  WAIT_FOR (context, sides[0].gathered);
  side_release (&sides[0]);
  WAIT_FOR (context, pair_is_connected (sides));
}

/* Whatever they say they get no byte, and the hosts find each other. */
START_TEST (strangers)
{
  static const guint8 huge[] = { 0xff, 0xff, 0x00 };
  static const guint8 bare_stun[]
      = { 0, 20, 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
  static const guint8 http[] = "GET / HTTP/1.0\r\n\r\n";
  static const guint8 empty[] = { 0, 0 };
  const struct
  {
    const guint8 *data;
    gsize len;
  } words[] = {
    { huge, sizeof huge }, { bare_stun, sizeof bare_stun }, { http, sizeof http }, { empty, sizeof empty }
  };

  start_and_hold ();
  side_give_credentials (&sides[0]);
  side_give_credentials (&sides[1]);
  for (guint i = 0; i < 40; i++)
    {
      int fd = knock (&sides[i % 2]);

      ck_assert_int_gt (send (fd, words[i % 4].data, words[i % 4].len, MSG_NOSIGNAL), 0);
      ck_assert_uint_eq (read_until_closed (fd), 0);
    }
  release_both ();
  pair_exchange (sides);
  pair_clear (sides);
}
END_TEST

/* Before the peer's credentials nobody can be the peer. */
START_TEST (too_early)
{
  start_and_hold ();
  ck_assert_uint_eq (read_until_closed (knock (&sides[0])), 0);
  side_give_credentials (&sides[0]);
  side_give_credentials (&sides[1]);
  release_both ();
  pair_clear (sides);
}
END_TEST

/* Those who say nothing make room for others, and the rest is closed when the two have met. */
START_TEST (silent_strangers)
{
  int fds[40];

  start_and_hold ();
  side_give_credentials (&sides[0]);
  side_give_credentials (&sides[1]);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      fds[i] = knock (&sides[1]);
      g_main_context_iteration (context, FALSE);
    }
  release_both ();
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    ck_assert_uint_eq (read_until_closed (fds[i]), 0);
  pair_exchange (sides);
  pair_clear (sides);
}
END_TEST

/* An authentic check, as @as would send it to its peer. */
static void
say_check (int fd, Side *as)
{
  IcsStunCredentials credentials;
  guint8 check[ICS_STUN_MESSAGE_MAX], id[ICS_STUN_ID_LEN];
  g_autoptr (GByteArray) frame = g_byte_array_new ();
  IcsStunPeer *stun;

  ics_traversal_get_credentials (as->attempt, &credentials.local_ufrag, &credentials.local_pwd);
  ics_traversal_get_credentials (as->peer->attempt, &credentials.remote_ufrag, &credentials.remote_pwd);
  stun = ics_stun_peer_new (&credentials, as == &sides[0]);
  ics_frame_write (frame, check, ics_stun_peer_write_check (stun, FALSE, check, id));
  ck_assert_int_eq (send (fd, frame->data, frame->len, MSG_NOSIGNAL), frame->len);
  ics_stun_peer_free (stun);
}

/* With policy "lan" a connection comes from where the peer said it is, or it is none. */
START_TEST (lan_takes_hosts_only)
{
  IcsIceConfig config = config_of (4);
  int fd;

  config.host_only = TRUE;
  pair_init (sides, &config);
  sides[0].hold = sides[1].hold = TRUE;
  pair_start (sides);
  WAIT_FOR (context, sides[0].lines->len > 0 && sides[1].gathered);
  ck_assert (!ics_traversal_add_remote_candidate (
      sides[0].attempt, "candidate:1 1 TCP 1 192.0.2.1 5000 typ srflx raddr 0.0.0.0 rport 9 tcptype so"));
  side_give_credentials (&sides[0]);
  side_give_credentials (&sides[1]);
  side_release (&sides[1]);
  /* One who knows the passwords, but comes from another port. */
  fd = knock (&sides[0]);
  say_check (fd, &sides[1]);
  ck_assert_uint_eq (read_until_closed (fd), 0);
  WAIT_FOR (context, sides[0].gathered);
  side_release (&sides[0]);
  WAIT_FOR (context, pair_is_connected (sides));
  pair_clear (sides);
}
END_TEST

/* Wrong credentials: nobody is let in, and both give up. */
START_TEST (wrong_password)
{
  IcsIceConfig config = config_of (4);
  const char *ufrag, *pwd;

  pair_init (sides, &config);
  pair_start (sides);
  ics_traversal_get_credentials (sides[1].attempt, &ufrag, &pwd);
  ics_traversal_set_remote_credentials (sides[0].attempt, ufrag, "abcdefghijklmnopqrstuvwx");
  side_give_credentials (&sides[0]);
  WAIT_FOR (context, side_is_in (&sides[0], ICS_ICE_FAILED) && side_is_in (&sides[1], ICS_ICE_FAILED));
  ck_assert_uint_eq (side_count_state (&sides[0], ICS_ICE_CONNECTED), 0);
  ck_assert_uint_eq (side_count_state (&sides[1], ICS_ICE_CONNECTED), 0);
  pair_clear (sides);
}
END_TEST

/* More than all buffers take: some of it is not taken, nothing is lost, and there is word when more goes. */
START_TEST (a_slow_reader)
{
  g_autofree guint8 *data = g_malloc (1200 * 40 + 700);
  IcsIceConfig config = config_of (4);
  gsize len = 1200 * 40 + 700, sent = 0, got = 0;
  guint n_blocked = 0;

  for (gsize i = 0; i < len; i++)
    data[i] = (guint8)(0x40 | (i / 1200 & 0x3f));
  pair_init (sides, &config);
  pair_connect (sides);
  for (guint round = 0; round < 400; round++)
    for (gsize at = 0, taken; at < len; at += taken)
      {
        guint before = sides[0].n_writable;
        IcsSendResult result
            = ics_traversal_send_segments (sides[0].attempt, data + at, len - at, 1200, &taken);

        ck_assert_int_ne (result, ICS_SEND_FAILED);
        sent += taken;
        if (result != ICS_SEND_BLOCKED)
          continue;
        n_blocked++;
        WAIT_FOR (context, sides[0].n_writable > before);
      }
  ck_assert_uint_eq (sent, len * 400);
  ck_assert_uint_gt (n_blocked, 0);
  WAIT_FOR (context, sides[1].received->len == 400 * 41);
  for (guint i = 0; i < sides[1].received->len; i++)
    {
      gsize size;
      const guint8 *bytes = g_bytes_get_data (sides[1].received->pdata[i], &size);

      ck_assert_uint_eq (size, i % 41 == 40 ? 700 : 1200);
      ck_assert_uint_eq (bytes[0], 0x40 | (i % 41 & 0x3f));
      got += size;
    }
  ck_assert_uint_eq (got, sent);
  pair_clear (sides);
}
END_TEST

/* What is open to the peer, STUN and frames included, does not make it lose the connection unless the stream
 * itself is spoilt; then both sides say so at once. */
START_TEST (the_peer_goes)
{
  IcsIceConfig config = config_of (4);

  pair_init (sides, &config);
  pair_connect (sides);
  ics_traversal_free (g_steal_pointer (&sides[_i].attempt), NULL, NULL);
  WAIT_FOR (context, side_is_in (&sides[1 - _i], ICS_ICE_FAILED));
  ck_assert_int_eq (ics_traversal_send (sides[1 - _i].attempt, (const guint8 *)"Hello", 5), ICS_SEND_FAILED);
  sides[_i].closed = TRUE;
  pair_clear (sides);
}
END_TEST

/* At any time, also from within its own callback. */
START_TEST (freed_at_any_time)
{
  IcsIceConfig config = config_of (4);

  pair_init (sides, &config);
  sides[0].free_on_state = _i == 0;
  pair_start (sides);
  side_give_credentials (&sides[0]);
  side_give_credentials (&sides[1]);
  if (_i == 0)
    WAIT_FOR (context, sides[0].closed);
  else
    for (gint i = 1; i < _i; i++)
      g_main_context_iteration (context, TRUE);
  pair_clear (sides);
}
END_TEST

/* No candidate of the peer, and no end of them: bounded all the same. */
START_TEST (nothing_comes)
{
  IcsIceConfig config = config_of (4);

  config.limit_ms = 50;
  pair_init (sides, &config);
  sides[0].hold = sides[1].hold = TRUE;
  pair_start (sides);
  WAIT_FOR (context, side_is_in (&sides[0], ICS_ICE_FAILED) && side_is_in (&sides[1], ICS_ICE_FAILED));
  pair_clear (sides);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("tcp-attempt");
  TCase *attempt = tcase_create ("attempt");
  SRunner *runner;
  int failed;

  isolate ();
  tcase_add_checked_fixture (attempt, setup, teardown);
  tcase_set_timeout (attempt, 120);
  tcase_add_test (attempt, candidates);
  for (int family = 4; family <= 6; family += 2)
    tcase_add_loop_test (attempt, two_hosts, family, family + 1);
  tcase_add_test (attempt, mapped_address);
  tcase_add_loop_test (attempt, no_server_answers, 0, 2);
  tcase_add_test (attempt, strangers);
  tcase_add_test (attempt, too_early);
  tcase_add_test (attempt, silent_strangers);
  tcase_add_test (attempt, lan_takes_hosts_only);
  tcase_add_test (attempt, wrong_password);
  tcase_add_test (attempt, a_slow_reader);
  tcase_add_loop_test (attempt, the_peer_goes, 0, 2);
  tcase_add_loop_test (attempt, freed_at_any_time, 0, 12);
  tcase_add_test (attempt, nothing_comes);
  suite_add_tcase (suite, attempt);
  runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
