/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/remote-candidate.h"
#include <nice/agent.h>

G_BEGIN_DECLS

/* libnice's candidates in this project's words. */

IcsCandidateType ics_nice_candidate_get_type (const NiceCandidate *candidate);

/* "192.0.2.1:5000", "[2001:db8::1]:5000". (transfer full) */
char *ics_nice_candidate_to_endpoint (const NiceCandidate *candidate);

/* The line the peer gets, without "a=" (RFC 8839 §5.1). (transfer full) (nullable) */
char *ics_nice_candidate_to_line (NiceAgent *agent, NiceCandidate *candidate);

G_END_DECLS
