/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/stun-peer.h"
#include "agent/traversal.h"
#include "agent/udp-flow.h"

G_BEGIN_DECLS

/* The direct path after libnice: sends and receives on sockets that were libnice's, in batches, answers the
 * peer's STUN checks, asks for consent (RFC 7675), and follows the peer to a new address. Lives on its
 * context. */

#define ICS_UDP_ENDPOINT_SOCKETS_MAX 16

typedef struct _IcsUdpEndpoint IcsUdpEndpoint;

typedef struct
{
  GArray *fds;  /* int, bound UDP sockets; taken over, and with them their numbers in an IcsFlow */
  IcsFlow flow; /* the selected pair */
  IcsStunCredentials credentials;
  gboolean controlling;
  gboolean plain; /* no offloads */
  GMainContext *context;
} IcsUdpEndpointConfig;

/* All but received and writable may run inside a call into the endpoint. Only received and writable may free
 * it. */
typedef struct
{
  /* @len bytes that came together, datagrams of @segment bytes each (the last may be shorter). */
  void (*received) (const guint8 *data, gsize len, gsize segment, gpointer user_data);
  void (*writable) (gpointer user_data);
  void (*down) (gboolean down, gpointer user_data); /* the system has no way out for it, or has one again */
  void (*moved) (const IcsFlow *flow, gpointer user_data); /* traffic with the peer goes there now */
  void (*lost) (gpointer user_data);                       /* no consent any more: it sends nothing */
  void (*closing) (guint socket, gpointer user_data);      /* one that is not in use; may be NULL */
  void (*note) (const char *line, gpointer user_data);
  /* Whether the peer may be there, too; NULL: anywhere. */
  gboolean (*allows) (const struct sockaddr *remote, gpointer user_data);
} IcsUdpEndpointHooks;

/* Sends from now on; reads nothing before ics_udp_endpoint_start(). */
IcsUdpEndpoint *ics_udp_endpoint_new (const IcsUdpEndpointConfig *config, const IcsUdpEndpointHooks *hooks,
                                      gpointer user_data);
void ics_udp_endpoint_free (IcsUdpEndpoint *self);

/* Nobody else reads the sockets any more. */
void ics_udp_endpoint_start (IcsUdpEndpoint *self);

/* As ics_traversal_send_segments(). */
IcsSendResult ics_udp_endpoint_send (IcsUdpEndpoint *self, const guint8 *data, gsize len, gsize segment,
                                     gsize *taken);

/* The peer has answered an authenticated question of another kind, asked at that time. */
void ics_udp_endpoint_confirm_consent (IcsUdpEndpoint *self, gint64 asked_at);

/* The address that a socket is bound to. (transfer full) */
char *ics_udp_endpoint_get_local (IcsUdpEndpoint *self, guint socket);
/* (transfer full) (nullable) */
GInetAddress *ics_udp_endpoint_get_base (IcsUdpEndpoint *self);
/* Datagrams that were neither the peer's nor authentic. */
guint64 ics_udp_endpoint_get_dropped (IcsUdpEndpoint *self);

G_END_DECLS
