/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/traversal.h"

G_BEGIN_DECLS

/* An attempt to get through a NAT that maps anew for each destination (agent/punch-search.h). The host whose
 * config says so opens, the other one probes. Such NATs are IPv4's; a host that has a NAT64 takes part as
 * well.
 *
 * The prober tells one server-reflexive candidate, which the opener is to send to: that of its socket, or,
 * when its own NAT maps anew, one that it predicts; then end of candidates. The opener waits for it, tells
 * one candidate, or the 16 that it predicts, and end of candidates when all its sockets have sent; that is
 * when the prober begins. */
IcsTraversal *ics_punch_attempt_new (const IcsIceConfig *config, const IcsIceCallbacks *callbacks,
                                     gpointer user_data);

G_END_DECLS
