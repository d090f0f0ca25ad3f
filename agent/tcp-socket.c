/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE /* accept4() */
#include "agent/tcp-socket.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections that wait to be accepted, strangers' included. */
#define BACKLOG 16

static void
set (int fd, int level, int option, int value)
{
  setsockopt (fd, level, option, &value, sizeof value);
}

static void
prepare (int fd)
{
  set (fd, IPPROTO_TCP, TCP_NODELAY, 1);
#ifdef TCP_NOTSENT_LOWAT
  set (fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, ICS_TCP_UNSENT_MAX);
#endif
}

/* Bound to no address: the route says from which one a connection leaves. */
static int
new_socket (int family, guint16 port)
{
  IcsSockaddr local = { 0 };
  int fd = socket (family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

  if (fd < 0)
    return -1;
  set (fd, SOL_SOCKET, SO_REUSEADDR, 1);
  set (fd, SOL_SOCKET, SO_REUSEPORT, 1);
  prepare (fd);
  if (family == AF_INET6)
    {
      set (fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
      local.v6.sin6_port = htons (port);
    }
  else
    local.v4.sin_port = htons (port);
  local.any.sa_family = (sa_family_t)family;
  if (bind (fd, &local.any, ics_sockaddr_len (&local)) == 0)
    return fd;
  close (fd);
  return -1;
}

int
ics_tcp_socket_listen (int family, guint16 *port)
{
  int fd = new_socket (family == 6 ? AF_INET6 : AF_INET, *port);
  IcsSockaddr local;

  if (fd < 0)
    return -1;
  if (listen (fd, BACKLOG) != 0 || !ics_tcp_socket_get_local (fd, &local))
    {
      close (fd);
      return -1;
    }
  *port = ics_sockaddr_get_port (&local);
  return fd;
}

int
ics_tcp_socket_connect (guint16 port, const IcsSockaddr *to)
{
  int fd = new_socket (to->any.sa_family, port);

  if (fd < 0 || connect (fd, &to->any, ics_sockaddr_len (to)) == 0 || errno == EINPROGRESS)
    return fd;
  close (fd);
  return -1;
}

int
ics_tcp_socket_accept (int listener, IcsSockaddr *from)
{
  socklen_t len = sizeof *from;
  int fd = accept4 (listener, &from->any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

  if (fd >= 0)
    prepare (fd);
  return fd;
}

int
ics_tcp_socket_get_error (int fd)
{
  int error = 0;
  socklen_t len = sizeof error;

  return getsockopt (fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 ? error : errno;
}

gboolean
ics_tcp_socket_get_local (int fd, IcsSockaddr *address)
{
  socklen_t len = sizeof *address;

  return getsockname (fd, &address->any, &len) == 0;
}

gboolean
ics_tcp_socket_get_remote (int fd, IcsSockaddr *address)
{
  socklen_t len = sizeof *address;

  return getpeername (fd, &address->any, &len) == 0;
}
