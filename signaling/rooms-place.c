/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signaling/rooms-private.h"
#include <sodium.h>
#include <string.h>

static IcsRoom *
room_new (IcsRooms *self, const guint8 *id)
{
  IcsRoom *room = g_new0 (IcsRoom, 1);

  memcpy (room->id, id, ICS_RV_ID_SIZE);
  room->waits_until = G_MAXINT64;
  for (guint i = 0; i < 2; i++)
    ics_frame_queue_init (&room->places[i].queue, self->config.window);
  g_hash_table_insert (self->rooms, room->id, room);
  return room;
}

static guint32
random_u32 (gpointer data)
{
  guint32 value;

  ics_rooms_random (data, (guint8 *)&value, sizeof value);
  return value;
}

void
ics_rooms_refuse (IcsRooms *self, gint64 now, IcsRoomsConnection *connection, IcsRvError error,
                  const char *message)
{
  IcsRvMessage reply = { .type = ICS_RV_ERROR, .error = error, .text = g_strdup (message) };

  ics_rooms_push_message (self, connection, &reply);
  ics_rooms_vacate (self, now, connection, FALSE);
  ics_rooms_push_close (self, connection, ICS_WS_CLOSE_POLICY_VIOLATION, ics_rv_error_to_string (error));
}

static IcsRvPeer
peer_state (const IcsRoom *room, guint member)
{
  switch (room->places[1 - member].state)
    {
    case ICS_PLACE_EMPTY:
      return ICS_RV_PEER_ABSENT;
    case ICS_PLACE_PRESENT:
      return ICS_RV_PEER_PRESENT;
    case ICS_PLACE_LOST:
    case ICS_PLACE_LEFT: /* "gone" follows behind what it still had sent */
      return ICS_RV_PEER_LOST;
    }
  return ICS_RV_PEER_ABSENT;
}

static void
welcome (IcsRooms *self, IcsRoom *room, IcsRoomsConnection *connection, IcsRvType type, guint nameplate)
{
  const IcsPlace *place = &room->places[connection->member];
  IcsRvMessage reply = { .type = type,
                         .nameplate = nameplate,
                         .member = connection->member,
                         .grace_ms = (guint)(self->config.grace_us / 1000),
                         .window = self->config.window,
                         .peer = peer_state (room, connection->member) };

  memcpy (reply.room, room->id, ICS_RV_ID_SIZE);
  memcpy (reply.secret, place->secret, ICS_RV_ID_SIZE);
  ics_rooms_push_message (self, connection, &reply);
}

static void
attach (IcsRooms *self, IcsRoom *room, guint member, IcsRoomsConnection *connection)
{
  IcsPlace *place = &room->places[member];

  place->state = ICS_PLACE_PRESENT;
  place->connection = connection;
  connection->room = room;
  connection->member = member;
  /* What the former connection had sent is not on this one's account. */
  g_queue_clear_full (&room->places[1 - member].queue.data, (GDestroyNotify)g_bytes_unref);
  room->places[1 - member].queue.data_cost = 0;
}

static gboolean
rooms_full (IcsRooms *self)
{
  return g_hash_table_size (self->rooms) >= self->config.max_rooms;
}

static void
refuse_rooms (IcsRooms *self, gint64 now, IcsRoomsConnection *connection)
{
  self->stats[ICS_ROOMS_STAT_REFUSED_ROOMS]++;
  ics_rooms_refuse (self, now, connection, ICS_RV_ERROR_ROOMS, "the server has no room left");
}

static void
new_secret (IcsRooms *self, IcsPlace *place)
{
  ics_rooms_random (self, place->secret, ICS_RV_ID_SIZE);
  place->known = TRUE;
}

static void
allocate (IcsRooms *self, gint64 now, IcsRoomsConnection *connection)
{
  guint8 id[ICS_RV_ID_SIZE];
  IcsRoom *room;

  ics_rooms_random (self, id, sizeof id);
  if (rooms_full (self) || g_hash_table_contains (self->rooms, id))
    {
      refuse_rooms (self, now, connection);
      return;
    }
  room = room_new (self, id);
  room->nameplate = ics_nameplates_allocate (self->nameplates, now, room, random_u32, self);
  if (room->nameplate == 0)
    {
      g_hash_table_remove (self->rooms, room->id);
      refuse_rooms (self, now, connection);
      return;
    }
  room->waits_until = now + self->config.wait_us;
  ics_rooms_arm (self, room->waits_until);
  new_secret (self, &room->places[0]);
  attach (self, room, 0, connection);
  self->stats[ICS_ROOMS_STAT_ALLOCATED]++;
  welcome (self, room, connection, ICS_RV_ALLOCATED, room->nameplate);
}

static void
join (IcsRooms *self, gint64 now, IcsRoomsConnection *connection, const IcsRvMessage *request)
{
  IcsRoom *room;

  if (!ics_rate_limit_take (self->joins, now, connection->address))
    {
      self->stats[ICS_ROOMS_STAT_REFUSED_ATTEMPTS]++;
      ics_rooms_refuse (self, now, connection, ICS_RV_ERROR_ATTEMPTS, "too many attempts from this address");
      return;
    }
  room = ics_nameplates_lookup (self->nameplates, request->nameplate);
  if (room == NULL)
    {
      self->stats[ICS_ROOMS_STAT_REFUSED_NAMEPLATE]++;
      ics_rooms_refuse (self, now, connection, ICS_RV_ERROR_NO_ROOM, "nobody waits under this number");
      return;
    }
  ics_rooms_burn (self, now, room);
  room->waits_until = G_MAXINT64;
  new_secret (self, &room->places[1]);
  attach (self, room, 1, connection);
  self->stats[ICS_ROOMS_STAT_JOINED]++;
  welcome (self, room, connection, ICS_RV_JOINED, request->nameplate);
  ics_rooms_tell_peer_state (self, room, 0, ICS_RV_PEER_PRESENT, NULL);
}

