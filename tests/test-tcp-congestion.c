/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/tcp-congestion.h"
#include "agent/tcp-socket.h"
#include "tests/suite.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* On the loopback, whose true round trip takes less than 10 ms and more than none. */
#define TRUE_US 1
#define LONG_US (G_GINT64_CONSTANT (1000) * 1000 * 1000)

static int
open_connection (int *peer)
{
  guint16 port = 0;
  int listener = ics_tcp_socket_listen (4, &port), fd;
  IcsSockaddr to = { 0 }, from;

  ics_sockaddr_parse (&to, "127.0.0.1", port);
  fd = ics_tcp_socket_connect (0, &to);
  ck_assert_int_eq (poll (&(struct pollfd){ .fd = listener, .events = POLLIN }, 1, -1), 1);
  *peer = ics_tcp_socket_accept (listener, &from);
  ck_assert_int_eq (poll (&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, -1), 1);
  ck_assert_int_eq (ics_tcp_socket_get_error (fd), 0);
  close (listener);
  return fd;
}

static gboolean
use (int fd, const char *control)
{
  return setsockopt (fd, IPPROTO_TCP, TCP_CONGESTION, control, (socklen_t)strlen (control)) == 0;
}

static void
assert_uses (int fd, const char *control)
{
  char name[16] = "";
  socklen_t len = sizeof name;

  ck_assert_int_eq (getsockopt (fd, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
  ck_assert_str_eq (name, control);
}

/* _i: BBR where the system has it, and another one. */
START_TEST (test_mend)
{
  const char *control = _i == 0 ? "bbr" : "reno", *other;
  int peer, fd = open_connection (&peer);

  if (!use (fd, control))
    g_print ("skipped: this system has no %s\n", control);
  else
    {
      ck_assert_ptr_null (ics_tcp_congestion_mend (fd, 0));
      ck_assert_ptr_null (ics_tcp_congestion_mend (fd, TRUE_US));
      assert_uses (fd, control);
      other = ics_tcp_congestion_mend (fd, LONG_US);
      ck_assert ((other != NULL) == (_i == 0));
      assert_uses (fd, other != NULL ? other : control);
      /* Once. */
      ck_assert_ptr_null (ics_tcp_congestion_mend (fd, LONG_US));
    }
  close (fd);
  close (peer);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = { { test_mend, 2 } };

  return run_loops ("tcp-congestion", tests, G_N_ELEMENTS (tests));
}
