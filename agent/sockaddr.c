/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/sockaddr.h"
#include <arpa/inet.h>
#include <string.h>

gboolean
ics_sockaddr_set (IcsSockaddr *self, const struct sockaddr *from)
{
  memset (self, 0, sizeof *self);
  if (from->sa_family == AF_INET)
    memcpy (&self->v4, from, sizeof self->v4);
  else if (from->sa_family == AF_INET6)
    memcpy (&self->v6, from, sizeof self->v6);
  else
    return FALSE;
  return TRUE;
}

gboolean
ics_sockaddr_parse (IcsSockaddr *self, const char *address, guint16 port)
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
ics_sockaddr_get_port (const IcsSockaddr *self)
{
  return ntohs (self->any.sa_family == AF_INET6 ? self->v6.sin6_port : self->v4.sin_port);
}

void
ics_sockaddr_set_port (IcsSockaddr *self, guint16 port)
{
  self->v4.sin_port = htons (port);
}

socklen_t
ics_sockaddr_len (const IcsSockaddr *self)
{
  return self->any.sa_family == AF_INET6 ? sizeof self->v6 : sizeof self->v4;
}

gboolean
ics_sockaddr_equal (const IcsSockaddr *a, const IcsSockaddr *b, gboolean port)
{
  if (a->any.sa_family != b->any.sa_family
      || (port && ics_sockaddr_get_port (a) != ics_sockaddr_get_port (b)))
    return FALSE;
  if (a->any.sa_family == AF_INET6)
    return IN6_ARE_ADDR_EQUAL (&a->v6.sin6_addr, &b->v6.sin6_addr);
  return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
}

GInetAddress *
ics_sockaddr_to_inet (const IcsSockaddr *self)
{
  if (self->any.sa_family == AF_INET6)
    return g_inet_address_new_from_bytes ((const guint8 *)&self->v6.sin6_addr, G_SOCKET_FAMILY_IPV6);
  return g_inet_address_new_from_bytes ((const guint8 *)&self->v4.sin_addr, G_SOCKET_FAMILY_IPV4);
}

char *
ics_sockaddr_to_endpoint (const struct sockaddr *address)
{
  char text[INET6_ADDRSTRLEN] = "";

  if (address->sa_family == AF_INET6)
    {
      const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

      inet_ntop (AF_INET6, &v6->sin6_addr, text, sizeof text);
      return g_strdup_printf ("[%s]:%u", text, ntohs (v6->sin6_port));
    }
  else
    {
      const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;

      inet_ntop (AF_INET, &v4->sin_addr, text, sizeof text);
      return g_strdup_printf ("%s:%u", text, ntohs (v4->sin_port));
    }
}
