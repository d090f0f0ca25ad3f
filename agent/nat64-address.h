/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/sockaddr.h"
#include "base/nat64.h"

G_BEGIN_DECLS

/* What searches for a way through IPv4 NATs knows IPv4 addresses alone. Behind a NAT64 its sockets are IPv6,
 * and at their edge each address is written in the other family. A prefix of length 0 changes nothing. Pure.
 */

/* @address as this host's sockets write it: an IPv4 one within the prefix. */
void ics_nat64_outwards (const IcsNat64Prefix *self, const struct sockaddr *address, IcsSockaddr *outwards);
/* @address as the rest of the world writes it: one within the prefix as IPv4. */
void ics_nat64_inwards (const IcsNat64Prefix *self, const struct sockaddr *address, IcsSockaddr *inwards);

G_END_DECLS
