/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/attempt-events.h"
#include "agent/remote-candidate.h"
#include "agent/tcp-socket.h"
#include "base/nat64.h"

G_BEGIN_DECLS

/* The local candidates of a TCP attempt: the host's addresses with the ports that it listens on, and what a
 * STUN server sees of one of them. */

typedef struct _IcsTcpGatherer IcsTcpGatherer;

/* Gathering has ended, whatever came of it. */
typedef void (*IcsTcpGathererFunc) (gpointer user_data);

/* @config and @events, which is told of each candidate, are borrowed. */
IcsTcpGatherer *ics_tcp_gatherer_new (const IcsIceConfig *config, IcsAttemptEvents *events,
                                      IcsTcpGathererFunc done, gpointer user_data);
/* Closes the connection to the STUN server, which keeps the mapping. */
void ics_tcp_gatherer_free (IcsTcpGatherer *self);

/* The ports that listen, 0: none of that family. @done may run before this returns. */
void ics_tcp_gatherer_start (IcsTcpGatherer *self, guint16 port4, guint16 port6);
/* Once it has ended: what this host reaches IPv4 through; of length 0: nothing is needed, or there is
 * nothing. */
const IcsNat64Prefix *ics_tcp_gatherer_get_nat64 (const IcsTcpGatherer *self);
gboolean ics_tcp_gatherer_has_only_loopback (const IcsTcpGatherer *self);

G_END_DECLS
