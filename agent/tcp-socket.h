/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/sockaddr.h"

G_BEGIN_DECLS

/* Non-blocking TCP sockets that share one local port of this host: a listener, and any number that connect
 * from it. Plain descriptors, -1 = failed; the caller closes them. */

/* What a socket takes from its owner beyond what is on its way (TCP_NOTSENT_LOWAT). Probes wait behind it: in
 * slow start, with ten segments in a round trip (RFC 6928), this is about one round trip. */
#define ICS_TCP_UNSENT_MAX (16 * 1024)

/* @family: 4 or 6. @port: 0 = any that is free; then the one it is. */
int ics_tcp_socket_listen (int family, guint16 *port);
/* A connection that comes to something when the descriptor becomes writable; then ask
 * ics_tcp_socket_get_error(). */
int ics_tcp_socket_connect (guint16 port, const IcsSockaddr *to);
int ics_tcp_socket_accept (int listener, IcsSockaddr *from);
/* An errno, 0 = none. */
int ics_tcp_socket_get_error (int fd);
gboolean ics_tcp_socket_get_local (int fd, IcsSockaddr *address);
gboolean ics_tcp_socket_get_remote (int fd, IcsSockaddr *address);

G_END_DECLS
