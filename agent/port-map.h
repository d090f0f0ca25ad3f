/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/pcp.h"

G_BEGIN_DECLS

/* One port mapping at one gateway, by PCP (RFC 6887), or by NAT-PMP (RFC 6886) where the gateway does not
 * speak PCP: asked for, renewed, asked for again when the gateway has forgotten it, given back. Sans-IO: time
 * (monotonic µs, G_MAXINT64 = never) comes in as an argument, datagrams come out of ics_port_map_poll(), what
 * has become of it stands in the status. Addresses are IPv4 in host byte order. */

typedef struct _IcsPortMap IcsPortMap;

typedef enum
{
  ICS_PORT_MAP_SEEKING,   /* no answer yet, or none in time to renew it */
  ICS_PORT_MAP_GRANTED,   /* and renewed from time to time */
  ICS_PORT_MAP_REFUSED,   /* not to be had from this gateway */
  ICS_PORT_MAP_RELEASING, /* the gateway is being told */
  ICS_PORT_MAP_OVER
} IcsPortMapState;

typedef enum
{
  ICS_PORT_MAP_PCP,
  ICS_PORT_MAP_NAT_PMP
} IcsPortMapProtocol;

/* Which of the two are spoken. */
typedef enum
{
  ICS_PORT_MAP_EITHER, /* NAT-PMP where PCP gives nothing */
  ICS_PORT_MAP_ONLY_PCP,
  ICS_PORT_MAP_ONLY_NAT_PMP
} IcsPortMapChoice;

typedef struct
{
  IcsPortMapChoice choice;
  guint32 client; /* this host's address, from which it asks and which is mapped */
  guint16 internal_port;
  guint32 lifetime; /* seconds, asked for; the gateway may grant another one */
  guint8 nonce[ICS_PCP_NONCE_LEN];
  GRand *random; /* borrowed; spreads renewals */
} IcsPortMapConfig;

typedef struct
{
  IcsPortMapState state;
  IcsPortMapProtocol protocol;
  guint32 external; /* of the last grant */
  guint16 external_port;
  guint32 lifetime;   /* seconds, as granted */
  guint renewals;     /* grants that followed the first one */
  guint restarts;     /* how often the gateway was seen to have lost its state */
  guint64 dropped;    /* datagrams that were malformed, or no answer to what was asked */
  const char *reason; /* REFUSED: why, in people's words; static */
} IcsPortMapStatus;

/* The first request is due at once. */
IcsPortMap *ics_port_map_new (gint64 now, const IcsPortMapConfig *config);
void ics_port_map_free (IcsPortMap *self);
const IcsPortMapStatus *ics_port_map_get_status (const IcsPortMap *self);

/* A datagram from the gateway's port 5351; the caller has seen to that. */
void ics_port_map_handle_input (IcsPortMap *self, gint64 now, const guint8 *data, gsize len);
/* One from there to all hosts (RFC 6886 §3.2.1, RFC 6887 §14.1). Anybody may have forged it: it does no more
 * than to bring a renewal forward. */
void ics_port_map_handle_announcement (IcsPortMap *self, gint64 now, const guint8 *data, gsize len);
/* Nothing listens on the gateway's port 5351 (ICMP). */
void ics_port_map_handle_unreachable (IcsPortMap *self, gint64 now);
/* Another gateway from now on, which knows nothing of this host. */
void ics_port_map_handle_new_gateway (IcsPortMap *self, gint64 now);
/* A renewal is due at once. */
void ics_port_map_refresh (IcsPortMap *self, gint64 now);
/* Gives the mapping back. RELEASING lasts for half a second at most. */
void ics_port_map_release (IcsPortMap *self, gint64 now);

void ics_port_map_handle_timeout (IcsPortMap *self, gint64 now);
gint64 ics_port_map_next_timeout (const IcsPortMap *self);
/* The datagram that is due for the gateway's port 5351: its length, 0 = none. */
gsize ics_port_map_poll (IcsPortMap *self, gint64 now, guint8 out[ICS_PCP_MAP_REQUEST_LEN]);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsPortMap, ics_port_map_free)

G_END_DECLS
