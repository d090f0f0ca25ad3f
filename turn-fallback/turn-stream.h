/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/wire.h"

G_BEGIN_DECLS

/* Finds the messages in one direction of a TURN connection over TCP or TLS (RFC 8489 §6.2.2, RFC 8656
 * §12.5): STUN messages and ChannelData follow one another, without more. Sans-IO, without allocation. */

/* A STUN message up to this size is kept whole; of a longer one only its length is heeded. */
#define ICS_TURN_STREAM_KEPT 2048

typedef struct
{
  guint8 kept[ICS_TURN_STREAM_KEPT];
  gsize have; /* of the message that comes in */
  gsize size; /* of it; 0 while that is not known */
  gboolean broken;
} IcsTurnStream;

typedef struct
{
  gsize used;            /* bytes of the input that belong to this message */
  gboolean complete;     /* else more of it is to come */
  gboolean channel_data; /* it is known to be ChannelData */
  IcsSpan stun;          /* a complete STUN message, as long as nothing more is taken; empty for other data */
} IcsTurnFrame;

/* All zeros is the begin. Takes bytes up to the end of one message. FALSE when this is no TURN: nothing more
 * can be made of it then. */
gboolean ics_turn_stream_take (IcsTurnStream *self, const guint8 *data, gsize len, IcsTurnFrame *frame);

G_END_DECLS
