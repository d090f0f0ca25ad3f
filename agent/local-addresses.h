/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Which of this host's addresses an ICE attempt uses. libnice would take all of them, loopback and dead
 * interfaces too, and aborts the process when there are more than 64. */

/* libnice remembers 200 STUN transactions at most, and fails the pairs that come after them, the
 * server-reflexive ones: so all pairs with the 32 candidates of a peer have to be less. */
#define ICS_LOCAL_ADDRESSES_MAX 6

/* What an address leads to, the likely ones first. */
typedef enum
{
  ICS_LOCAL_NETWORK,
  ICS_LOCAL_TUNNEL, /* a VPN */
  ICS_LOCAL_BRIDGE  /* the containers and virtual machines of this host; many hosts have the same */
} IcsLocalKind;

typedef struct
{
  GInetAddress *address;
  gboolean up;
  IcsLocalKind kind;
} IcsLocalAddress;

void ics_local_address_free (IcsLocalAddress *self);

/* Every IP address of every interface, up or not. (transfer full) (element-type IcsLocalAddress) */
GPtrArray *ics_local_addresses_enumerate (void);

/* The choice, pure: addresses of interfaces that are up and of @family (0 any, 4, 6), no link-local IPv6, no
 * multicast, no duplicates, up to the kind @last, loopback only when nothing else is left; @preferred
 * (element-type GInetAddress) come first, where the host has them, whatever their kind. At most
 * ICS_LOCAL_ADDRESSES_MAX. (transfer full) (element-type GInetAddress) */
GPtrArray *ics_local_addresses_choose (GPtrArray *entries, int family, GPtrArray *preferred,
                                       IcsLocalKind last);

/* Enumerates and chooses, the source addresses of the default routes first. (transfer full) (element-type
 * GInetAddress) */
GPtrArray *ics_local_addresses_get_until (int family, IcsLocalKind last);
/* The same, of every kind. */
GPtrArray *ics_local_addresses_get (int family);

/* The address from which this host reaches @destination; no packet is sent. (transfer full) (nullable) */
GInetAddress *ics_local_address_towards (GInetAddress *destination, guint16 port);

G_END_DECLS
