/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <netinet/in.h>

G_BEGIN_DECLS

/* An IP address with a port, as sockets have it. The port is at the same place in both families. */
typedef union
{
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} IcsSockaddr;

/* From getsockname() and the like; FALSE for a family that is not IP. */
gboolean ics_sockaddr_set (IcsSockaddr *self, const struct sockaddr *from);
/* @address: a literal. FALSE when it is none. */
gboolean ics_sockaddr_parse (IcsSockaddr *self, const char *address, guint16 port);

guint16 ics_sockaddr_get_port (const IcsSockaddr *self);
void ics_sockaddr_set_port (IcsSockaddr *self, guint16 port);
socklen_t ics_sockaddr_len (const IcsSockaddr *self);
/* The same address; with @port the same port too. */
gboolean ics_sockaddr_equal (const IcsSockaddr *a, const IcsSockaddr *b, gboolean port);

/* Without the port. (transfer full) */
GInetAddress *ics_sockaddr_to_inet (const IcsSockaddr *self);
/* "203.0.113.9:40311", "[2001:db8::1]:5000". (transfer full) */
char *ics_sockaddr_to_endpoint (const struct sockaddr *address);

G_END_DECLS
