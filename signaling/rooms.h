/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "signaling/rendezvous.h"
#include <glib.h>

G_BEGIN_DECLS

/* The room table of the rendezvous server. Sans-IO: time (monotonic µs, G_MAXINT64 = never) comes in as an
 * argument, what to do comes out of ics_rooms_poll(). A connection takes a place in a room of two by
 * allocate, join or resume; what one member sends the other gets, bounded by credit both ways. */

typedef struct _IcsRooms IcsRooms;

typedef struct
{
  guint max_connections;             /* 0 = 4096 */
  guint max_connections_per_address; /* 0 = 64 */
  guint max_rooms;                   /* 0 = 4096 */
  guint window;                      /* bytes; 0 = ICS_RV_WINDOW */
  guint joins_per_minute;            /* per address; 0 = 30 */
  gint64 grace_us;                   /* how long a room is kept when no member is there; 0 = 30 s */
  gint64 wait_us;                    /* how long a room waits for its second member; 0 = 24 h */
  void (*random) (guint8 *buf, gsize len, gpointer user_data); /* NULL = the system's */
  gpointer random_data;
} IcsRoomsConfig;

typedef enum
{
  ICS_ROOMS_SEND_MESSAGE, /* @message as JSON; the driver adds TURN servers to allocated, joined, resumed and
                             turn */
  ICS_ROOMS_SEND_FRAME,   /* @frame as binary */
  ICS_ROOMS_CLOSE /* close the connection with @close_code (RFC 6455 §7.4); it is forgotten already */
} IcsRoomsActionType;

typedef struct
{
  IcsRoomsActionType type;
  guint connection;
  IcsRvMessage message;
  GBytes *frame;
  guint16 close_code;
  const char *reason; /* static */
} IcsRoomsAction;

/* RFC 6455 §7.4.1 */
#define ICS_WS_CLOSE_NORMAL 1000
#define ICS_WS_CLOSE_GOING_AWAY 1001
#define ICS_WS_CLOSE_POLICY_VIOLATION 1008

typedef enum
{
  ICS_ROOMS_STAT_CONNECTIONS, /* accepted so far */
  ICS_ROOMS_STAT_ALLOCATED,
  ICS_ROOMS_STAT_JOINED,
  ICS_ROOMS_STAT_RESUMED,
  ICS_ROOMS_STAT_RECREATED, /* resumed into a room the server did not know */
  ICS_ROOMS_STAT_EXPIRED,   /* rooms whose grace period or waiting time ended */
  ICS_ROOMS_STAT_SIGNALS,
  ICS_ROOMS_STAT_DATA_FRAMES,
  ICS_ROOMS_STAT_DATA_BYTES,
  ICS_ROOMS_STAT_DATA_DROPPED,        /* frames for an absent member */
  ICS_ROOMS_STAT_SIGNALS_DROPPED,     /* over the queue's bounds, or nobody there yet */
  ICS_ROOMS_STAT_REFUSED_CONNECTIONS, /* over max_connections */
  ICS_ROOMS_STAT_REFUSED_ADDRESS,     /* over max_connections_per_address */
  ICS_ROOMS_STAT_REFUSED_ROOMS,       /* over max_rooms, or no nameplate found */
  ICS_ROOMS_STAT_REFUSED_ATTEMPTS,    /* over joins_per_minute */
  ICS_ROOMS_STAT_REFUSED_NAMEPLATE,   /* no such nameplate */
  ICS_ROOMS_STAT_REFUSED_RESUME,      /* ended room, wrong secret, or the nameplate is taken */
  ICS_ROOMS_STAT_BAD_REQUESTS,        /* text that does not parse or comes out of turn */
  ICS_ROOMS_STAT_BAD_FRAMES,          /* binary that does not parse or is too long */
  ICS_ROOMS_STAT_CREDIT_OVERRUNS,
  ICS_ROOMS_STAT_FLOODS, /* too many text frames */
  ICS_ROOMS_STAT_SILENT, /* connections closed because nothing came */
  ICS_ROOMS_N_STATS
} IcsRoomsStat;

IcsRooms *ics_rooms_new (const IcsRoomsConfig *config);
void ics_rooms_free (IcsRooms *self);

/* @address is the key of the per-address limits. Returns the connection's number, or 0: refused and counted.
 */
guint ics_rooms_connect (IcsRooms *self, gint64 now, const char *address);
/* The connection ended. @clean: the client closed it on purpose (1000), which counts as leave. */
void ics_rooms_disconnect (IcsRooms *self, gint64 now, guint connection, gboolean clean);

void ics_rooms_handle_text (IcsRooms *self, gint64 now, guint connection, const char *text, gsize len);
void ics_rooms_handle_binary (IcsRooms *self, gint64 now, guint connection, GBytes *frame);

void ics_rooms_handle_timeout (IcsRooms *self, gint64 now);
gint64 ics_rooms_next_timeout (IcsRooms *self);

/* The next thing to do; FALSE when there is none. Free with ics_rooms_action_clear(). */
gboolean ics_rooms_poll (IcsRooms *self, IcsRoomsAction *action);
void ics_rooms_action_clear (IcsRoomsAction *action);

guint ics_rooms_get_n_connections (IcsRooms *self);
guint ics_rooms_get_n_rooms (IcsRooms *self);
/* Bytes that wait in the table for members' credit, overhead included. */
gsize ics_rooms_get_queued (IcsRooms *self);
guint64 ics_rooms_get_stat (IcsRooms *self, IcsRoomsStat stat);
const char *ics_rooms_stat_to_string (IcsRoomsStat stat);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsRooms, ics_rooms_free)

G_END_DECLS
