/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/traversal-class.h"
#include "agent/udp-endpoint.h"

G_BEGIN_DECLS

/* The UDP endpoint of an attempt that has a pair with sockets of its own, and what it tells the owner. A
 * member of the attempt, zero before it is opened. */
typedef struct
{
  IcsTraversal *traversal;
  IcsUdpEndpoint *endpoint; /* NULL: not yet */
  IcsIcePair pair;
  guint socket; /* that of the pair */
  void (*closing) (guint socket, gpointer attempt);
} IcsAttemptEndpoint;

/* Takes the sockets over, not yet their reading: ics_udp_endpoint_start(). @closing: as in
 * IcsUdpEndpointHooks, with the attempt for its user data. */
void ics_attempt_endpoint_open (IcsAttemptEndpoint *self, IcsTraversal *traversal, GArray *fds,
                                const IcsFlow *flow, void (*closing) (guint socket, gpointer attempt));
void ics_attempt_endpoint_close (IcsAttemptEndpoint *self);
void ics_attempt_endpoint_clear (IcsAttemptEndpoint *self);

/* The pair is that of @flow; a note says so. */
void ics_attempt_endpoint_name_pair (IcsAttemptEndpoint *self, const IcsFlow *flow);
/* Copied. */
void ics_attempt_endpoint_get_pair (const IcsAttemptEndpoint *self, IcsIcePair *pair);

G_END_DECLS
