/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/wire.h"

G_BEGIN_DECLS

/* Asks for an IPv6 relay in the name of a client that can not. Pure. */

/* The Allocate request @data with REQUESTED-ADDRESS-FAMILY (RFC 8656 §18.6) for IPv6, signed anew if it was
 * signed. NULL when it is no such request, names a family or can not be signed. (transfer full) (nullable) */
GBytes *ics_turn_family_ask_ipv6 (const guint8 *data, gsize len, const char *password);

/* Appends MESSAGE-INTEGRITY by long-term credentials (RFC 8489 §9.2.2, §14.5) to a STUN message. */
void ics_turn_family_sign (GByteArray *message, IcsSpan username, IcsSpan realm, const char *password);

G_END_DECLS
