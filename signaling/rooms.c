/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signaling/rooms.h"
#include "signaling/rooms-private.h"
#include <sodium.h>
#include <string.h>

/* How long a connection may live without a place. */
#define UNPLACED_US (10 * (gint64)G_USEC_PER_SEC)

static const char *const stat_names[ICS_ROOMS_N_STATS] = {
  [ICS_ROOMS_STAT_CONNECTIONS] = "connections",
  [ICS_ROOMS_STAT_ALLOCATED] = "allocated",
  [ICS_ROOMS_STAT_JOINED] = "joined",
  [ICS_ROOMS_STAT_RESUMED] = "resumed",
  [ICS_ROOMS_STAT_RECREATED] = "recreated",
  [ICS_ROOMS_STAT_EXPIRED] = "expired",
  [ICS_ROOMS_STAT_SIGNALS] = "signals",
  [ICS_ROOMS_STAT_DATA_FRAMES] = "data_frames",
  [ICS_ROOMS_STAT_DATA_BYTES] = "data_bytes",
  [ICS_ROOMS_STAT_DATA_DROPPED] = "data_dropped",
  [ICS_ROOMS_STAT_SIGNALS_DROPPED] = "signals_dropped",
  [ICS_ROOMS_STAT_REFUSED_CONNECTIONS] = "refused_connections",
  [ICS_ROOMS_STAT_REFUSED_ADDRESS] = "refused_address",
  [ICS_ROOMS_STAT_REFUSED_ROOMS] = "refused_rooms",
  [ICS_ROOMS_STAT_REFUSED_ATTEMPTS] = "refused_attempts",
  [ICS_ROOMS_STAT_REFUSED_NAMEPLATE] = "refused_nameplate",
  [ICS_ROOMS_STAT_REFUSED_RESUME] = "refused_resume",
  [ICS_ROOMS_STAT_BAD_REQUESTS] = "bad_requests",
  [ICS_ROOMS_STAT_BAD_FRAMES] = "bad_frames",
  [ICS_ROOMS_STAT_CREDIT_OVERRUNS] = "credit_overruns",
  [ICS_ROOMS_STAT_FLOODS] = "floods",
  [ICS_ROOMS_STAT_SILENT] = "silent",
};

static guint
hash_id (gconstpointer key)
{
  guint hash;

  memcpy (&hash, key, sizeof hash);
  return hash;
}

static gboolean
equal_id (gconstpointer a, gconstpointer b)
{
  return sodium_memcmp (a, b, ICS_RV_ID_SIZE) == 0;
}

static void
connection_free (gpointer data)
{
  IcsRoomsConnection *connection = data;

  g_free (connection->address);
  g_free (connection);
}

static void
set_defaults (IcsRoomsConfig *config)
{
  if (config->max_connections == 0)
    config->max_connections = 4096;
  if (config->max_connections_per_address == 0)
    config->max_connections_per_address = 64;
  if (config->max_rooms == 0)
    config->max_rooms = 4096;
  if (config->window == 0)
    config->window = ICS_RV_WINDOW;
  config->window = CLAMP (config->window, ICS_RV_WINDOW_MIN, ICS_RV_WINDOW_MAX);
  if (config->joins_per_minute == 0)
    config->joins_per_minute = 30;
  if (config->grace_us == 0)
    config->grace_us = 30 * (gint64)G_USEC_PER_SEC;
  if (config->wait_us == 0)
    config->wait_us = 24 * 3600 * (gint64)G_USEC_PER_SEC;
}

IcsRooms *
ics_rooms_new (const IcsRoomsConfig *config)
{
  IcsRooms *self = g_new0 (IcsRooms, 1);

  self->config = *config;
  set_defaults (&self->config);
  self->connections = g_hash_table_new_full (NULL, NULL, NULL, connection_free);
  self->addresses = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->rooms = g_hash_table_new_full (hash_id, equal_id, NULL, (GDestroyNotify)ics_room_free);
  self->ended = g_hash_table_new (hash_id, equal_id);
  g_queue_init (&self->ended_order);
  g_queue_init (&self->actions);
  self->nameplates = ics_nameplates_new ();
  self->joins = ics_rate_limit_new (self->config.joins_per_minute,
                                    60 * (gint64)G_USEC_PER_SEC / self->config.joins_per_minute);
  self->next_beat = self->next_expiry = G_MAXINT64;
  return self;
}

