/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* IPv4 addresses as a NAT64 writes them into IPv6 ones (RFC 6052 §2.2), and how its prefix shows in the
 * answer to ipv4only.arpa (RFC 7050 §3). Pure; addresses are bytes in network order. */

#define ICS_NAT64_IPV4_LEN 4
#define ICS_NAT64_IPV6_LEN 16

/* RFC 7050 §8.2: the name whose only IPv4 addresses all the world knows. */
#define ICS_NAT64_KNOWN_NAME "ipv4only.arpa"

typedef struct
{
  guint8 bytes[ICS_NAT64_IPV6_LEN]; /* zero beyond the length */
  guint length;                     /* in bits: 32, 40, 48, 56, 64 or 96; 0: no prefix */
} IcsNat64Prefix;

/* FALSE if no prefix has this length, or its bits 64 to 71, which must be zero, are not. */
gboolean ics_nat64_prefix_init (IcsNat64Prefix *self, const guint8 bytes[ICS_NAT64_IPV6_LEN], guint length);
gboolean ics_nat64_prefix_equal (const IcsNat64Prefix *self, const IcsNat64Prefix *other);

/* The prefix in one address of ICS_NAT64_KNOWN_NAME; FALSE if a known IPv4 address is in none of the places,
 * or in more than one. */
gboolean ics_nat64_prefix_find (IcsNat64Prefix *self, const guint8 answer[ICS_NAT64_IPV6_LEN]);

void ics_nat64_embed (const IcsNat64Prefix *self, const guint8 ipv4[ICS_NAT64_IPV4_LEN],
                      guint8 ipv6[ICS_NAT64_IPV6_LEN]);
/* FALSE if the address has another prefix. */
gboolean ics_nat64_extract (const IcsNat64Prefix *self, const guint8 ipv6[ICS_NAT64_IPV6_LEN],
                            guint8 ipv4[ICS_NAT64_IPV4_LEN]);

/* FALSE for what means a machine of the sender's own network, or none: behind the translator it would be
 * another one (RFC 6052 §3.1). */
gboolean ics_nat64_is_worth_it (const guint8 ipv4[ICS_NAT64_IPV4_LEN]);

G_END_DECLS
