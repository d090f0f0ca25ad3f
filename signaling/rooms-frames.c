/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signaling/rooms-private.h"

/* Text frames: so many at once, then one in so many µs. */
#define REQUEST_BURST 16
#define REQUEST_INTERVAL_US ((gint64)G_USEC_PER_SEC / 2)

void
ics_rooms_handle_text (IcsRooms *self, gint64 now, guint number, const char *text, gsize len)
{
  IcsRoomsConnection *connection = ics_rooms_lookup (self, number);
  IcsRvMessage request;

  if (connection == NULL)
    return;
  connection->heard = now;
  if (!ics_bucket_take (&connection->requests, now, REQUEST_BURST, REQUEST_INTERVAL_US))
    {
      self->stats[ICS_ROOMS_STAT_FLOODS]++;
      ics_rooms_drop (self, now, connection, "too many requests");
      return;
    }
  if (!ics_rv_decode (text, len, FALSE, 0, &request))
    {
      self->stats[ICS_ROOMS_STAT_BAD_REQUESTS]++;
      ics_rooms_refuse (self, now, connection, ICS_RV_ERROR_BAD_REQUEST, "the request does not parse");
      return;
    }
  ics_rooms_request (self, now, connection, &request);
  ics_rv_message_clear (&request);
}

void
ics_rooms_give_back (IcsRooms *self, IcsRoomsConnection *connection, gsize cost)
{
  g_autoptr (GBytes) credit = NULL;

  connection->owed += cost;
  if (connection->owed < self->config.window / 4)
    return;
  credit = ics_rv_credit_new ((guint32)connection->owed);
  ics_rooms_push_frame (self, connection, credit);
  connection->spent -= connection->owed;
  connection->owed = 0;
}

static gboolean
is_data (GBytes *frame)
{
  return *(const guint8 *)g_bytes_get_data (frame, NULL) == ICS_RV_FRAME_DATA;
}

void
ics_rooms_pump (IcsRooms *self, IcsRoom *room, guint member)
{
  IcsPlace *place = &room->places[member];
  IcsRoomsConnection *sender = room->places[1 - member].connection;
  GBytes *frame;

  if (place->state != ICS_PLACE_PRESENT)
    return;
  while ((frame = ics_frame_queue_pop (&place->queue)) != NULL)
    {
      ics_rooms_push_frame (self, place->connection, frame);
      if (is_data (frame) && sender != NULL)
        ics_rooms_give_back (self, sender, ics_rv_frame_cost (frame));
      g_bytes_unref (frame);
    }
}

static void
handle_signal (IcsRooms *self, gint64 now, IcsRoomsConnection *connection, GBytes *frame)
{
  IcsPlace *peer = &connection->room->places[1 - connection->member];

  if (g_bytes_get_size (frame) > 1 + ICS_RV_SIGNAL_MAX)
    {
      self->stats[ICS_ROOMS_STAT_BAD_FRAMES]++;
      ics_rooms_drop (self, now, connection, "signal too long");
      return;
    }
  self->stats[ICS_ROOMS_STAT_SIGNALS]++;
  if (peer->state == ICS_PLACE_EMPTY || !ics_frame_queue_push_signal (&peer->queue, frame))
    self->stats[ICS_ROOMS_STAT_SIGNALS_DROPPED]++;
  ics_rooms_pump (self, connection->room, 1 - connection->member);
}

static void
handle_data (IcsRooms *self, gint64 now, IcsRoomsConnection *connection, GBytes *frame)
{
  IcsPlace *peer = &connection->room->places[1 - connection->member];
  gsize cost = ics_rv_frame_cost (frame);

  if (connection->spent + cost > self->config.window)
    {
      self->stats[ICS_ROOMS_STAT_CREDIT_OVERRUNS]++;
      ics_rooms_drop (self, now, connection, "sent more than the credit allows");
      return;
    }
  connection->spent += cost;
  if (peer->state != ICS_PLACE_PRESENT || !ics_frame_queue_push_data (&peer->queue, frame))
    {
      self->stats[ICS_ROOMS_STAT_DATA_DROPPED]++;
      ics_rooms_give_back (self, connection, cost);
      return;
    }
  self->stats[ICS_ROOMS_STAT_DATA_FRAMES]++;
  self->stats[ICS_ROOMS_STAT_DATA_BYTES] += g_bytes_get_size (frame) - 1;
  ics_rooms_pump (self, connection->room, 1 - connection->member);
}

static void
handle_credit (IcsRooms *self, gint64 now, IcsRoomsConnection *connection, GBytes *frame)
{
  IcsPlace *place = &connection->room->places[connection->member];
  guint32 amount;

  if (!ics_rv_credit_parse (frame, &amount) || !ics_frame_queue_credit (&place->queue, amount))
    {
      self->stats[ICS_ROOMS_STAT_CREDIT_OVERRUNS]++;
      ics_rooms_drop (self, now, connection, "returned more credit than it had");
      return;
    }
  ics_rooms_pump (self, connection->room, connection->member);
}

void
ics_rooms_handle_binary (IcsRooms *self, gint64 now, guint number, GBytes *frame)
{
  IcsRoomsConnection *connection = ics_rooms_lookup (self, number);
  gsize size;
  const guint8 *data = g_bytes_get_data (frame, &size);
  guint8 type = size > 0 ? data[0] : G_MAXUINT8;

  if (connection == NULL)
    return;
  connection->heard = now;
  if (type == ICS_RV_FRAME_BEAT && size == 1)
    return;
  if (connection->room == NULL || size > ICS_RV_FRAME_MAX || type >= ICS_RV_FRAME_BEAT)
    {
      self->stats[ICS_ROOMS_STAT_BAD_FRAMES]++;
      ics_rooms_drop (self, now, connection, "malformed frame, or no room");
    }
  else if (type == ICS_RV_FRAME_SIGNAL)
    handle_signal (self, now, connection, frame);
  else if (type == ICS_RV_FRAME_DATA)
    handle_data (self, now, connection, frame);
  else
    handle_credit (self, now, connection, frame);
}
