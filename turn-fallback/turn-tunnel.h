/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/turn-uri.h"
#include <gio/gio.h>

G_BEGIN_DECLS

/* A way to a TURN server over TCP or TLS, through proxies where GIO finds some, for a client within this
 * process that can do no more than plain TURN over TCP: it connects to a port on 127.0.0.1. Lives on the
 * thread-default context it was created in. */
typedef struct _IcsTurnTunnel IcsTurnTunnel;

typedef struct
{
  const IcsTurnServer *server; /* TCP or TLS */
  GTlsDatabase *ca;            /* trusted besides the system's store; may be NULL */
  int family;                  /* 0 any, 4 or 6 */
  guint timeout_ms;            /* for the connection; 0 = 10 s */
} IcsTurnTunnelConfig;

/* From the main loop only. */
typedef struct
{
  /* The server is reached; the client may connect to 127.0.0.1:@port, once, and within 5 s. */
  void (*ready) (guint16 port, gpointer user_data);
  /* It carries nothing any more, or never will; notes have told why. The last one. */
  void (*ended) (gpointer user_data);
  /* One line for the record, in people's words. */
  void (*note) (const char *line, gpointer user_data);
} IcsTurnTunnelCallbacks;

IcsTurnTunnel *ics_turn_tunnel_new (const IcsTurnTunnelConfig *config,
                                    const IcsTurnTunnelCallbacks *callbacks, gpointer user_data);
/* No callback runs from here on. */
void ics_turn_tunnel_free (IcsTurnTunnel *self);
/* No callback from here on, but it goes on to carry. */
void ics_turn_tunnel_mute (IcsTurnTunnel *self);

/* The address of this host from which the server, or the proxy, is reached; NULL while it is not. (transfer
 * full) (nullable) */
GInetAddress *ics_turn_tunnel_get_base (IcsTurnTunnel *self);
/* Whether the server has said why it gave no relay; a note told it. */
gboolean ics_turn_tunnel_was_refused (IcsTurnTunnel *self);

/* The shortest time between a request of the client's and the server's answer, until there is an allocation:
 * µs, -1 = not measured. */
gint64 ics_turn_tunnel_get_rtt (IcsTurnTunnel *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsTurnTunnel, ics_turn_tunnel_free)

G_END_DECLS