static void
refuse_resume (IcsRooms *self, gint64 now, IcsRoomsConnection *connection, IcsRvError error,
               const char *message)
{
  self->stats[ICS_ROOMS_STAT_REFUSED_RESUME]++;
  ics_rooms_refuse (self, now, connection, error, message);
}

/* The server restarted: the 128-bit room id, known to the two members only, is the credential. */
static IcsRoom *
recreate (IcsRooms *self, gint64 now, IcsRoomsConnection *connection, const IcsRvMessage *request)
{
  IcsRoom *room;

  if (rooms_full (self))
    {
      refuse_rooms (self, now, connection);
      return NULL;
    }
  room = room_new (self, request->room);
  if (request->joined || request->member == 1)
    {
      room->places[1 - request->member].state = ICS_PLACE_LOST;
      room->places[1 - request->member].lost_at = now;
      ics_rooms_arm (self, now + self->config.grace_us);
    }
  else if (ics_nameplates_claim (self->nameplates, now, request->nameplate, room))
    {
      room->nameplate = request->nameplate;
      room->waits_until = now + self->config.wait_us;
      ics_rooms_arm (self, room->waits_until);
    }
  else
    {
      g_hash_table_remove (self->rooms, room->id);
      refuse_resume (self, now, connection, ICS_RV_ERROR_TAKEN,
                     "the server restarted and the number is taken");
      return NULL;
    }
  self->stats[ICS_ROOMS_STAT_RECREATED]++;
  return room;
}

/* A connection that the client has given up but the server has not yet seen die. */
static void
replace (IcsRooms *self, gint64 now, IcsRoom *room, guint member)
{
  IcsRoomsConnection *old = room->places[member].connection;

  ics_rooms_vacate (self, now, old, FALSE);
  ics_rooms_push_close (self, old, ICS_WS_CLOSE_POLICY_VIOLATION, "resumed on another connection");
}

static gboolean
may_resume (const IcsPlace *place, const IcsRvMessage *request)
{
  return !place->known || sodium_memcmp (place->secret, request->secret, ICS_RV_ID_SIZE) == 0;
}

static void
resume_in (IcsRooms *self, gint64 now, IcsRoom *room, IcsRoomsConnection *connection,
           const IcsRvMessage *request)
{
  IcsPlace *place = &room->places[request->member];

  if (place->state == ICS_PLACE_PRESENT)
    replace (self, now, room, request->member);
  memcpy (place->secret, request->secret, ICS_RV_ID_SIZE);
  place->known = TRUE;
  if (request->member == 1)
    {
      ics_rooms_burn (self, now, room);
      room->waits_until = G_MAXINT64;
    }
  attach (self, room, request->member, connection);
  self->stats[ICS_ROOMS_STAT_RESUMED]++;
  welcome (self, room, connection, ICS_RV_RESUMED, room->nameplate);
  ics_rooms_pump (self, room, request->member);
  if (room->places[1 - request->member].state == ICS_PLACE_LEFT)
    ics_rooms_end (self, now, room, "left");
  else
    ics_rooms_tell_peer_state (self, room, 1 - request->member, ICS_RV_PEER_PRESENT, NULL);
}

static void
resume (IcsRooms *self, gint64 now, IcsRoomsConnection *connection, const IcsRvMessage *request)
{
  IcsRoom *room = g_hash_table_lookup (self->rooms, request->room);

  ics_rooms_forget_ended (self, now);
  if (g_hash_table_contains (self->ended, request->room)
      || (room != NULL && !may_resume (&room->places[request->member], request))
      || (room != NULL && room->places[request->member].state == ICS_PLACE_LEFT))
    {
      refuse_resume (self, now, connection, ICS_RV_ERROR_GONE, "the session has ended");
      return;
    }
  if (room == NULL)
    room = recreate (self, now, connection, request);
  if (room != NULL)
    resume_in (self, now, room, connection, request);
}

static void
handle_turn_request (IcsRooms *self, const IcsRoomsConnection *connection)
{
  IcsRvMessage reply = { .type = ICS_RV_TURN };

  ics_rooms_push_message (self, connection, &reply);
}

void
ics_rooms_request (IcsRooms *self, gint64 now, IcsRoomsConnection *connection, const IcsRvMessage *request)
{
  gboolean placed = connection->room != NULL;

  if (!placed && request->type == ICS_RV_ALLOCATE)
    allocate (self, now, connection);
  else if (!placed && request->type == ICS_RV_JOIN)
    join (self, now, connection, request);
  else if (!placed && request->type == ICS_RV_RESUME)
    resume (self, now, connection, request);
  else if (placed && request->type == ICS_RV_TURN_REQUEST)
    handle_turn_request (self, connection);
  else if (placed && request->type == ICS_RV_LEAVE)
    {
      ics_rooms_vacate (self, now, connection, TRUE);
      ics_rooms_push_close (self, connection, ICS_WS_CLOSE_NORMAL, "left");
    }
  else
    {
      self->stats[ICS_ROOMS_STAT_BAD_REQUESTS]++;
      ics_rooms_refuse (self, now, connection, ICS_RV_ERROR_BAD_REQUEST, "the request comes out of turn");
    }
}
