/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/consent.h"
#include "agent/udp-endpoint.h"
#include "agent/udp-socket.h"

G_BEGIN_DECLS

/* An endpoint sends and keeps time (udp-endpoint.c), and takes in what comes (udp-endpoint-input.c). */

typedef struct
{
  IcsUdpSocket *socket; /* NULL: closed */
  gpointer tag;
  gint64 heard_at;
} IcsUdpSlot;

/* Reference-counted: a callback may free it. */
struct _IcsUdpEndpoint
{
  GSource *source;
  IcsUdpEndpointHooks hooks;
  gpointer user_data;
  IcsUdpSlot slots[ICS_UDP_ENDPOINT_SOCKETS_MAX];
  guint n_slots;
  IcsUdpBatch *batch;
  IcsFlowTable flows;
  IcsStunPeer *stun;
  GRand *random;
  IcsConsent consent;
  gboolean started, stopped;
  gboolean blocked, down;
  gboolean segmenting; /* as last noted */
  guint64 dropped;
};

/* udp-endpoint.c */
void ics_udp_endpoint_note (IcsUdpEndpoint *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
gboolean ics_udp_endpoint_send_stun (IcsUdpEndpoint *self, const IcsFlow *to, const guint8 *data, gsize len);
/* The current socket is another one: who waits to send waits for this one now. */
void ics_udp_endpoint_follow_blocked (IcsUdpEndpoint *self);

/* udp-endpoint-input.c: reads what there is, within bounds, and tells it. The endpoint may have been freed
 * then: the caller holds a reference. */
void ics_udp_endpoint_receive (IcsUdpEndpoint *self, gint64 now, guint socket);

G_END_DECLS
