/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The messages on the control stream (docs/protocol.md): each a u16 length and a JSON object. */

#define ICS_CONTROL_MAX 8192

typedef enum
{
  ICS_CONTROL_ICE,       /* credentials of an attempt: leg, attempt, ufrag, pwd */
  ICS_CONTROL_CANDIDATE, /* leg, attempt, candidate */
  ICS_CONTROL_END,       /* end of candidates: leg, attempt */
  ICS_CONTROL_FAILED,    /* the sender's attempt came to nothing: leg, attempt */
  ICS_CONTROL_MOVED,  /* the sender moved the traffic. RFC 9000 §9.2: the first packet that is
                         not a probe */
  ICS_CONTROL_BYE,    /* the link ends: code, reason */
  ICS_CONTROL_UNKNOWN /* well formed, of a later version: ignored */
} IcsControlType;

typedef enum
{
  ICS_LEG_TURN,
  ICS_LEG_DIRECT
} IcsLeg;

#define ICS_N_LEGS 2

typedef struct
{
  IcsControlType type;
  IcsLeg leg;
  guint attempt; /* from 1 */
  char *a;       /* ufrag, candidate, reason */
  char *b;       /* pwd */
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
