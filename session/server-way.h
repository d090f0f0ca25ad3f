/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/turn-uri.h"

G_BEGIN_DECLS

/* Whether this host, where it is now, has a way to a STUN or TURN server. The better ones first. */
typedef enum
{
  ICS_WAY_OPEN,    /* there is a route, or a name that may lead anywhere */
  ICS_WAY_THROUGH, /* an IPv4 address, and the network may have a NAT64 for it */
  ICS_WAY_NONE
} IcsServerWay;

/* @family: 0 any, 4 or 6, by which this host may reach it. No packet is sent. */
IcsServerWay ics_server_way (const IcsTurnServer *server, int family);

G_END_DECLS
