/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "session/leg-routes.h"
#include "session/search-rule.h"

G_BEGIN_DECLS

/* The messages on the control stream (docs/protocol.md): each a u16 length and a JSON object. */

#define ICS_CONTROL_MAX 8192
#define ICS_CONTROL_FRAME_MAX (2 + ICS_CONTROL_MAX)

typedef enum
{
  ICS_CONTROL_RELAYS,    /* what the listener brings to the turn leg: servers, plain */
  ICS_CONTROL_ICE,       /* credentials of an attempt: leg, attempt, ufrag, pwd; turn: relays, server; search:
                            opens */
  ICS_CONTROL_CANDIDATE, /* leg, attempt, candidate */
  ICS_CONTROL_END,       /* end of candidates: leg, attempt */
  ICS_CONTROL_OVER,      /* the sender's attempt came to nothing, or is not needed any more: leg, attempt */
  ICS_CONTROL_MOVED,     /* the sender moved the traffic. RFC 9000 §9.2: the first packet that is
                            not a probe */
  ICS_CONTROL_RENEW,     /* the listener's network changed: the joiner shall start fresh attempts */
  ICS_CONTROL_POLICY,    /* the sender's path policy from now on: policy */
  ICS_CONTROL_NAT,       /* how the sender's NAT behaves: nat */
  ICS_CONTROL_MEDIA,     /* the sender's application takes RTP: profiles */
  ICS_CONTROL_BYE,       /* the link ends: code, reason */
  ICS_CONTROL_UNKNOWN    /* well formed, of a later version: ignored */
} IcsControlType;

typedef enum
{
  ICS_LEG_TURN,
  ICS_LEG_DIRECT, /* over UDP */
  ICS_LEG_TCP,    /* direct, over TCP */
  ICS_LEG_SEARCH  /* direct, through a NAT that maps anew for each destination */
} IcsLeg;

#define ICS_N_LEGS 4

typedef struct
{
  IcsControlType type;
  IcsLeg leg;
  guint attempt;    /* from 1 */
  IcsRelays relays; /* of an attempt of the turn leg; of the search leg: which host opens */
  guint server;     /* place in the list of ICS_CONTROL_RELAYS, when the listener relays */
  char **servers;   /* URIs without credentials */
  gboolean plain;
  IcsNatTraits nat;
  char *a; /* ufrag, candidate, policy, profiles, reason */
  char *b; /* pwd */
  guint64 code;
} IcsControl;

void ics_control_clear (IcsControl *self);

/* (transfer full): the framed message. */
GBytes *ics_control_encode (const IcsControl *self);

/* One JSON object without its frame. FALSE when it is not well formed. */
gboolean ics_control_decode (const char *json, gsize len, IcsControl *self);

/* Cuts the byte stream of the peer into messages. */
typedef struct
{
  GByteArray *buffer;
} IcsControlReader;

void ics_control_reader_init (IcsControlReader *self);
void ics_control_reader_clear (IcsControlReader *self);
void ics_control_reader_feed (IcsControlReader *self, const guint8 *data, gsize len);

typedef enum
{
  ICS_CONTROL_MORE, /* no whole message there */
  ICS_CONTROL_MESSAGE,
  ICS_CONTROL_MALFORMED /* the stream can not be trusted any more */
} IcsControlRead;

IcsControlRead ics_control_reader_next (IcsControlReader *self, IcsControl *message);

const char *ics_leg_to_string (IcsLeg leg);

G_END_DECLS
