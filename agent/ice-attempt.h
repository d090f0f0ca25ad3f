/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/traversal.h"

G_BEGIN_DECLS

/* An attempt over UDP on libnice: either relayed candidates only, or host and server-reflexive ones.
 *
 * As soon as a proven pair is stable (libnice has nothing left to check, or the pair has been the same for
 * max(500 ms, 4 RTT)) a direct one leaves libnice, and goes on over the same sockets in batches
 * (ics_traversal_graduate(), which does nothing on a relay leg). From then on STUN asks for consent, too. */
IcsTraversal *ics_ice_attempt_new (const IcsIceConfig *config, const IcsIceCallbacks *callbacks,
                                   gpointer user_data);

/* Before the start, for TURN over TCP or TLS: the server is reached by TCP to @port on 127.0.0.1, as plain
 * TURN. */
void ics_ice_attempt_set_tunnel (IcsTraversal *self, guint16 port);

gboolean ics_ice_attempt_has_graduated (IcsTraversal *self);

G_END_DECLS
