/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/nat64-address.h"

G_BEGIN_DECLS

/* Many UDP sockets of one local address, and a timer, on a context. Behind a NAT64 they are IPv6, and those
 * that they speak to are IPv4 all the same. */

typedef struct _IcsPunchSockets IcsPunchSockets;

typedef struct
{
  /* May free the sockets. */
  void (*received) (guint socket, const guint8 *data, gsize len, const struct sockaddr *from,
                    gpointer user_data);
  /* After what came in, and when the time is due. May free the sockets. */
  void (*timeout) (gint64 now, gpointer user_data);
} IcsPunchSocketsHooks;

/* @nat64: of length 0 where there is none. */
IcsPunchSockets *ics_punch_sockets_new (const IcsPunchSocketsHooks *hooks, gpointer user_data,
                                        const IcsNat64Prefix *nat64, GMainContext *context);
void ics_punch_sockets_free (IcsPunchSockets *self);

/* Opens @n more on ports that the system chooses. Returns how many there are now: fewer, if the system gives
 * no more. @local: its port does not matter. */
guint ics_punch_sockets_open (IcsPunchSockets *self, const IcsSockaddr *local, guint n);
void ics_punch_sockets_close (IcsPunchSockets *self, guint socket);
/* Hands a socket over: it is not read here any more. */
int ics_punch_sockets_steal (IcsPunchSockets *self, guint socket);

void ics_punch_sockets_get_local (IcsPunchSockets *self, guint socket, IcsSockaddr *local);
void ics_punch_sockets_send (IcsPunchSockets *self, guint socket, const struct sockaddr *to,
                             const guint8 *data, gsize len);
/* Monotonic µs; G_MAXINT64 = never. */
void ics_punch_sockets_set_timeout (IcsPunchSockets *self, gint64 at);

G_END_DECLS
