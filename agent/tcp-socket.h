/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <netinet/in.h>

G_BEGIN_DECLS

/* Non-blocking TCP sockets that share one local port of this host: a listener, and any number that connect
 * from it. Plain descriptors, -1 = failed; the caller closes them. */

typedef union
{
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} IcsTcpAddress;

/* What a socket takes from its owner beyond what is on its way (TCP_NOTSENT_LOWAT). Probes wait behind it: in
 * slow start, with ten segments in a round trip (RFC 6928), this is about one round trip. */
#define ICS_TCP_UNSENT_MAX (16 * 1024)

/* @address: a literal. FALSE when it is none. */
gboolean ics_tcp_address_parse (IcsTcpAddress *self, const char *address, guint16 port);
guint16 ics_tcp_address_get_port (const IcsTcpAddress *self);
/* Without the port. (transfer full) */
GInetAddress *ics_tcp_address_to_inet (const IcsTcpAddress *self);

/* @family: 4 or 6. @port: 0 = any that is free; then the one it is. */
int ics_tcp_socket_listen (int family, guint16 *port);
/* A connection that comes to something when the descriptor becomes writable; then ask
 * ics_tcp_socket_get_error(). */
int ics_tcp_socket_connect (guint16 port, const IcsTcpAddress *to);
int ics_tcp_socket_accept (int listener, IcsTcpAddress *from);
/* An errno, 0 = none. */
int ics_tcp_socket_get_error (int fd);
gboolean ics_tcp_socket_get_local (int fd, IcsTcpAddress *address);
gboolean ics_tcp_socket_get_remote (int fd, IcsTcpAddress *address);

G_END_DECLS
