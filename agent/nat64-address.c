/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/nat64-address.h"

void
ics_nat64_outwards (const IcsNat64Prefix *self, const struct sockaddr *address, IcsSockaddr *outwards)
{
  IcsSockaddr ipv6 = { .v6 = { .sin6_family = AF_INET6 } };

  ics_sockaddr_set (outwards, address);
  if (self->length == 0 || address->sa_family != AF_INET)
    return;
  ipv6.v6.sin6_port = outwards->v4.sin_port;
  ics_nat64_embed (self, (const guint8 *)&outwards->v4.sin_addr, ipv6.v6.sin6_addr.s6_addr);
  *outwards = ipv6;
}

void
ics_nat64_inwards (const IcsNat64Prefix *self, const struct sockaddr *address, IcsSockaddr *inwards)
{
  IcsSockaddr ipv4 = { .v4 = { .sin_family = AF_INET } };

  ics_sockaddr_set (inwards, address);
  if (address->sa_family != AF_INET6
      || !ics_nat64_extract (self, inwards->v6.sin6_addr.s6_addr, (guint8 *)&ipv4.v4.sin_addr))
    return;
  ipv4.v4.sin_port = inwards->v6.sin6_port;
  *inwards = ipv4;
}
