/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE /* sendmmsg() */
#include "agent/udp-socket.h"
#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

/* With the default of 208 KiB half of a burst is lost. */
#define BUFFER_SIZE (4 * 1024 * 1024)

struct _IcsUdpSocket
{
  int fd;
  gboolean plain;
  gboolean gso;
  gboolean gro;
};

static gboolean
set_option (int fd, int level, int option, int value)
{
  return setsockopt (fd, level, option, &value, sizeof value) == 0;
}

#ifdef __linux__

static void
prepare (IcsUdpSocket *self)
{
  int unused = 0;
  socklen_t len = sizeof unused;

  /* Beyond the system's limit where the process may, else up to it. */
  if (!set_option (self->fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_SIZE))
    set_option (self->fd, SOL_SOCKET, SO_RCVBUF, BUFFER_SIZE);
  if (!set_option (self->fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_SIZE))
    set_option (self->fd, SOL_SOCKET, SO_SNDBUF, BUFFER_SIZE);
  /* Do not fragment, and do not believe ICMP: QUIC finds the path MTU (RFC 9000 §14.3). The one for the other
   * family fails, and does no harm. */
  set_option (self->fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
  set_option (self->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
  self->gso = !self->plain && getsockopt (self->fd, IPPROTO_UDP, UDP_SEGMENT, &unused, &len) == 0;
}

void
ics_udp_socket_start_receiving (IcsUdpSocket *self)
{
  self->gro = !self->plain && set_option (self->fd, IPPROTO_UDP, UDP_GRO, 1);
}

#else

static void
prepare (IcsUdpSocket *self)
{
  set_option (self->fd, SOL_SOCKET, SO_RCVBUF, BUFFER_SIZE);
  set_option (self->fd, SOL_SOCKET, SO_SNDBUF, BUFFER_SIZE);
}

void
ics_udp_socket_start_receiving (G_GNUC_UNUSED IcsUdpSocket *self)
{
}

#endif

IcsUdpSocket *
ics_udp_socket_new (int fd, gboolean plain)
{
  IcsUdpSocket *self = g_new0 (IcsUdpSocket, 1);

  self->fd = fd;
  self->plain = plain;
  prepare (self);
  return self;
}

void
ics_udp_socket_free (IcsUdpSocket *self)
{
  close (self->fd);
  g_free (self);
}

int
ics_udp_socket_get_fd (const IcsUdpSocket *self)
{
  return self->fd;
}

static gboolean
get_local (const IcsUdpSocket *self, IcsFlow *local)
{
  socklen_t len = sizeof local->remote;

  return getsockname (self->fd, &local->remote.any, &len) == 0;
}

char *
ics_udp_socket_get_local (const IcsUdpSocket *self)
{
  IcsFlow local = { 0 };

  return get_local (self, &local) ? ics_sockaddr_to_endpoint (&local.remote.any) : g_strdup ("?");
}

GInetAddress *
ics_udp_socket_get_address (const IcsUdpSocket *self)
{
  IcsFlow local = { 0 };

  if (!get_local (self, &local))
    return NULL;
  if (local.remote.any.sa_family == AF_INET6)
    return g_inet_address_new_from_bytes ((guint8 *)&local.remote.v6.sin6_addr, G_SOCKET_FAMILY_IPV6);
  return g_inet_address_new_from_bytes ((guint8 *)&local.remote.v4.sin_addr, G_SOCKET_FAMILY_IPV4);
}

gboolean
ics_udp_socket_has_gso (const IcsUdpSocket *self)
{
  return self->gso;
}

gboolean
ics_udp_socket_has_gro (const IcsUdpSocket *self)
{
  return self->gro;
}

/* A datagram that is too large is lost, as on a link further on: path MTU discovery counts on that. When the
 * address that the socket is bound to is gone, Linux says ENETUNREACH. */
static IcsUdpResult
result_of (int error)
{
  switch (error)
    {
    case EAGAIN:
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
      return ICS_UDP_BLOCKED;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case ENODEV:
    case EADDRNOTAVAIL:
    case EPERM:
    case EACCES:
      return ICS_UDP_DOWN;
    default:
      return ICS_UDP_SENT;
    }
}

#ifdef __linux__

/* Up to ICS_UDP_SEGMENTS_MAX datagrams one by one in a call. */
static IcsUdpResult
send_many (IcsUdpSocket *self, const IcsFlow *to, const guint8 *data, gsize len, gsize segment, gsize *taken)
{
  struct mmsghdr messages[ICS_UDP_SEGMENTS_MAX];
  struct iovec parts[ICS_UDP_SEGMENTS_MAX];
  guint n = 0;
  int sent;

  for (gsize at = 0; at < len; at += segment, n++)
    {
      parts[n] = (struct iovec){ (guint8 *)data + at, MIN (segment, len - at) };
      messages[n] = (struct mmsghdr){ .msg_hdr = { .msg_name = (struct sockaddr *)&to->remote.any,
                                                   .msg_namelen = ics_sockaddr_len (&to->remote),
                                                   .msg_iov = &parts[n],
                                                   .msg_iovlen = 1 } };
    }
  do
    sent = sendmmsg (self->fd, messages, n, 0);
  while (sent < 0 && errno == EINTR);
  if (sent > 0)
    {
      *taken = MIN (len, (gsize)sent * segment);
      return ICS_UDP_SENT;
    }
  /* The first one failed, the others were not tried. */
  *taken = errno == EAGAIN ? 0 : MIN (len, segment);
  return result_of (errno);
}

static gssize
send_segmented (IcsUdpSocket *self, const IcsFlow *to, const guint8 *data, gsize len, gsize segment)
{
  union
  {
    char space[CMSG_SPACE (sizeof (guint16))];
    struct cmsghdr align;
  } control = { .space = { 0 } };
  struct iovec part = { (guint8 *)data, len };
  struct msghdr message = { .msg_name = (struct sockaddr *)&to->remote.any,
                            .msg_namelen = ics_sockaddr_len (&to->remote),
                            .msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.space,
                            .msg_controllen = sizeof control.space };
  struct cmsghdr *header = CMSG_FIRSTHDR (&message);
  const guint16 size = (guint16)segment;
  gssize sent;

  header->cmsg_level = IPPROTO_UDP;
  header->cmsg_type = UDP_SEGMENT;
  header->cmsg_len = CMSG_LEN (sizeof size);
  memcpy (CMSG_DATA (header), &size, sizeof size);
  do
    sent = sendmsg (self->fd, &message, 0);
  while (sent < 0 && errno == EINTR);
  return sent;
}

/* What the kernel does not want to cut goes out one by one. EIO: the device can not compute checksums;
 * EINVAL: it can not cut, or the pieces are larger than the link's MTU. */
static IcsUdpResult
send_some (IcsUdpSocket *self, const IcsFlow *to, const guint8 *data, gsize len, gsize segment, gsize *taken)
{
  IcsUdpResult result;

  if (len <= segment || !self->gso)
    return send_many (self, to, data, len, segment, taken);
  if (send_segmented (self, to, data, len, segment) >= 0)
    {
      *taken = len;
      return ICS_UDP_SENT;
    }
  if (errno != EIO && errno != EINVAL && errno != EMSGSIZE)
    {
      *taken = errno == EAGAIN ? 0 : len;
      return result_of (errno);
    }
  self->gso = errno != EIO;
  result = send_many (self, to, data, len, segment, taken);
  if (result == ICS_UDP_SENT && *taken > segment)
    self->gso = FALSE;
  return result;
}

#else

static IcsUdpResult
send_some (IcsUdpSocket *self, const IcsFlow *to, const guint8 *data, gsize len, gsize segment, gsize *taken)
{
  IcsUdpResult result = ICS_UDP_SENT;

  *taken = MIN (len, segment);
  if (sendto (self->fd, data, *taken, 0, &to->remote.any, ics_sockaddr_len (&to->remote)) < 0)
    result = result_of (errno);
  if (result == ICS_UDP_BLOCKED)
    *taken = 0;
  return result;
}

#endif

IcsUdpResult
ics_udp_socket_send (IcsUdpSocket *self, const IcsFlow *to, const guint8 *data, gsize len, gsize segment,
                     gsize *taken)
{
  gsize at_once = segment * CLAMP (ICS_UDP_BATCH_MAX / segment, 1, ICS_UDP_SEGMENTS_MAX);

  *taken = 0;
  while (*taken < len)
    {
      gsize some = 0;
      IcsUdpResult result = send_some (self, to, data + *taken, MIN (at_once, len - *taken), segment, &some);

      *taken += some;
      if (result == ICS_UDP_BLOCKED)
        return result;
      if (result == ICS_UDP_DOWN)
        {
          *taken = len;
          return result;
        }
    }
  return ICS_UDP_SENT;
}
