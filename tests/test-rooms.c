/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The room table against a virtual clock: places, credit, bounds, and random schedules against a model. */
#include "signaling/nameplates.h"
#include "signaling/rooms.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define SECOND ((gint64)G_USEC_PER_SEC)
#define N_CLIENTS 8

typedef struct
{
  guint connection; /* 0 = none */
  guint closed;     /* close code, once the server closed */
  IcsRvMessage welcome;
  gboolean welcomed;
  gboolean joined;
  gboolean has_error;
  IcsRvError error;
  IcsRvPeer peer;
  char reason[32];
  GQueue frames; /* signals and data, as they came */
  gsize granted;
  guint beats;
  guint turns;
} Client;

typedef struct
{
  IcsRooms *rooms;
  gint64 now;
  Client clients[N_CLIENTS];
} World;

static void
world_init (World *w, const IcsRoomsConfig *config)
{
  memset (w, 0, sizeof *w);
  w->now = 1000 * SECOND;
  w->rooms = ics_rooms_new (config);
}

static void
client_reset (Client *c)
{
  g_queue_clear_full (&c->frames, (GDestroyNotify)g_bytes_unref);
  ics_rv_message_clear (&c->welcome);
  memset (c, 0, sizeof *c);
}

static void
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

static void
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

static Client *
connect_from (World *w, guint i, const char *address)
{
  Client *c = &w->clients[i];

  c->connection = ics_rooms_connect (w->rooms, w->now, address);
  c->closed = 0;
  c->has_error = FALSE;
  return c;
}

static void
request (World *w, Client *c, const char *text)
{
  ics_rooms_handle_text (w->rooms, w->now, c->connection, text, strlen (text));
  drain (w);
}

static Client *
allocate (World *w, guint i)
{
  Client *c = connect_from (w, i, "a");

  request (w, c, "{\"type\":\"allocate\"}");
  return c;
}

static Client *
join (World *w, guint i, guint nameplate)
{
  Client *c = connect_from (w, i, "b");
  g_autofree char *text = g_strdup_printf ("{\"type\":\"join\",\"nameplate\":%u}", nameplate);

  request (w, c, text);
  return c;
}

/* Comes back as the client it was, with what its welcome said. */
static void
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

static void
cut (World *w, Client *c)
{
  guint connection = c->connection;

  c->connection = 0;
  ics_rooms_disconnect (w->rooms, w->now, connection, FALSE);
  drain (w);
}

