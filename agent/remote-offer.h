/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/attempt-events.h"
#include "agent/nice-leg.h"
#include "agent/remote-candidate.h"

G_BEGIN_DECLS

/* What the peer has signalled for an attempt, trickled (RFC 8838), kept until libnice can take it. */

typedef struct _IcsRemoteOffer IcsRemoteOffer;

/* @events is borrowed. */
IcsRemoteOffer *ics_remote_offer_new (const IcsCandidateRules *rules, IcsAttemptEvents *events);
void ics_remote_offer_free (IcsRemoteOffer *self);

/* TRUE for the first good ones. */
gboolean ics_remote_offer_set_credentials (IcsRemoteOffer *self, const char *ufrag, const char *pwd);
/* FALSE: drop and count. */
gboolean ics_remote_offer_add (IcsRemoteOffer *self, const char *line);
/* NULL if they have not come. */
const char *ics_remote_offer_get_ufrag (const IcsRemoteOffer *self);
const char *ics_remote_offer_get_pwd (const IcsRemoteOffer *self);
/* In the order in which they came. */
const IcsRemoteCandidateList *ics_remote_offer_get_candidates (const IcsRemoteOffer *self);
/* The type of the peer's candidate at "192.0.2.1:5000"; NULL if it has offered none there. */
const char *ics_remote_offer_find (const IcsRemoteOffer *self, const char *endpoint);
void ics_remote_offer_end (IcsRemoteOffer *self);
gboolean ics_remote_offer_has_ended (const IcsRemoteOffer *self);

/* Before the first delivery: what the peer offers in IPv4 is also tried through a NAT64 with this prefix. */
void ics_remote_offer_set_nat64 (IcsRemoteOffer *self, const IcsNat64Prefix *prefix);

/* Tells the leg, which has begun to gather, what it does not know yet; FALSE as long as there are no
 * credentials. */
gboolean ics_remote_offer_deliver (IcsRemoteOffer *self, IcsNiceLeg *leg);

G_END_DECLS
