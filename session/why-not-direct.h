/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/nat-behavior.h"
#include "base/ics-types.h"

G_BEGIN_DECLS

/* Why there is no direct path, from what is known of both hosts. Pure. Claims nothing that it was not told.
 */

typedef struct
{
  IcsPathPolicy policy;
  gboolean told_all; /* all its candidates of an attempt are known; false: those below may be not all */
  gboolean ipv4;     /* it has candidates of that family */
  gboolean ipv6;
  gboolean global;    /* a host candidate with a global address */
  gboolean reflexive; /* a STUN server told it an outside address */
  /* Of its NAT, where that was measured. */
  IcsFact mapping_varies;
  IcsNatPorts ports;
} IcsDirectEnd;

typedef struct
{
  IcsDirectEnd own, peer;
  guint started; /* direct attempts */
  guint failed;
  gboolean connected;    /* ICE found a pair, that did not prove itself */
  gboolean proved;       /* there has been a direct path */
  gboolean stun_asked;   /* by this host */
  gboolean udp_answered; /* this host got answers over UDP from elsewhere */
} IcsDirectFacts;

/* A sentence or two of evidence and remedy, in people's words, without addresses. (transfer full) */
char *ics_why_not_direct (const IcsDirectFacts *facts);

/* No search can find one, as things are. */
gboolean ics_direct_is_hopeless (const IcsDirectFacts *facts);

/* A candidate that an end told, as an SDP line; others than of a direct attempt are ignored. */
void ics_direct_end_add_candidate (IcsDirectEnd *self, const char *line);

G_END_DECLS
