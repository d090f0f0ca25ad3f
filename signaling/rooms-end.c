/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signaling/rooms-private.h"
#include <sodium.h>
#include <string.h>

/* How long, and how many, ended rooms are remembered: a resume of one is told so instead of making it anew.
 */
#define ENDED_US (10 * 60 * (gint64)G_USEC_PER_SEC)
#define ENDED_MAX 4096

void
ics_room_free (IcsRoom *room)
{
  for (guint i = 0; i < 2; i++)
    ics_frame_queue_clear (&room->places[i].queue);
  sodium_memzero (room, sizeof *room);
  g_free (room);
}

void
ics_rooms_arm (IcsRooms *self, gint64 when)
{
  self->next_expiry = MIN (self->next_expiry, when);
}

void
ics_rooms_burn (IcsRooms *self, gint64 now, IcsRoom *room)
{
  if (room->nameplate != 0)
    ics_nameplates_burn (self->nameplates, now, room->nameplate);
  room->nameplate = 0;
}

/* Ended rooms */

static void
forget_oldest_ended (IcsRooms *self)
{
  g_autofree IcsEndedRoom *ended = g_queue_pop_head (&self->ended_order);

  g_hash_table_remove (self->ended, ended->id);
}

void
ics_rooms_forget_ended (IcsRooms *self, gint64 now)
{
  const IcsEndedRoom *first;

  while ((first = g_queue_peek_head (&self->ended_order)) != NULL && first->until <= now)
    forget_oldest_ended (self);
}

static void
remember_ended (IcsRooms *self, gint64 now, const guint8 *id)
{
  IcsEndedRoom *ended = g_new (IcsEndedRoom, 1);

  if (self->ended_order.length >= ENDED_MAX)
    forget_oldest_ended (self);
  memcpy (ended->id, id, ICS_RV_ID_SIZE);
  ended->until = now + ENDED_US;
  g_queue_push_tail (&self->ended_order, ended);
  g_hash_table_insert (self->ended, ended->id, ended);
}

/* Telling the members */

void
ics_rooms_tell_peer_state (IcsRooms *self, IcsRoom *room, guint member, IcsRvPeer state, const char *reason)
{
  IcsRvMessage message = { .type = ICS_RV_PEER, .peer = state, .text = g_strdup (reason) };

  if (room->places[member].state == ICS_PLACE_PRESENT)
    ics_rooms_push_message (self, room->places[member].connection, &message);
  ics_rv_message_clear (&message);
}

static void
dismiss (IcsRooms *self, IcsRoom *room, guint member, const char *reason)
{
  IcsPlace *place = &room->places[member];
  IcsRoomsConnection *connection = place->connection;
  GBytes *frame;

  if (place->state != ICS_PLACE_PRESENT)
    return;
  /* What the peer sent before it left arrives before the news that it left. At most a window and the
   * allowance. */
  while ((frame = ics_frame_queue_pop_any (&place->queue)) != NULL)
    {
      ics_rooms_push_frame (self, connection, frame);
      g_bytes_unref (frame);
    }
  ics_rooms_tell_peer_state (self, room, member, ICS_RV_PEER_GONE, reason);
  place->state = ICS_PLACE_LEFT;
  place->connection = NULL;
  connection->room = NULL;
  ics_rooms_push_close (self, connection, ICS_WS_CLOSE_NORMAL, "the session ended");
}

void
ics_rooms_end (IcsRooms *self, gint64 now, IcsRoom *room, const char *reason)
{
  for (guint i = 0; i < 2; i++)
    dismiss (self, room, i, reason);
  ics_rooms_burn (self, now, room);
  remember_ended (self, now, room->id);
  g_hash_table_remove (self->rooms, room->id);
}

/* Giving a place up */

