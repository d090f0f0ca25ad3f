/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/rooms-world.h"
#include <check.h>
#include <string.h>

void
world_init (World *w, const IcsRoomsConfig *config)
{
  memset (w, 0, sizeof *w);
  w->now = 1000 * SECOND;
  w->rooms = ics_rooms_new (config);
}

void
client_reset (Client *c)
{
  g_queue_clear_full (&c->frames, (GDestroyNotify)g_bytes_unref);
  ics_rv_message_clear (&c->welcome);
  memset (c, 0, sizeof *c);
}

void
world_clear (World *w)
{
  for (guint i = 0; i < N_CLIENTS; i++)
    client_reset (&w->clients[i]);
  ics_rooms_free (w->rooms);
}

static void
take_message (Client *c, IcsRvMessage *m)
{
  switch (m->type)
    {
    case ICS_RV_ALLOCATED:
    case ICS_RV_JOINED:
    case ICS_RV_RESUMED:
      ics_rv_message_clear (&c->welcome);
      c->welcome = *m;
      c->welcome.text = NULL;
      c->welcome.turn = NULL;
      c->welcomed = TRUE;
      c->peer = m->peer;
      c->joined = c->joined || m->peer != ICS_RV_PEER_ABSENT;
      break;
    case ICS_RV_PEER:
      c->peer = m->peer;
      c->joined = TRUE;
      g_strlcpy (c->reason, m->text != NULL ? m->text : "", sizeof c->reason);
      break;
    case ICS_RV_ERROR:
      c->has_error = TRUE;
      c->error = m->error;
      break;
    case ICS_RV_TURN:
      c->turns++;
      break;
    case ICS_RV_ALLOCATE:
    case ICS_RV_JOIN:
    case ICS_RV_RESUME:
    case ICS_RV_LEAVE:
    case ICS_RV_TURN_REQUEST:
      ck_abort_msg ("a request came out of the server");
    }
}

static void
take_frame (Client *c, GBytes *frame)
{
  const guint8 *data = g_bytes_get_data (frame, NULL);
  guint32 amount;

  if (data[0] == ICS_RV_FRAME_BEAT)
    c->beats++;
  else if (ics_rv_credit_parse (frame, &amount))
    c->granted += amount;
  else
    g_queue_push_tail (&c->frames, g_bytes_ref (frame));
}

static Client *
by_connection (World *w, guint connection)
{
  for (guint i = 0; i < N_CLIENTS; i++)
    if (w->clients[i].connection == connection)
      return &w->clients[i];
  return NULL;
}

void
drain (World *w)
{
  IcsRoomsAction action;

  while (ics_rooms_poll (w->rooms, &action))
    {
      Client *c = by_connection (w, action.connection);

      if (c != NULL && action.type == ICS_ROOMS_SEND_MESSAGE)
        take_message (c, &action.message);
      else if (c != NULL && action.type == ICS_ROOMS_SEND_FRAME)
        take_frame (c, action.frame);
      else if (c != NULL)
        {
          c->closed = action.close_code;
          c->connection = 0;
        }
      ics_rooms_action_clear (&action);
    }
}

Client *
connect_from (World *w, guint i, const char *address)
{
  Client *c = &w->clients[i];

  c->connection = ics_rooms_connect (w->rooms, w->now, address);
  c->closed = 0;
  c->has_error = FALSE;
  return c;
}

void
request (World *w, Client *c, const char *text)
{
  ics_rooms_handle_text (w->rooms, w->now, c->connection, text, strlen (text));
  drain (w);
}

Client *
allocate (World *w, guint i)
{
  Client *c = connect_from (w, i, "a");

  request (w, c, "{\"type\":\"allocate\"}");
  return c;
}

Client *
join (World *w, guint i, guint nameplate)
{
  Client *c = connect_from (w, i, "b");
  g_autofree char *text = g_strdup_printf ("{\"type\":\"join\",\"nameplate\":%u}", nameplate);

  request (w, c, text);
  return c;
}

void
resume (World *w, Client *c)
{
  IcsRvMessage m = c->welcome;
  g_autofree char *text = NULL;

  m.type = ICS_RV_RESUME;
  m.joined = c->joined;
  text = ics_rv_encode (&m, 0);
  c->connection = ics_rooms_connect (w->rooms, w->now, "r");
  c->closed = 0;
  c->has_error = FALSE;
  c->welcomed = FALSE;
  request (w, c, text);
}

void
cut (World *w, Client *c)
{
  guint connection = c->connection;

  c->connection = 0;
  ics_rooms_disconnect (w->rooms, w->now, connection, FALSE);
  drain (w);
}

void
advance (World *w, gint64 span)
{
  gint64 end = w->now + span;

  while (ics_rooms_next_timeout (w->rooms) <= end)
    {
      w->now = MAX (w->now, ics_rooms_next_timeout (w->rooms));
      for (guint i = 0; i < N_CLIENTS; i++)
        if (w->clients[i].connection != 0)
          {
            g_autoptr (GBytes) beat = ics_rv_frame_new (ICS_RV_FRAME_BEAT, NULL, 0);

            ics_rooms_handle_binary (w->rooms, w->now, w->clients[i].connection, beat);
          }
      ics_rooms_handle_timeout (w->rooms, w->now);
      drain (w);
    }
  w->now = end;
}

void
send_frame (World *w, Client *c, guint8 type, gconstpointer payload, gsize len)
{
  g_autoptr (GBytes) frame = ics_rv_frame_new (type, payload, len);

  ics_rooms_handle_binary (w->rooms, w->now, c->connection, frame);
  drain (w);
}

void
send_credit (World *w, Client *c, guint32 amount)
{
  g_autoptr (GBytes) frame = ics_rv_credit_new (amount);

  ics_rooms_handle_binary (w->rooms, w->now, c->connection, frame);
  drain (w);
}

void
assert_next (Client *c, guint8 type, const char *payload)
{
  g_autoptr (GBytes) frame = g_queue_pop_head (&c->frames);
  gsize size;
  const guint8 *data;

  ck_assert_ptr_nonnull (frame);
  data = g_bytes_get_data (frame, &size);
  ck_assert_uint_eq (data[0], type);
  ck_assert_uint_eq (size - 1, strlen (payload));
  ck_assert_mem_eq (data + 1, payload, size - 1);
}

guint64
stat_of (World *w, IcsRoomsStat stat)
{
  return ics_rooms_get_stat (w->rooms, stat);
}

void
pair (World *w, Client **a, Client **b)
{
  *a = allocate (w, 0);
  *b = join (w, 1, (*a)->welcome.nameplate);
}

void
world_init_pair (World *w, guint window, Client **a, Client **b)
{
  IcsRoomsConfig config = { .window = window };

  world_init (w, &config);
  pair (w, a, b);
}
