/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/nat64.h"
#include <glib.h>

G_BEGIN_DECLS

/* What the peer signals: candidate lines (RFC 8839 §5.1, RFC 6544 §4.5) and credentials (RFC 8839 §5.4),
 * checked before anything else sees them. Pure: no sockets, no names looked up, no allocation of what the
 * peer chose the size of. */

#define ICS_REMOTE_CANDIDATE_LINE_MAX 256
#define ICS_REMOTE_CANDIDATES_MAX 32

typedef enum
{
  ICS_CANDIDATE_HOST,
  ICS_CANDIDATE_SRFLX,
  ICS_CANDIDATE_PRFLX,
  ICS_CANDIDATE_RELAY
} IcsCandidateType;

/* RFC 6544 §4.5: how a TCP candidate comes to a connection. */
typedef enum
{
  ICS_TCPTYPE_NONE, /* a UDP candidate */
  ICS_TCPTYPE_ACTIVE,
  ICS_TCPTYPE_PASSIVE,
  ICS_TCPTYPE_SO /* simultaneous open */
} IcsTcpType;

typedef struct
{
  char foundation[33]; /* RFC 8839 §5.1: 1*32ice-char */
  guint32 priority;
  char address[46]; /* canonical literal, INET6_ADDRSTRLEN */
  guint16 port;
  int family; /* 4 or 6 */
  IcsCandidateType type;
  gboolean mapped; /* the peer's gateway maps it, on the peer's word */
  IcsTcpType tcptype;
} IcsRemoteCandidate;

/* The extension by which a server-reflexive candidate says that it is a port mapping, with the protocol's
 * name as its value; and the name of such a candidate's type in paths. */
#define ICS_CANDIDATE_MAPPING_ATTRIBUTE "mapping"
#define ICS_CANDIDATE_MAPPED "mapped"

typedef struct
{
  gboolean tcp;            /* only TCP candidates (RFC 6544), which have a tcptype; else only UDP */
  gboolean relay_only;     /* only typ relay; else only host and srflx */
  gboolean host_only;      /* only typ host */
  int family;              /* 0 any, 4 or 6; the family of a relayed address is the relay's business */
  gboolean allow_loopback; /* this host itself has nothing but loopback addresses */
} IcsCandidateRules;

/* Why a line was refused, from the coarse to the fine; in people's words by
 * ics_candidate_verdict_to_string(). */
typedef enum
{
  ICS_CANDIDATE_OK,
  ICS_CANDIDATE_TOO_LONG,
  ICS_CANDIDATE_MALFORMED,
  ICS_CANDIDATE_NOT_UDP,
  ICS_CANDIDATE_NOT_TCP,
  ICS_CANDIDATE_WRONG_COMPONENT,
  ICS_CANDIDATE_NOT_A_LITERAL,
  ICS_CANDIDATE_BAD_ADDRESS,
  ICS_CANDIDATE_WRONG_TYPE,
  ICS_CANDIDATE_WRONG_FAMILY,
  ICS_CANDIDATE_DUPLICATE,
  ICS_CANDIDATE_TOO_MANY
} IcsCandidateVerdict;

const char *ics_candidate_verdict_to_string (IcsCandidateVerdict verdict);
const char *ics_candidate_type_to_string (IcsCandidateType type);
const char *ics_tcptype_to_string (IcsTcpType type);

/* Parses "candidate:..." and applies the rules that concern this line alone. */
IcsCandidateVerdict ics_remote_candidate_parse (const char *line, const IcsCandidateRules *rules,
                                                IcsRemoteCandidate *candidate);

/* @translated becomes @self, as a host behind a NAT64 with this prefix reaches it. FALSE: not IPv4, or
 * nothing that is worth it there. */
gboolean ics_remote_candidate_translate (const IcsRemoteCandidate *self, const IcsNat64Prefix *prefix,
                                         IcsRemoteCandidate *translated);

/* A UDP candidate as an SDP attribute line made of checked fields only: what the peer added (related address,
 * extensions) is gone. (transfer full) */
char *ics_remote_candidate_to_sdp (const IcsRemoteCandidate *self);

/* Its type, or "mapped". */
const char *ics_remote_candidate_get_type_name (const IcsRemoteCandidate *self);

/* "203.0.113.9:40311", "[2001:db8::1]:5000". (transfer full) */
char *ics_remote_candidate_to_endpoint (const IcsRemoteCandidate *self);

typedef struct
{
  IcsRemoteCandidate items[ICS_REMOTE_CANDIDATES_MAX];
  guint len;
} IcsRemoteCandidateList;

/* Adds a copy, unless the address is known already or the list is full. */
IcsCandidateVerdict ics_remote_candidate_list_add (IcsRemoteCandidateList *self,
                                                   const IcsRemoteCandidate *candidate);

/* RFC 8839 §5.4: ufrag of 4 to 256, password of 22 to 256 ice-chars. */
gboolean ics_ice_credentials_are_valid (const char *ufrag, const char *pwd);

G_END_DECLS