static void
leave (IcsRooms *self, gint64 now, IcsRoom *room, guint member)
{
  IcsPlace *place = &room->places[member];
  IcsPlace *peer = &room->places[1 - member];

  place->state = ICS_PLACE_LEFT;
  if (peer->state != ICS_PLACE_LOST)
    {
      ics_rooms_end (self, now, room, "left");
      return;
    }
  /* A lost peer has from now on a grace period to come back and hear what was still sent. */
  peer->lost_at = now;
  ics_rooms_arm (self, now + self->config.grace_us);
}

static void
lose (IcsRooms *self, gint64 now, IcsRoom *room, guint member)
{
  IcsPlace *place = &room->places[member];
  IcsRoomsConnection *sender = room->places[1 - member].connection;
  gsize dropped = ics_frame_queue_interrupt (&place->queue);

  place->state = ICS_PLACE_LOST;
  place->lost_at = now;
  ics_rooms_arm (self, now + self->config.grace_us);
  if (sender != NULL)
    ics_rooms_give_back (self, sender, dropped);
  ics_rooms_tell_peer_state (self, room, 1 - member, ICS_RV_PEER_LOST, NULL);
}

void
ics_rooms_vacate (IcsRooms *self, gint64 now, IcsRoomsConnection *connection, gboolean left)
{
  IcsRoom *room = connection->room;

  if (room == NULL)
    return;
  connection->room = NULL;
  room->places[connection->member].connection = NULL;
  if (left)
    leave (self, now, room, connection->member);
  else
    lose (self, now, room, connection->member);
}

/* Expiry */

/* A member that is there decides itself how long it waits for the other one: its room stays. */
static gboolean
grace_is_over (IcsRooms *self, gint64 now, const IcsRoom *room)
{
  gint64 until = G_MAXINT64;

  for (guint i = 0; i < 2; i++)
    {
      const IcsPlace *place = &room->places[i];

      if (place->state == ICS_PLACE_PRESENT)
        return FALSE;
      if (place->state == ICS_PLACE_LOST)
        until = until == G_MAXINT64 ? place->lost_at : MAX (until, place->lost_at);
    }
  if (until == G_MAXINT64)
    return FALSE;
  until += self->config.grace_us;
  if (until > now)
    ics_rooms_arm (self, until);
  return until <= now;
}

/* Nobody is there. Two members who have met may come back all the same, whenever that is: the room is
 * forgotten, and made again by the first of them, as after a restart of the server. */
static void
expire_abandoned (IcsRooms *self, gint64 now, IcsRoom *room)
{
  if (room->places[0].state == ICS_PLACE_LOST && room->places[1].state == ICS_PLACE_LOST)
    g_hash_table_remove (self->rooms, room->id);
  else
    ics_rooms_end (self, now, room, "expired");
}

static void
expire_waiting (IcsRooms *self, gint64 now, IcsRoom *room)
{
  IcsRoomsConnection *connection = room->places[0].connection;

  if (connection != NULL)
    {
      IcsRvMessage reply
          = { .type = ICS_RV_ERROR, .error = ICS_RV_ERROR_EXPIRED, .text = g_strdup ("nobody came") };

      ics_rooms_push_message (self, connection, &reply);
    }
  ics_rooms_end (self, now, room, "expired");
}

void
ics_rooms_expire (IcsRooms *self, gint64 now)
{
  g_autoptr (GList) rooms = g_hash_table_get_values (self->rooms);

  self->next_expiry = G_MAXINT64;
  for (GList *l = rooms; l != NULL; l = l->next)
    {
      IcsRoom *room = l->data;

      if (room->waits_until <= now)
        {
          self->stats[ICS_ROOMS_STAT_EXPIRED]++;
          expire_waiting (self, now, room);
        }
      else if (grace_is_over (self, now, room))
        {
          self->stats[ICS_ROOMS_STAT_EXPIRED]++;
          expire_abandoned (self, now, room);
        }
      else
        ics_rooms_arm (self, room->waits_until);
    }
}
