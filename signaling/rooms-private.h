/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "signaling/frame-queue.h"
#include "signaling/nameplates.h"
#include "signaling/rate-limit.h"
#include "signaling/rooms.h"

G_BEGIN_DECLS

/* Between rooms.c (connections, time), rooms-frames.c (what members say), rooms-place.c (who takes which
 * place) and rooms-end.c (how places and rooms end). */

typedef struct _IcsRoom IcsRoom;

typedef struct
{
  guint number;
  char *address;
  IcsRoom *room; /* NULL until it has a place */
  guint member;
  gint64 opened;
  gint64 heard;
  IcsBucket requests;
  gsize spent; /* cost of data frames received and not yet granted back */
  gsize owed;  /* the part of it that was passed on or dropped */
} IcsRoomsConnection;

typedef enum
{
  ICS_PLACE_EMPTY, /* the second member has not come yet */
  ICS_PLACE_PRESENT,
  ICS_PLACE_LOST, /* held for the grace period */
  ICS_PLACE_LEFT  /* left on purpose; the room ends when the other member has been told */
} IcsPlaceState;

typedef struct
{
  IcsPlaceState state;
  gboolean known; /* has a secret: FALSE in a re-created room until the member comes */
  guint8 secret[ICS_RV_ID_SIZE];
  IcsRoomsConnection *connection;
  gint64 lost_at;
  IcsFrameQueue queue;
} IcsPlace;

struct _IcsRoom
{
  guint8 id[ICS_RV_ID_SIZE];
  guint nameplate; /* 0 once burnt */
  gint64 waits_until;
  IcsPlace places[2];
};

typedef struct
{
  guint8 id[ICS_RV_ID_SIZE];
  gint64 until;
} IcsEndedRoom;

struct _IcsRooms
{
  IcsRoomsConfig config;
  GHashTable *connections; /* number -> IcsRoomsConnection */
  GHashTable *addresses;   /* address -> count */
  GHashTable *rooms;       /* id -> IcsRoom */
  GHashTable *ended;       /* id -> IcsEndedRoom, owned by the queue */
  GQueue ended_order;
  IcsNameplates *nameplates;
  IcsRateLimit *joins;
  GQueue actions; /* (element-type IcsRoomsAction) */
  guint last_number;
  gint64 next_beat;
  gint64 next_expiry; /* not later than the first expiry of a place or a room */
  guint64 stats[ICS_ROOMS_N_STATS];
};

/* rooms.c */
void ics_rooms_push_message (IcsRooms *self, const IcsRoomsConnection *connection, IcsRvMessage *message);
void ics_rooms_push_frame (IcsRooms *self, const IcsRoomsConnection *connection, GBytes *frame);
/* Queues the close and forgets the connection; it must have no place any more. */
void ics_rooms_push_close (IcsRooms *self, IcsRoomsConnection *connection, guint16 code, const char *reason);
void ics_rooms_random (IcsRooms *self, guint8 *buf, gsize len);
IcsRoomsConnection *ics_rooms_lookup (IcsRooms *self, guint number);
/* Closes the connection for @reason; a place it had counts as lost. */
void ics_rooms_drop (IcsRooms *self, gint64 now, IcsRoomsConnection *connection, const char *reason);

/* rooms-frames.c */
/* Lets out what the member's window allows. */
void ics_rooms_pump (IcsRooms *self, IcsRoom *room, guint member);
/* @cost of this connection's data is off the table: grants it back in good portions. */
void ics_rooms_give_back (IcsRooms *self, IcsRoomsConnection *connection, gsize cost);

/* rooms-place.c */
void ics_rooms_request (IcsRooms *self, gint64 now, IcsRoomsConnection *connection,
                        const IcsRvMessage *request);
/* The error goes out and the connection is closed; a place it had counts as lost. */
void ics_rooms_refuse (IcsRooms *self, gint64 now, IcsRoomsConnection *connection, IcsRvError error,
                       const char *message);

/* rooms-end.c */
/* The connection is gone: its place is held (lost), or given up (@left). */
void ics_rooms_vacate (IcsRooms *self, gint64 now, IcsRoomsConnection *connection, gboolean left);
void ics_rooms_end (IcsRooms *self, gint64 now, IcsRoom *room, const char *reason);
void ics_rooms_burn (IcsRooms *self, gint64 now, IcsRoom *room);
void ics_rooms_tell_peer_state (IcsRooms *self, IcsRoom *room, guint member, IcsRvPeer state,
                                const char *reason);
/* Forgets the ended rooms whose time is up. */
void ics_rooms_forget_ended (IcsRooms *self, gint64 now);
/* Something may expire at @when. */
void ics_rooms_arm (IcsRooms *self, gint64 when);
void ics_rooms_expire (IcsRooms *self, gint64 now);
void ics_room_free (IcsRoom *room);

G_END_DECLS