void
ics_rooms_free (IcsRooms *self)
{
  IcsRoomsAction action;

  while (ics_rooms_poll (self, &action))
    ics_rooms_action_clear (&action);
  g_hash_table_unref (self->rooms);
  g_hash_table_unref (self->connections);
  g_hash_table_unref (self->addresses);
  g_hash_table_unref (self->ended);
  g_queue_clear_full (&self->ended_order, g_free);
  ics_nameplates_free (self->nameplates);
  ics_rate_limit_free (self->joins);
  g_free (self);
}

/* Actions */

static IcsRoomsAction *
push_action (IcsRooms *self, IcsRoomsActionType type, const IcsRoomsConnection *connection)
{
  IcsRoomsAction *action = g_new0 (IcsRoomsAction, 1);

  action->type = type;
  action->connection = connection->number;
  g_queue_push_tail (&self->actions, action);
  return action;
}

void
ics_rooms_push_message (IcsRooms *self, const IcsRoomsConnection *connection, IcsRvMessage *message)
{
  push_action (self, ICS_ROOMS_SEND_MESSAGE, connection)->message = *message;
  sodium_memzero (message, sizeof *message);
}

void
ics_rooms_push_frame (IcsRooms *self, const IcsRoomsConnection *connection, GBytes *frame)
{
  push_action (self, ICS_ROOMS_SEND_FRAME, connection)->frame = g_bytes_ref (frame);
}

static void
forget (IcsRooms *self, IcsRoomsConnection *connection)
{
  guint count = GPOINTER_TO_UINT (g_hash_table_lookup (self->addresses, connection->address));

  if (count > 1)
    g_hash_table_insert (self->addresses, g_strdup (connection->address), GUINT_TO_POINTER (count - 1));
  else
    g_hash_table_remove (self->addresses, connection->address);
  g_hash_table_remove (self->connections, GUINT_TO_POINTER (connection->number));
}

void
ics_rooms_push_close (IcsRooms *self, IcsRoomsConnection *connection, guint16 code, const char *reason)
{
  IcsRoomsAction *action = push_action (self, ICS_ROOMS_CLOSE, connection);

  action->close_code = code;
  action->reason = reason;
  forget (self, connection);
}

gboolean
ics_rooms_poll (IcsRooms *self, IcsRoomsAction *action)
{
  g_autofree IcsRoomsAction *first = g_queue_pop_head (&self->actions);

  if (first == NULL)
    return FALSE;
  *action = *first;
  sodium_memzero (first, sizeof *first);
  return TRUE;
}

void
ics_rooms_action_clear (IcsRoomsAction *action)
{
  ics_rv_message_clear (&action->message);
  g_clear_pointer (&action->frame, g_bytes_unref);
}

/* Connections */

IcsRoomsConnection *
ics_rooms_lookup (IcsRooms *self, guint number)
{
  return g_hash_table_lookup (self->connections, GUINT_TO_POINTER (number));
}

void
ics_rooms_drop (IcsRooms *self, gint64 now, IcsRoomsConnection *connection, const char *reason)
{
  ics_rooms_vacate (self, now, connection, FALSE);
  ics_rooms_push_close (self, connection, ICS_WS_CLOSE_POLICY_VIOLATION, reason);
}

static guint
next_number (IcsRooms *self)
{
  do
    self->last_number++;
  while (self->last_number == 0 || ics_rooms_lookup (self, self->last_number) != NULL);
  return self->last_number;
}

