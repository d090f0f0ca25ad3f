/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/turn-uri.h"
#include <glib.h>

G_BEGIN_DECLS

/* The words of the rendezvous protocol (docs/protocol.md): one WebSocket, JSON text frames between client and
 * server, binary frames whose first byte says what they are. Shared by both sides. */

#define ICS_RV_SUBPROTOCOL "ice-session.v1"
#define ICS_RV_PATH "/v1/ws"

/* First byte of a binary frame. */
#define ICS_RV_FRAME_SIGNAL 0 /* to the peer; opaque */
#define ICS_RV_FRAME_DATA 1   /* to the peer; opaque */
#define ICS_RV_FRAME_CREDIT 2 /* client <-> server; u32 big-endian */
#define ICS_RV_FRAME_BEAT 3   /* client <-> server; nothing follows */

#define ICS_RV_TEXT_MAX 16384 /* a server's reply with its TURN list */
#define ICS_RV_REQUEST_MAX 1024
#define ICS_RV_SIGNAL_MAX 16384
#define ICS_RV_DATA_MAX 65536
#define ICS_RV_FRAME_MAX (1 + ICS_RV_DATA_MAX)

/* What a signal or data frame costs of the window beyond its length: keeps a flood of tiny frames from
 * costing the receiver more memory than the window says. */
#define ICS_RV_FRAME_OVERHEAD 128
#define ICS_RV_WINDOW 1048576
#define ICS_RV_WINDOW_MIN 262144
#define ICS_RV_WINDOW_MAX 16777216
/* Signals may overdraw the window by this much, so that data never blocks them. */
#define ICS_RV_SIGNAL_ALLOWANCE 65536
#define ICS_RV_SIGNAL_QUEUE_MAX 32

#define ICS_RV_BEAT_US (5 * G_USEC_PER_SEC)
#define ICS_RV_CLIENT_SILENCE_US (15 * G_USEC_PER_SEC)
#define ICS_RV_SERVER_SILENCE_US (30 * G_USEC_PER_SEC)

#define ICS_RV_ID_SIZE 16 /* room ids and member secrets */
#define ICS_RV_NAMEPLATE_MAX 999999999

typedef enum
{
  ICS_RV_ALLOCATE,
  ICS_RV_JOIN,
  ICS_RV_RESUME,
  ICS_RV_LEAVE,
  ICS_RV_TURN_REQUEST,
  ICS_RV_ALLOCATED,
  ICS_RV_JOINED,
  ICS_RV_RESUMED,
  ICS_RV_TURN,
  ICS_RV_PEER,
  ICS_RV_ERROR
} IcsRvType;

typedef enum
{
  ICS_RV_PEER_ABSENT, /* never came yet */
  ICS_RV_PEER_PRESENT,
  ICS_RV_PEER_LOST,
  ICS_RV_PEER_GONE
} IcsRvPeer;

typedef enum
{
  ICS_RV_ERROR_NO_ROOM,
  ICS_RV_ERROR_GONE,
  ICS_RV_ERROR_TAKEN,
  ICS_RV_ERROR_ROOMS,
  ICS_RV_ERROR_ATTEMPTS,
  ICS_RV_ERROR_EXPIRED,
  ICS_RV_ERROR_BAD_REQUEST,
  ICS_RV_ERROR_OTHER /* a code this version does not know */
} IcsRvError;

typedef struct
{
  IcsRvType type;
  guint nameplate; /* 1..ICS_RV_NAMEPLATE_MAX, 0 = none any more */
  guint8 room[ICS_RV_ID_SIZE];
  guint member; /* 0 or 1 */
  guint8 secret[ICS_RV_ID_SIZE];
  gboolean joined; /* the peer had been there (resume) */
  guint grace_ms;
  guint window;
  IcsRvPeer peer;
  IcsRvError error;
  char *text;      /* reason of a peer's state, message of an error; may be NULL */
  GPtrArray *turn; /* (element-type IcsTurnServer) or NULL */
} IcsRvMessage;

/* Drops what the message holds; secrets are wiped. */
void ics_rv_message_clear (IcsRvMessage *self);

/* One line of JSON. @now_unix turns the expiry of TURN credentials into a time to live. */
char *ics_rv_encode (const IcsRvMessage *message, gint64 now_unix);

/* FALSE when it does not parse, is not of the direction (@from_server), or lacks a field. Unknown fields are
 * ignored. On TRUE free with ics_rv_message_clear(). */
gboolean ics_rv_decode (const char *text, gsize len, gboolean from_server, gint64 now_unix,
                        IcsRvMessage *message);

const char *ics_rv_error_to_string (IcsRvError error);

GBytes *ics_rv_frame_new (guint8 type, gconstpointer payload, gsize len);
GBytes *ics_rv_credit_new (guint32 amount);
/* FALSE when the frame is no credit frame of exactly five bytes. */
gboolean ics_rv_credit_parse (GBytes *frame, guint32 *amount);
/* What a signal or data frame takes of a window. */
gsize ics_rv_frame_cost (GBytes *frame);

G_END_DECLS
