/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/tcp-socket.h"
#include "agent/traversal.h"

G_BEGIN_DECLS

/* One TCP connection that carries datagrams (RFC 4571). */

typedef struct _IcsTcpConnection IcsTcpConnection;

/* They fire from the main loop, and any of them may free the connection. */
typedef struct
{
  void (*opened) (gpointer user_data);
  void (*frame) (const guint8 *data, gsize len, gpointer user_data);
  void (*writable) (gpointer user_data); /* after a send that said BLOCKED */
  /* Refused, reset, closed by the peer, or not understood; said once, nothing comes after it. */
  void (*closed) (const char *reason, gpointer user_data);
} IcsTcpConnectionHooks;

/* Takes @fd. @connecting: it is not open yet. Frames are taken up to @max bytes. */
IcsTcpConnection *ics_tcp_connection_new (int fd, gboolean connecting, gsize max, GMainContext *context);
void ics_tcp_connection_set_hooks (IcsTcpConnection *self, const IcsTcpConnectionHooks *hooks,
                                   gpointer user_data);
/* No hook from here on; what was sent still goes out. */
void ics_tcp_connection_free (IcsTcpConnection *self);

void ics_tcp_connection_set_max (IcsTcpConnection *self, gsize max);

/* As ics_traversal_send_segments(). At most one datagram is held that the system has taken in part only, and
 * a few small ones, probes for example, which shall not wait for the owner's turn. */
IcsSendResult ics_tcp_connection_send (IcsTcpConnection *self, const guint8 *data, gsize len, gsize segment,
                                       gsize *taken);
/* A small message, STUN for example, which waits behind a datagram that is held. FALSE: there are too many of
 * them. */
gboolean ics_tcp_connection_send_small (IcsTcpConnection *self, const guint8 *data, gsize len);

/* As ics_tcp_congestion_mend(). */
const char *ics_tcp_connection_mend_congestion (IcsTcpConnection *self, gint64 rtt_us);

/* "192.0.2.1:5000". (transfer full) */
char *ics_tcp_connection_get_local (const IcsTcpConnection *self);
/* (transfer full) (nullable) */
GInetAddress *ics_tcp_connection_get_base (const IcsTcpConnection *self);

G_END_DECLS
