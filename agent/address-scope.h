/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/sockaddr.h"

G_BEGIN_DECLS

/* How far an IP address reaches (RFC 6890, RFC 4291 §2.4). */
typedef enum
{
  ICS_SCOPE_NONE, /* multicast, broadcast, unspecified, reserved: no host has it */
  ICS_SCOPE_LOOPBACK,
  ICS_SCOPE_LINK,
  ICS_SCOPE_PRIVATE, /* RFC 1918, RFC 6598 (between a subscriber's and the carrier's NAT), RFC 4193 */
  ICS_SCOPE_GLOBAL
} IcsAddressScope;

IcsAddressScope ics_address_scope (const IcsSockaddr *address);

G_END_DECLS
