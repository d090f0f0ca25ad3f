/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/traversal.h"

G_BEGIN_DECLS

/* An attempt over TCP (RFC 6544): one local port that listens and connects, candidates of type "so", and a
 * race (agent/tcp-race.h) for the one connection that carries the datagrams, framed by RFC 4571.
 *
 * Of IcsIceConfig it looks at controlling, host_only, family, stun (whose host and port are asked over TCP),
 * signal_rtt_us, limit_ms and context. The controlling host says its end of candidates after the peer has: it
 * is the signal to start. */
IcsTraversal *ics_tcp_attempt_new (const IcsIceConfig *config, const IcsIceCallbacks *callbacks,
                                   gpointer user_data);

G_END_DECLS
