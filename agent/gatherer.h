/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/attempt-events.h"
#include "agent/nice-leg.h"
#include "base/nat64.h"

G_BEGIN_DECLS

/* Brings a leg to gather: finds its STUN or TURN server, and the local addresses to gather from. */

typedef struct _IcsGatherer IcsGatherer;

/* @gathering: whether the leg has begun; if not, it never will, and a note says why. */
typedef void (*IcsGathererFunc) (gboolean gathering, gpointer user_data);

/* All is borrowed. */
IcsGatherer *ics_gatherer_new (const IcsIceConfig *config, IcsNiceLeg *leg, IcsAttemptEvents *events);
void ics_gatherer_free (IcsGatherer *self);

/* TRUE when a direct leg has nothing but loopback addresses. */
gboolean ics_gatherer_has_only_loopback (IcsGatherer *self);

/* Once it gathers: the prefix of the NAT64 without which this host would not reach IPv4; NULL: none. */
const IcsNat64Prefix *ics_gatherer_get_nat64 (IcsGatherer *self);

/* Before the start: TURN over TCP to @port on 127.0.0.1, where a tunnel to the server begins. */
void ics_gatherer_set_tunnel (IcsGatherer *self, guint16 port);

/* The TURN server's address, where it is spoken to over UDP; NULL while it is not known. */
GInetSocketAddress *ics_gatherer_get_server (IcsGatherer *self);

/* Once. @done may run before this returns. */
void ics_gatherer_start (IcsGatherer *self, IcsGathererFunc done, gpointer user_data);

G_END_DECLS
