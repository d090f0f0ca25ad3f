/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/server-way.h"
#include "agent/local-addresses.h"
#include "base/nat64-lookup.h"

IcsServerWay
ics_server_way (const IcsTurnServer *server, int family)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (server->host);
  g_autoptr (GInetAddress) source = NULL;
  gboolean ipv4;

  if (address == NULL)
    return ICS_WAY_OPEN;
  ipv4 = g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV4;
  if (family == 0 || family == (ipv4 ? 4 : 6))
    source = ics_local_address_towards (address, server->port);
  if (source != NULL)
    return ICS_WAY_OPEN;
  return ipv4 && family != 4 && ics_nat64_is_needed () ? ICS_WAY_THROUGH : ICS_WAY_NONE;
}
