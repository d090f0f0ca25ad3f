/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Ethernet frames with IPv4 or IPv6 inside, as impair needs to know them. */

#define IMPAIR_FRAME_MAX 2048
#define IMPAIR_ETHERNET 14

/* ARP and neighbour discovery: two routers on one wire, not the path that is impaired. Without them a
 * blackhole would not be silent, since the router would report an unreachable host. */
gboolean impair_frame_is_local (const guint8 *frame, gsize len);

/* Flips the bit behind the IP header that @random chooses. In UDP the checksum is changed with it. */
void impair_frame_corrupt (guint8 *frame, gsize len, guint32 random);

/* Writes the answer to a frame that is too big into @answer (IMPAIR_FRAME_MAX): "fragmentation needed" (RFC
 * 792, RFC 1191) or "packet too big" (RFC 4443 §3.2), from the address that the packet was sent to. Returns
 * its length; 0: there is none. */
gsize impair_frame_too_big (const guint8 *frame, gsize len, guint16 mtu, guint8 *answer);
