/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE /* accept4() */
#include "agent/tcp-socket.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections that wait to be accepted, strangers' included. */
#define BACKLOG 16

gboolean
ics_tcp_address_parse (IcsTcpAddress *self, const char *address, guint16 port)
{
  memset (self, 0, sizeof *self);
  if (inet_pton (AF_INET, address, &self->v4.sin_addr) == 1)
    {
      self->v4.sin_family = AF_INET;
      self->v4.sin_port = htons (port);
      return TRUE;
    }
  if (inet_pton (AF_INET6, address, &self->v6.sin6_addr) != 1)
    return FALSE;
  self->v6.sin6_family = AF_INET6;
  self->v6.sin6_port = htons (port);
  return TRUE;
}

guint16
ics_tcp_address_get_port (const IcsTcpAddress *self)
{
  return ntohs (self->any.sa_family == AF_INET6 ? self->v6.sin6_port : self->v4.sin_port);
}

GInetAddress *
ics_tcp_address_to_inet (const IcsTcpAddress *self)
{
  if (self->any.sa_family == AF_INET6)
    return g_inet_address_new_from_bytes ((const guint8 *)&self->v6.sin6_addr, G_SOCKET_FAMILY_IPV6);
  return g_inet_address_new_from_bytes ((const guint8 *)&self->v4.sin_addr, G_SOCKET_FAMILY_IPV4);
}

static socklen_t
length_of (const IcsTcpAddress *address)
{
  return address->any.sa_family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
}

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
  IcsTcpAddress local = { 0 };
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
  if (bind (fd, &local.any, length_of (&local)) == 0)
    return fd;
  close (fd);
  return -1;
}

int
ics_tcp_socket_listen (int family, guint16 *port)
{
  int fd = new_socket (family == 6 ? AF_INET6 : AF_INET, *port);
  IcsTcpAddress local;

  if (fd < 0)
    return -1;
  if (listen (fd, BACKLOG) != 0 || !ics_tcp_socket_get_local (fd, &local))
    {
      close (fd);
      return -1;
    }
  *port = ics_tcp_address_get_port (&local);
  return fd;
}

int
ics_tcp_socket_connect (guint16 port, const IcsTcpAddress *to)
{
  int fd = new_socket (to->any.sa_family, port);

  if (fd < 0 || connect (fd, &to->any, length_of (to)) == 0 || errno == EINPROGRESS)
    return fd;
  close (fd);
  return -1;
}

int
ics_tcp_socket_accept (int listener, IcsTcpAddress *from)
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
ics_tcp_socket_get_local (int fd, IcsTcpAddress *address)
{
  socklen_t len = sizeof *address;

  return getsockname (fd, &address->any, &len) == 0;
}

gboolean
ics_tcp_socket_get_remote (int fd, IcsTcpAddress *address)
{
  socklen_t len = sizeof *address;

  return getpeername (fd, &address->any, &len) == 0;
}
