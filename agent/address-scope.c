/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/address-scope.h"

static gboolean
is_in (guint32 address, guint32 network, guint prefix)
{
  return (address ^ network) >> (32 - prefix) == 0;
}

static IcsAddressScope
scope_v4 (guint32 address)
{
  if (is_in (address, 0x00000000, 8) || is_in (address, 0xe0000000, 3))
    return ICS_SCOPE_NONE;
  if (is_in (address, 0x7f000000, 8))
    return ICS_SCOPE_LOOPBACK;
  if (is_in (address, 0xa9fe0000, 16))
    return ICS_SCOPE_LINK;
  if (is_in (address, 0x0a000000, 8) || is_in (address, 0xac100000, 12) || is_in (address, 0xc0a80000, 16)
      || is_in (address, 0x64400000, 10))
    return ICS_SCOPE_PRIVATE;
  return ICS_SCOPE_GLOBAL;
}

static IcsAddressScope
scope_v6 (const struct in6_addr *address)
{
  if (IN6_IS_ADDR_V4MAPPED (address))
    return scope_v4 (g_ntohl (address->s6_addr32[3]));
  if (IN6_IS_ADDR_UNSPECIFIED (address) || IN6_IS_ADDR_MULTICAST (address))
    return ICS_SCOPE_NONE;
  if (IN6_IS_ADDR_LOOPBACK (address))
    return ICS_SCOPE_LOOPBACK;
  if (IN6_IS_ADDR_LINKLOCAL (address))
    return ICS_SCOPE_LINK;
  if ((address->s6_addr[0] & 0xfe) == 0xfc || IN6_IS_ADDR_SITELOCAL (address))
    return ICS_SCOPE_PRIVATE;
  return ICS_SCOPE_GLOBAL;
}

IcsAddressScope
ics_address_scope (const IcsSockaddr *address)
{
  if (address->any.sa_family == AF_INET6)
    return scope_v6 (&address->v6.sin6_addr);
  return scope_v4 (g_ntohl (address->v4.sin_addr.s_addr));
}
