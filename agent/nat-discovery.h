/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/nat-behavior.h"

G_BEGIN_DECLS

/* Discovers how the NATs behave by asking STUN servers (RFC 5780 §4.3, §4.4), and itself through its own NAT
 * (§3.4). Sans-IO: time is monotonic µs, G_MAXINT64 = never. The servers are not trusted: what they name is
 * asked with few small packets, and never where no such server can be. One address family at a time.
 *
 *     for (;;)
 *       {
 *         while (ics_nat_discovery_poll (discovery, now, &packet))
 *           send packet.data to packet.to from socket packet.socket;
 *         if (ics_nat_discovery_is_done (discovery))
 *           break;
 *         wait until ics_nat_discovery_next_timeout (discovery), or a datagram comes: handle_timeout(),
 *         handle_input ();
 *       }
 */

#define ICS_NAT_SERVERS_MAX 4

/* All bound to ports that the system chose, new and used for nothing else: what was sent before opens
 * filters. */
typedef enum
{
  ICS_NAT_SOCKET_MAPPING,
  ICS_NAT_SOCKET_FILTERING, /* talks to one address and port only */
  ICS_NAT_SOCKET_HAIRPIN
} IcsNatSocket;
#define ICS_NAT_N_SOCKETS 3

/* It ends within this time, whatever the servers do. */
#define ICS_NAT_DISCOVERY_LONGEST (30 * G_TIME_SPAN_SECOND)

typedef struct
{
  /* Of one family; several ports of one address are of use too. The first that has a second address counts.
   */
  IcsSockaddr servers[ICS_NAT_SERVERS_MAX];
  guint n_servers;
  /* What each socket is bound to, with the address from which this host reaches the servers. */
  IcsSockaddr local[ICS_NAT_N_SOCKETS];
  gboolean no_filtering; /* leave out the slow tests: mapping and ports only */
} IcsNatDiscoveryConfig;

typedef struct
{
  IcsNatSocket socket;
  IcsSockaddr to;
  guint8 data[64];
  gsize len;
} IcsNatPacket;

typedef struct _IcsNatDiscovery IcsNatDiscovery;

IcsNatDiscovery *ics_nat_discovery_new (const IcsNatDiscoveryConfig *config, gint64 now);
void ics_nat_discovery_free (IcsNatDiscovery *self);

/* A datagram came in on @socket. */
void ics_nat_discovery_handle_input (IcsNatDiscovery *self, gint64 now, IcsNatSocket socket,
                                     const guint8 *data, gsize len, const struct sockaddr *from);
void ics_nat_discovery_handle_timeout (IcsNatDiscovery *self, gint64 now);
gint64 ics_nat_discovery_next_timeout (const IcsNatDiscovery *self);
/* TRUE: @packet is to be sent now. */
gboolean ics_nat_discovery_poll (IcsNatDiscovery *self, gint64 now, IcsNatPacket *packet);

/* What is known so far, at any time; final when done. */
const IcsNatBehavior *ics_nat_discovery_get (const IcsNatDiscovery *self);
gboolean ics_nat_discovery_is_done (const IcsNatDiscovery *self);
/* Datagrams that were no answer to a question of this one. */
guint64 ics_nat_discovery_get_dropped (const IcsNatDiscovery *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsNatDiscovery, ics_nat_discovery_free)

G_END_DECLS