guint
ics_rooms_connect (IcsRooms *self, gint64 now, const char *address)
{
  guint count = GPOINTER_TO_UINT (g_hash_table_lookup (self->addresses, address));
  IcsRoomsConnection *connection;

  if (g_hash_table_size (self->connections) >= self->config.max_connections)
    {
      self->stats[ICS_ROOMS_STAT_REFUSED_CONNECTIONS]++;
      return 0;
    }
  if (count >= self->config.max_connections_per_address)
    {
      self->stats[ICS_ROOMS_STAT_REFUSED_ADDRESS]++;
      return 0;
    }
  connection = g_new0 (IcsRoomsConnection, 1);
  connection->number = next_number (self);
  connection->address = g_strdup (address);
  connection->opened = connection->heard = now;
  g_hash_table_insert (self->connections, GUINT_TO_POINTER (connection->number), connection);
  g_hash_table_insert (self->addresses, g_strdup (address), GUINT_TO_POINTER (count + 1));
  self->next_beat = MIN (self->next_beat, now + ICS_RV_BEAT_US);
  self->stats[ICS_ROOMS_STAT_CONNECTIONS]++;
  return connection->number;
}

void
ics_rooms_disconnect (IcsRooms *self, gint64 now, guint number, gboolean clean)
{
  IcsRoomsConnection *connection = ics_rooms_lookup (self, number);

  if (connection == NULL)
    return;
  ics_rooms_vacate (self, now, connection, clean);
  forget (self, connection);
}

void
ics_rooms_random (IcsRooms *self, guint8 *buf, gsize len)
{
  if (self->config.random != NULL)
    self->config.random (buf, len, self->config.random_data);
  else
    randombytes_buf (buf, len);
}

/* Time */

static void
beat (IcsRooms *self, gint64 now)
{
  g_autoptr (GList) numbers = g_hash_table_get_keys (self->connections);
  g_autoptr (GBytes) frame = ics_rv_frame_new (ICS_RV_FRAME_BEAT, NULL, 0);

  for (GList *l = numbers; l != NULL; l = l->next)
    {
      IcsRoomsConnection *connection = ics_rooms_lookup (self, GPOINTER_TO_UINT (l->data));

      /* Dropping one connection may have ended its peer's too. */
      if (connection == NULL)
        continue;
      if (connection->heard + ICS_RV_SERVER_SILENCE_US <= now
          || (connection->room == NULL && connection->opened + UNPLACED_US <= now))
        {
          self->stats[ICS_ROOMS_STAT_SILENT]++;
          ics_rooms_drop (self, now, connection, "nothing heard");
        }
      else
        ics_rooms_push_frame (self, connection, frame);
    }
}

void
ics_rooms_handle_timeout (IcsRooms *self, gint64 now)
{
  if (self->next_beat <= now)
    {
      beat (self, now);
      self->next_beat = g_hash_table_size (self->connections) > 0 ? now + ICS_RV_BEAT_US : G_MAXINT64;
    }
  if (self->next_expiry <= now)
    ics_rooms_expire (self, now);
}

gint64
ics_rooms_next_timeout (IcsRooms *self)
{
  return MIN (self->next_beat, self->next_expiry);
}

/* Figures */

guint
ics_rooms_get_n_connections (IcsRooms *self)
{
  return g_hash_table_size (self->connections);
}

guint
ics_rooms_get_n_rooms (IcsRooms *self)
{
  return g_hash_table_size (self->rooms);
}

gsize
ics_rooms_get_queued (IcsRooms *self)
{
  GHashTableIter iter;
  gpointer value;
  gsize total = 0;

  g_hash_table_iter_init (&iter, self->rooms);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    for (guint i = 0; i < 2; i++)
      {
        const IcsFrameQueue *queue = &((IcsRoom *)value)->places[i].queue;

        total += queue->data_cost + queue->signal_bytes;
      }
  return total;
}

guint64
ics_rooms_get_stat (IcsRooms *self, IcsRoomsStat stat)
{
  return self->stats[stat];
}

const char *
ics_rooms_stat_to_string (IcsRoomsStat stat)
{
  return stat_names[stat];
}