static void
advance (World *w, gint64 span)
{
  gint64 end = w->now + span;

  while (ics_rooms_next_timeout (w->rooms) <= end)
    {
      w->now = MAX (w->now, ics_rooms_next_timeout (w->rooms));
      /* Clients beat as they must. */
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

static void
send_frame (World *w, Client *c, guint8 type, gconstpointer payload, gsize len)
{
  g_autoptr (GBytes) frame = ics_rv_frame_new (type, payload, len);

  ics_rooms_handle_binary (w->rooms, w->now, c->connection, frame);
  drain (w);
}

static void
send_credit (World *w, Client *c, guint32 amount)
{
  g_autoptr (GBytes) frame = ics_rv_credit_new (amount);

  ics_rooms_handle_binary (w->rooms, w->now, c->connection, frame);
  drain (w);
}

static void
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

static guint64
stat_of (World *w, IcsRoomsStat stat)
{
  return ics_rooms_get_stat (w->rooms, stat);
}

static void
pair (World *w, Client **a, Client **b)
{
  *a = allocate (w, 0);
  *b = join (w, 1, (*a)->welcome.nameplate);
}

START_TEST (test_allocate_join_relay)
{
  World w;
  IcsRoomsConfig config = { 0 };
  Client *a, *b;

  world_init (&w, &config);
  a = allocate (&w, 0);
  ck_assert (a->welcomed && a->welcome.type == ICS_RV_ALLOCATED);
  ck_assert_uint_ge (a->welcome.nameplate, 1);
  ck_assert_uint_le (a->welcome.nameplate, 9);
  ck_assert_uint_eq (a->welcome.grace_ms, 30000);
  ck_assert_uint_eq (a->welcome.window, ICS_RV_WINDOW);
  ck_assert_int_eq (a->peer, ICS_RV_PEER_ABSENT);
  b = join (&w, 1, a->welcome.nameplate);
  ck_assert (b->welcomed && b->welcome.type == ICS_RV_JOINED);
  ck_assert_uint_eq (b->welcome.member, 1);
  ck_assert_mem_eq (a->welcome.room, b->welcome.room, ICS_RV_ID_SIZE);
  ck_assert_mem_ne (a->welcome.secret, b->welcome.secret, ICS_RV_ID_SIZE);
  ck_assert_int_eq (a->peer, ICS_RV_PEER_PRESENT);
  ck_assert_int_eq (b->peer, ICS_RV_PEER_PRESENT);
  send_frame (&w, a, ICS_RV_FRAME_SIGNAL, "hello", 5);
  send_frame (&w, a, ICS_RV_FRAME_DATA, "one", 3);
  send_frame (&w, b, ICS_RV_FRAME_DATA, "two", 3);
  assert_next (b, ICS_RV_FRAME_SIGNAL, "hello");
  assert_next (b, ICS_RV_FRAME_DATA, "one");
  assert_next (a, ICS_RV_FRAME_DATA, "two");
  request (&w, a, "{\"type\":\"turn\"}");
  ck_assert_uint_eq (a->turns, 1);
  ck_assert_uint_eq (stat_of (&w, ICS_ROOMS_STAT_DATA_BYTES), 6);
  world_clear (&w);
}
END_TEST

START_TEST (test_nameplate_is_burnt)
{
  World w;
  IcsRoomsConfig config = { 0 };
  Client *a, *b, *c;
  guint nameplate;

  world_init (&w, &config);
  pair (&w, &a, &b);
  nameplate = a->welcome.nameplate;
  c = join (&w, 2, nameplate);
  ck_assert (c->has_error && c->error == ICS_RV_ERROR_NO_ROOM);
  ck_assert_uint_eq (c->closed, ICS_WS_CLOSE_POLICY_VIOLATION);
  ck_assert_int_eq (a->peer, ICS_RV_PEER_PRESENT);
  c = join (&w, 2, 12345);
  ck_assert_int_eq (c->error, ICS_RV_ERROR_NO_ROOM);
  c = allocate (&w, 3);
  nameplate = c->welcome.nameplate;
  request (&w, c, "{\"type\":\"leave\"}");
  ck_assert_uint_eq (c->closed, ICS_WS_CLOSE_NORMAL);
  c = join (&w, 4, nameplate);
  ck_assert_int_eq (c->error, ICS_RV_ERROR_NO_ROOM);
  ck_assert_uint_eq (stat_of (&w, ICS_ROOMS_STAT_REFUSED_NAMEPLATE), 3);
  ck_assert_uint_eq (ics_rooms_get_n_rooms (w.rooms), 1);
  world_clear (&w);
}
END_TEST

static guint32
count_up (gpointer data)
{
  guint32 *next = data;

  return (*next)++;
}

START_TEST (test_nameplates)
{
  g_autoptr (IcsNameplates) plates = ics_nameplates_new ();
  guint32 state = 0;
  guint longest = 0;

  for (guint i = 0; i < 500; i++)
    {
      guint number = ics_nameplates_allocate (plates, 0, &state, count_up, &state);

      ck_assert_uint_ne (number, 0);
      longest = MAX (longest, number);
    }
  ck_assert_uint_lt (longest, 1000);
  ck_assert_ptr_eq (ics_nameplates_lookup (plates, 1), &state);
  ics_nameplates_burn (plates, 0, 1);
  ck_assert_ptr_null (ics_nameplates_lookup (plates, 1));
  ck_assert (!ics_nameplates_claim (plates, 599 * SECOND, 1, &state));
  ck_assert (ics_nameplates_claim (plates, 600 * SECOND, 1, &state));
  ck_assert (!ics_nameplates_claim (plates, 600 * SECOND, 1, &state));
  ck_assert (!ics_nameplates_claim (plates, 600 * SECOND, 0, &state));
}
END_TEST

START_TEST (test_leave_comes_behind_what_was_sent)
{
  World w;
  IcsRoomsConfig config = { .window = ICS_RV_WINDOW_MIN };
  static const guint8 big[60000];
  Client *a, *b;

  world_init (&w, &config);
  pair (&w, &a, &b);
  /* Fills b's window (four frames), then two wait in the table once a has got credit for them. */
  for (guint i = 0; i < 4; i++)
    send_frame (&w, a, ICS_RV_FRAME_DATA, big, sizeof big);
  ck_assert_uint_gt (a->granted, 0);
  send_frame (&w, a, ICS_RV_FRAME_DATA, "last words", 10);
  send_frame (&w, a, ICS_RV_FRAME_DATA, big, sizeof big);
  send_frame (&w, a, ICS_RV_FRAME_SIGNAL, "bye", 3);
  ck_assert_uint_eq (b->frames.length, 6);
  request (&w, a, "{\"type\":\"leave\"}");
  ck_assert_uint_eq (b->frames.length, 7);
  ck_assert_int_eq (b->peer, ICS_RV_PEER_GONE);
  ck_assert_str_eq (b->reason, "left");
  ck_assert_uint_eq (b->closed, ICS_WS_CLOSE_NORMAL);
  ck_assert_uint_eq (ics_rooms_get_n_rooms (w.rooms), 0);
  ck_assert_uint_eq (ics_rooms_get_n_connections (w.rooms), 0);
  world_clear (&w);
}
END_TEST

START_TEST (test_lost_and_resumed)
{
  World w;
  IcsRoomsConfig config = { 0 };
  Client *a, *b;

  world_init (&w, &config);
  pair (&w, &a, &b);
  cut (&w, b);
  ck_assert_int_eq (a->peer, ICS_RV_PEER_LOST);
  send_frame (&w, a, ICS_RV_FRAME_SIGNAL, "kept", 4);
  send_frame (&w, a, ICS_RV_FRAME_DATA, "dropped", 7);
  advance (&w, 29 * SECOND);
  resume (&w, b);
  ck_assert (b->welcomed && b->welcome.type == ICS_RV_RESUMED);
  ck_assert_int_eq (b->peer, ICS_RV_PEER_PRESENT);
  ck_assert_int_eq (a->peer, ICS_RV_PEER_PRESENT);
  assert_next (b, ICS_RV_FRAME_SIGNAL, "kept");
  ck_assert_uint_eq (b->frames.length, 0);
  advance (&w, 60 * SECOND);
  ck_assert_int_eq (a->peer, ICS_RV_PEER_PRESENT);
  ck_assert_uint_gt (a->beats, 10);
  cut (&w, b);
  advance (&w, 31 * SECOND);
  ck_assert_int_eq (a->peer, ICS_RV_PEER_GONE);
  ck_assert_str_eq (a->reason, "expired");
  resume (&w, b);
  ck_assert (b->has_error && b->error == ICS_RV_ERROR_GONE);
  world_clear (&w);
}
END_TEST

START_TEST (test_left_while_peer_is_lost)
{
  World w;
  IcsRoomsConfig config = { 0 };
  Client *a, *b;

  world_init (&w, &config);
  pair (&w, &a, &b);
  cut (&w, b);
  send_frame (&w, a, ICS_RV_FRAME_SIGNAL, "rejected", 8);
  request (&w, a, "{\"type\":\"leave\"}");
  resume (&w, b);
  assert_next (b, ICS_RV_FRAME_SIGNAL, "rejected");
  ck_assert_int_eq (b->peer, ICS_RV_PEER_GONE);
  ck_assert_str_eq (b->reason, "left");
  ck_assert_uint_eq (ics_rooms_get_n_rooms (w.rooms), 0);
  world_clear (&w);
}
END_TEST

START_TEST (test_signals_for_absent_member_are_bounded)
{
  World w;
  IcsRoomsConfig config = { 0 };
  static const guint8 big[ICS_RV_SIGNAL_MAX];
  Client *a, *b;

  world_init (&w, &config);
  pair (&w, &a, &b);
  cut (&w, b);
  for (guint i = 0; i < 40; i++)
    send_frame (&w, a, ICS_RV_FRAME_SIGNAL, "x", 1);
  ck_assert_uint_eq (stat_of (&w, ICS_ROOMS_STAT_SIGNALS_DROPPED), 8);
  resume (&w, b);
  ck_assert_uint_eq (b->frames.length, 32);
  cut (&w, b);
  for (guint i = 0; i < 5; i++)
    send_frame (&w, a, ICS_RV_FRAME_SIGNAL, big, sizeof big);
  ck_assert_uint_le (ics_rooms_get_queued (w.rooms), ICS_RV_SIGNAL_ALLOWANCE);
  ck_assert_uint_eq (stat_of (&w, ICS_ROOMS_STAT_SIGNALS_DROPPED), 10);
  world_clear (&w);
}
END_TEST

START_TEST (test_resume_needs_the_secret)
{
  World w;
  IcsRoomsConfig config = { 0 };
  Client *a, *b, *thief;

  world_init (&w, &config);
  pair (&w, &a, &b);
  thief = &w.clients[2];
  thief->welcome = a->welcome;
  thief->welcome.secret[3] ^= 1;
  resume (&w, thief);
  ck_assert (thief->has_error && thief->error == ICS_RV_ERROR_GONE);
  ck_assert (a->connection != 0);
  ck_assert_int_eq (b->peer, ICS_RV_PEER_PRESENT);
  ck_assert_uint_eq (stat_of (&w, ICS_ROOMS_STAT_REFUSED_RESUME), 1);
  world_clear (&w);
}
END_TEST

START_TEST (test_resume_replaces_a_dead_connection)
{
  World w;
  IcsRoomsConfig config = { 0 };
  Client *a, *b;
  guint old;

  world_init (&w, &config);
  pair (&w, &a, &b);
  old = b->connection;
  resume (&w, b);
  ck_assert (b->welcomed && b->connection != old);
  ck_assert_int_eq (a->peer, ICS_RV_PEER_PRESENT);
  ck_assert_uint_eq (ics_rooms_get_n_connections (w.rooms), 2);
  ics_rooms_disconnect (w.rooms, w.now, old, FALSE);
  drain (&w);
  ck_assert_int_eq (a->peer, ICS_RV_PEER_PRESENT);
  world_clear (&w);
}
END_TEST

static void
restart (World *w)
{
  IcsRoomsConfig config = { 0 };

  ics_rooms_free (w->rooms);
  w->rooms = ics_rooms_new (&config);
  for (guint i = 0; i < N_CLIENTS; i++)
    w->clients[i].connection = 0;
}

START_TEST (test_server_restart)
{
  World w;
  IcsRoomsConfig config = { 0 };
  Client *a, *b, *c;
  guint first = _i;

  world_init (&w, &config);
  pair (&w, &a, &b);
  restart (&w);
  resume (&w, first ? b : a);
  ck_assert_int_eq ((first ? b : a)->peer, ICS_RV_PEER_LOST);
  resume (&w, first ? a : b);
  ck_assert_int_eq (a->peer, ICS_RV_PEER_PRESENT);
  ck_assert_int_eq (b->peer, ICS_RV_PEER_PRESENT);
  ck_assert_uint_eq (stat_of (&w, ICS_ROOMS_STAT_RECREATED), 1);
  send_frame (&w, a, ICS_RV_FRAME_DATA, "again", 5);
  assert_next (b, ICS_RV_FRAME_DATA, "again");
  restart (&w);
  resume (&w, a);
  advance (&w, 31 * SECOND);
  ck_assert_int_eq (a->peer, ICS_RV_PEER_GONE);
  c = allocate (&w, 2);
  restart (&w);
  resume (&w, c);
  ck_assert_int_eq (c->peer, ICS_RV_PEER_ABSENT);
  join (&w, 3, c->welcome.nameplate);
  ck_assert_int_eq (c->peer, ICS_RV_PEER_PRESENT);
  world_clear (&w);
}
END_TEST

START_TEST (test_restart_with_nameplate_taken)
{
  World w;
  IcsRoomsConfig config = { 0 };
  Client *a, *b;

  world_init (&w, &config);
  a = allocate (&w, 0);
  restart (&w);
  b = &w.clients[1];
  b->welcome = a->welcome;
  b->welcome.room[0] ^= 1;
  resume (&w, b);
  ck_assert (b->welcomed);
  resume (&w, a);
  ck_assert (a->has_error && a->error == ICS_RV_ERROR_TAKEN);
  world_clear (&w);
}
END_TEST

START_TEST (test_slow_reader_slows_the_sender)
{
  World w;
  IcsRoomsConfig config = { .window = ICS_RV_WINDOW_MIN };
  static const guint8 chunk[1000];
  gsize cost = 1001 + ICS_RV_FRAME_OVERHEAD, budget = ICS_RV_WINDOW_MIN, sent = 0;
  Client *a, *b;

  world_init (&w, &config);
  pair (&w, &a, &b);
  while (budget + a->granted >= sent + cost)
    {
      send_frame (&w, a, ICS_RV_FRAME_DATA, chunk, sizeof chunk);
      sent += cost;
      ck_assert_uint_le (ics_rooms_get_queued (w.rooms), ICS_RV_WINDOW_MIN);
    }
  ck_assert_uint_le (sent, 2 * ICS_RV_WINDOW_MIN);
  ck_assert_uint_le (b->frames.length * cost, ICS_RV_WINDOW_MIN);
  /* The reader goes on: the sender may, too, and everything comes. */
  while (b->frames.length * cost < sent)
    send_credit (&w, b, cost);
  ck_assert_uint_eq (ics_rooms_get_queued (w.rooms), 0);
  ck_assert_uint_ge (budget + a->granted, sent + 3 * (budget / 4));
  /* Signals overtake a window that data filled. */
  while (budget + a->granted >= sent + cost && b->frames.length > 0)
    {
      send_frame (&w, a, ICS_RV_FRAME_DATA, chunk, sizeof chunk);
      sent += cost;
    }
  send_frame (&w, a, ICS_RV_FRAME_SIGNAL, "urgent", 6);
  while (b->frames.length > 1)
    g_bytes_unref (g_queue_pop_head (&b->frames));
  assert_next (b, ICS_RV_FRAME_SIGNAL, "urgent");
  ck_assert (a->connection != 0 && b->connection != 0);
  world_clear (&w);
}
END_TEST

START_TEST (test_tiny_frames_cost_their_memory)
{
  World w;
  IcsRoomsConfig config = { .window = ICS_RV_WINDOW_MIN };
  guint sent = 0;
  Client *a, *b;

  world_init (&w, &config);
  pair (&w, &a, &b);
  while (a->connection != 0)
    {
      send_frame (&w, a, ICS_RV_FRAME_DATA, "", 0);
      sent++;
    }
  ck_assert_uint_le (sent, 4 * ICS_RV_WINDOW_MIN / ICS_RV_FRAME_OVERHEAD);
  world_clear (&w);
}
END_TEST

START_TEST (test_credit_cheats_are_closed)
{
  World w;
  IcsRoomsConfig config = { .window = ICS_RV_WINDOW_MIN };
  static const guint8 chunk[50000];
  Client *a, *b;

  world_init (&w, &config);
  pair (&w, &a, &b);
  send_credit (&w, b, 1);
  ck_assert_uint_eq (b->closed, ICS_WS_CLOSE_POLICY_VIOLATION);
  ck_assert_int_eq (a->peer, ICS_RV_PEER_LOST);
  resume (&w, b);
  for (guint i = 0; i < 100 && a->connection != 0; i++)
    send_frame (&w, a, ICS_RV_FRAME_DATA, chunk, sizeof chunk);
  ck_assert_uint_eq (a->closed, ICS_WS_CLOSE_POLICY_VIOLATION);
  ck_assert_uint_eq (stat_of (&w, ICS_ROOMS_STAT_CREDIT_OVERRUNS), 2);
  ck_assert_uint_le (b->frames.length * sizeof chunk, ICS_RV_WINDOW_MIN);
  world_clear (&w);
}
END_TEST

START_TEST (test_limits)
{
  World w;
  IcsRoomsConfig config
      = { .max_connections = 6, .max_connections_per_address = 3, .max_rooms = 2, .joins_per_minute = 2 };
  Client *a;

  world_init (&w, &config);
  a = allocate (&w, 0);
  allocate (&w, 1);
  ck_assert_int_eq (allocate (&w, 2)->error, ICS_RV_ERROR_ROOMS);
  ck_assert_uint_eq (connect_from (&w, 2, "a")->connection != 0, TRUE);
  ck_assert_uint_eq (connect_from (&w, 3, "a")->connection, 0);
  ck_assert_int_eq (join (&w, 4, 77777)->error, ICS_RV_ERROR_NO_ROOM);
  ck_assert_int_eq (join (&w, 4, 77777)->error, ICS_RV_ERROR_NO_ROOM);
  ck_assert_int_eq (join (&w, 4, a->welcome.nameplate)->error, ICS_RV_ERROR_ATTEMPTS);
  advance (&w, 30 * SECOND);
  ck_assert (!join (&w, 4, a->welcome.nameplate)->has_error);
  for (guint i = 5; i < 8; i++)
    connect_from (&w, i, "c");
  ck_assert_uint_eq (connect_from (&w, 3, "d")->connection, 0);
  ck_assert_uint_eq (stat_of (&w, ICS_ROOMS_STAT_REFUSED_ADDRESS), 1);
  ck_assert_uint_eq (stat_of (&w, ICS_ROOMS_STAT_REFUSED_CONNECTIONS), 1);
  ck_assert_uint_eq (stat_of (&w, ICS_ROOMS_STAT_REFUSED_ROOMS), 1);
  ck_assert_uint_eq (stat_of (&w, ICS_ROOMS_STAT_REFUSED_ATTEMPTS), 1);
  world_clear (&w);
}
END_TEST

START_TEST (test_malformed)
{
  static const char *const texts[] = { "",
                                       "{",
                                       "[]",
                                       "null",
                                       "{\"type\":7}",
                                       "{\"type\":\"allocated\"}",
                                       "{\"type\":\"join\"}",
                                       "{\"type\":\"join\",\"nameplate\":\"7\"}",
                                       "{\"type\":\"join\",\"nameplate\":-1}",
                                       "{\"type\":\"join\",\"nameplate\":99999999999}",
                                       "{\"type\":\"resume\",\"nameplate\":1,\"room\":\"00\"}",
                                       "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
                                       "{\"type\":\"leave\"}",
                                       "{\"type\":\"turn\"}" };
  World w;
  IcsRoomsConfig config = { 0 };
  Client *a, *b;

  world_init (&w, &config);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      Client *c = connect_from (&w, 0, "a");

      request (&w, c, texts[i]);
      ck_assert_msg (c->has_error && c->error == ICS_RV_ERROR_BAD_REQUEST, "taken: %s", texts[i]);
      ck_assert_uint_eq (c->closed, ICS_WS_CLOSE_POLICY_VIOLATION);
    }
  ck_assert_uint_eq (stat_of (&w, ICS_ROOMS_STAT_BAD_REQUESTS), G_N_ELEMENTS (texts));
  for (guint type = 0; type < 256; type++)
    {
      static const guint8 big[ICS_RV_DATA_MAX + 1];

      pair (&w, &a, &b);
      send_frame (&w, a, type, big, type == ICS_RV_FRAME_SIGNAL ? ICS_RV_SIGNAL_MAX + 1 : sizeof big);
      ck_assert_uint_eq (a->closed, ICS_WS_CLOSE_POLICY_VIOLATION);
      ck_assert_uint_eq (b->frames.length, 0);
      request (&w, b, "{\"type\":\"leave\"}");
      w.now += 60 * SECOND;
    }
  ck_assert_uint_eq (stat_of (&w, ICS_ROOMS_STAT_BAD_FRAMES), 256);
  world_clear (&w);
}
END_TEST

START_TEST (test_flood_and_silence)
{
  World w;
  IcsRoomsConfig config = { 0 };
  Client *a, *b;

  world_init (&w, &config);
  pair (&w, &a, &b);
  for (guint i = 0; i < 20 && a->connection != 0; i++)
    request (&w, a, "{\"type\":\"turn\"}");
  ck_assert_uint_eq (a->closed, ICS_WS_CLOSE_POLICY_VIOLATION);
  ck_assert_uint_eq (a->turns, 15);
  ck_assert_uint_eq (stat_of (&w, ICS_ROOMS_STAT_FLOODS), 1);
  resume (&w, a);
  ck_assert_int_eq (a->peer, ICS_RV_PEER_PRESENT);
  connect_from (&w, 3, "idle");
  /* b falls silent; a goes on beating by hand. */
  for (guint i = 0; i < 7; i++)
    {
      w.now += 5 * SECOND;
      send_frame (&w, a, ICS_RV_FRAME_BEAT, NULL, 0);
      ics_rooms_handle_timeout (w.rooms, w.now);
      drain (&w);
    }
  ck_assert_uint_eq (b->closed, ICS_WS_CLOSE_POLICY_VIOLATION);
  ck_assert_uint_eq (w.clients[3].closed, ICS_WS_CLOSE_POLICY_VIOLATION);
  ck_assert_int_eq (a->peer, ICS_RV_PEER_LOST);
  ck_assert_uint_eq (stat_of (&w, ICS_ROOMS_STAT_SILENT), 2);
  world_clear (&w);
}
END_TEST

START_TEST (test_waiting_room_expires)
{
  World w;
  IcsRoomsConfig config = { 0 };
  Client *a;

  world_init (&w, &config);
  a = allocate (&w, 0);
  advance (&w, 24 * 3600 * SECOND - 1);
  ck_assert (a->connection != 0);
  advance (&w, 2);
  ck_assert (a->has_error && a->error == ICS_RV_ERROR_EXPIRED);
  ck_assert_uint_eq (ics_rooms_get_n_rooms (w.rooms), 0);
  world_clear (&w);
}
END_TEST

/* Random schedules. The model: what each client sent to its peer carries a serial number per kind; what comes
 * out must be in order and never twice, within the credit, and the table must be empty when everybody has
 * gone. */

typedef struct
{
  guint32 sent[2];  /* next serial per kind */
  guint32 last[2];  /* highest serial seen per kind, of the peer */
  gsize budget;     /* credit towards the server */
  gsize unreturned; /* cost received and not yet credited */
} Model;

static void
model_receive (Client *c, Model *m)
{
  GBytes *frame;

  while ((frame = g_queue_pop_head (&c->frames)) != NULL)
    {
      const guint8 *data = g_bytes_get_data (frame, NULL);
      guint32 serial;

      memcpy (&serial, data + 1, sizeof serial);
      ck_assert_uint_gt (serial, m->last[data[0]]);
      m->last[data[0]] = serial;
      m->unreturned += ics_rv_frame_cost (frame);
      ck_assert_uint_le (m->unreturned, c->welcome.window + ICS_RV_SIGNAL_ALLOWANCE);
      g_bytes_unref (frame);
    }
  m->budget += c->granted;
  c->granted = 0;
  ck_assert_uint_le (m->budget, c->welcome.window);
}

static void
model_send (World *w, Client *c, Model *m, GRand *rand)
{
  guint8 kind = g_rand_boolean (rand) ? ICS_RV_FRAME_DATA : ICS_RV_FRAME_SIGNAL;
  guint8 payload[60000] = { 0 };
  gsize len = kind == ICS_RV_FRAME_DATA ? (gsize)g_rand_int_range (rand, 4, sizeof payload) : 40;

  if (kind == ICS_RV_FRAME_DATA && m->budget < 1 + len + ICS_RV_FRAME_OVERHEAD)
    return;
  if (kind == ICS_RV_FRAME_DATA)
    m->budget -= 1 + len + ICS_RV_FRAME_OVERHEAD;
  m->sent[kind]++;
  memcpy (payload, &m->sent[kind], sizeof m->sent[kind]);
  send_frame (w, c, kind, payload, len);
}

static void
model_fresh (Client *c, Model *m)
{
  m->budget = c->welcome.window;
  m->unreturned = 0;
  c->granted = 0;
}

static void
model_step (World *w, Model *models, GRand *rand)
{
  guint i = (guint)g_rand_int_range (rand, 0, 2);
  Client *c = &w->clients[i];

  switch (g_rand_int_range (rand, 0, 20))
    {
    case 0:
      if (c->connection != 0)
        cut (w, c);
      break;
    case 1:
      advance (w, g_rand_int_range (rand, 0, 4) * SECOND);
      break;
    case 2:
    case 3:
    case 4:
      if (c->connection != 0 && models[i].unreturned > 0)
        {
          send_credit (w, c, (guint32)models[i].unreturned);
          models[i].unreturned = 0;
        }
      break;
    default:
      if (c->connection != 0)
        model_send (w, c, &models[i], rand);
      break;
    }
  if (c->connection == 0 && c->peer != ICS_RV_PEER_GONE)
    {
      resume (w, c);
      ck_assert (c->welcomed);
      model_fresh (c, &models[i]);
    }
}

START_TEST (test_random_schedules)
{
  const char *given = g_getenv ("ICS_TEST_SEED");
  guint32 seed = given != NULL ? (guint32)strtoul (given, NULL, 0) : g_random_int ();
  IcsRoomsConfig config = { .window = ICS_RV_WINDOW_MIN };
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  Model models[2] = { 0 };
  World w;
  Client *c[2];

  g_print ("ICS_TEST_SEED=%u\n", seed);
  world_init (&w, &config);
  pair (&w, &c[0], &c[1]);
  for (guint i = 0; i < 2; i++)
    model_fresh (c[i], &models[i]);
  for (guint step = 0; step < 3000; step++)
    {
      model_step (&w, models, rand);
      for (guint i = 0; i < 2; i++)
        model_receive (c[i], &models[i]);
      ck_assert_uint_le (ics_rooms_get_queued (w.rooms), 2 * (ICS_RV_WINDOW_MIN + ICS_RV_SIGNAL_ALLOWANCE));
      ck_assert_uint_eq (c[0]->closed + c[1]->closed, 0);
    }
  ck_assert_uint_gt (models[0].last[ICS_RV_FRAME_DATA], 0);
  cut (&w, c[0]);
  cut (&w, c[1]);
  advance (&w, 31 * SECOND);
  ck_assert_uint_eq (ics_rooms_get_n_rooms (w.rooms), 0);
  ck_assert_uint_eq (ics_rooms_get_n_connections (w.rooms), 0);
  ck_assert_int_eq (ics_rooms_next_timeout (w.rooms), G_MAXINT64);
  world_clear (&w);
}
END_TEST

/* Any bytes in any order: nothing crashes, and the bounds hold. */
START_TEST (test_random_bytes)
{
  IcsRoomsConfig config = { .window = ICS_RV_WINDOW_MIN };
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  World w;

  world_init (&w, &config);
  for (guint step = 0; step < 3000; step++)
    {
      Client *c = &w.clients[g_rand_int_range (rand, 0, N_CLIENTS)];
      guint8 bytes[64];
      gsize len = (gsize)g_rand_int_range (rand, 0, sizeof bytes);

      for (gsize i = 0; i < len; i++)
        bytes[i] = (guint8)g_rand_int_range (rand, i == 0 ? 0 : 0, i == 0 ? 5 : 256);
      if (c->connection == 0)
        {
          client_reset (c);
          if (g_rand_boolean (rand))
            allocate (&w, (guint)(c - w.clients));
          else
            join (&w, (guint)(c - w.clients), (guint)g_rand_int_range (rand, 1, 10));
        }
      else
        send_frame (&w, c, bytes[0], bytes, len);
      if (step % 50 == 0)
        advance (&w, 10 * SECOND);
      ck_assert_uint_le (ics_rooms_get_n_connections (w.rooms), N_CLIENTS);
    }
  world_clear (&w);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("rooms");
  TCase *tcase = tcase_create ("rooms");
  SRunner *runner;
  int failed;

  tcase_set_timeout (tcase, 120);
  tcase_add_test (tcase, test_allocate_join_relay);
  tcase_add_test (tcase, test_nameplate_is_burnt);
  tcase_add_test (tcase, test_nameplates);
  tcase_add_test (tcase, test_leave_comes_behind_what_was_sent);
  tcase_add_test (tcase, test_lost_and_resumed);
  tcase_add_test (tcase, test_left_while_peer_is_lost);
  tcase_add_test (tcase, test_signals_for_absent_member_are_bounded);
  tcase_add_test (tcase, test_resume_needs_the_secret);
  tcase_add_test (tcase, test_resume_replaces_a_dead_connection);
  tcase_add_loop_test (tcase, test_server_restart, 0, 2);
  tcase_add_test (tcase, test_restart_with_nameplate_taken);
  tcase_add_test (tcase, test_slow_reader_slows_the_sender);
  tcase_add_test (tcase, test_tiny_frames_cost_their_memory);
  tcase_add_test (tcase, test_credit_cheats_are_closed);
  tcase_add_test (tcase, test_limits);
  tcase_add_test (tcase, test_malformed);
  tcase_add_test (tcase, test_flood_and_silence);
  tcase_add_test (tcase, test_waiting_room_expires);
  tcase_add_test (tcase, test_random_schedules);
  tcase_add_test (tcase, test_random_bytes);
  suite_add_tcase (suite, tcase);
  runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
