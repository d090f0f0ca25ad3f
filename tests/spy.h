/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "signaling/ics-channel.h"

/* A relay that writes down all that it carries and looks for things in it. It opens what anybody on the path
 * can open: the Initial packets of QUIC, whose keys follow from the packet itself (RFC 9001 §5.2). */
typedef struct _Spy Spy;

Spy *spy_new (void);
void spy_free (Spy *self);
void spy_hear (Spy *self, IcsChannelKind kind, GBytes *message);
guint spy_count (Spy *self, IcsChannelKind kind);
guint spy_count_opened (Spy *self); /* Initial packets */

/* Whether @data occurs anywhere: as it is, in hexadecimal digits of either case, in base64 at any alignment
 * and of either alphabet. At least SPY_MIN bytes: fewer occur by chance. */
#define SPY_MIN 6
gboolean spy_finds (Spy *self, gconstpointer data, gsize len);
gboolean spy_finds_text (Spy *self, const char *text);

/* As text, and as bytes: IPv6 alone; IPv4 next to the port on either side, plain and as STUN's XOR form (RFC
 * 8489 §14.2). In the few and small signals also IPv4 alone. */
gboolean spy_finds_address (Spy *self, GInetAddress *address, guint16 port);
