/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The room table against a virtual clock: who gets which place, and keeps it. */
#include "signaling/nameplates.h"
#include "tests/rooms-world.h"
#include "tests/suite.h"

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
  Client *a, *b, *c;
  guint nameplate;

  world_init_pair (&w, 0, &a, &b);
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
  static const guint8 big[60000];
  Client *a, *b;

  world_init_pair (&w, ICS_RV_WINDOW_MIN, &a, &b);
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
  Client *a, *b;

  world_init_pair (&w, 0, &a, &b);
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
  world_clear (&w);
}
END_TEST

/* However long one is away (0), or both are and the server has forgotten them (1). */
START_TEST (test_away_for_long)
{
  World w;
  Client *a, *b;

  world_init_pair (&w, 0, &a, &b);
  cut (&w, b);
  if (_i == 1)
    cut (&w, a);
  advance (&w, 3600 * SECOND);
  ck_assert_uint_eq (ics_rooms_get_n_rooms (w.rooms), _i == 1 ? 0 : 1);
  ck_assert_int_eq (a->peer, ICS_RV_PEER_LOST);
  resume (&w, b);
  ck_assert (b->welcomed);
  if (_i == 1)
    resume (&w, a);
  ck_assert_int_eq (a->peer, ICS_RV_PEER_PRESENT);
  ck_assert_int_eq (b->peer, ICS_RV_PEER_PRESENT);
  world_clear (&w);
}
END_TEST

/* The first member, before the second came, is kept for the grace period only. */
START_TEST (test_abandoned_before_the_peer_came)
{
  World w;
  IcsRoomsConfig config = { 0 };
  Client *a;

  world_init (&w, &config);
  a = allocate (&w, 0);
  cut (&w, a);
  advance (&w, 31 * SECOND);
  ck_assert_uint_eq (ics_rooms_get_n_rooms (w.rooms), 0);
  resume (&w, a);
  ck_assert (a->has_error && a->error == ICS_RV_ERROR_GONE);
  world_clear (&w);
}
END_TEST

START_TEST (test_left_while_peer_is_lost)
{
  World w;
  Client *a, *b;

  world_init_pair (&w, 0, &a, &b);
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

START_TEST (test_resume_needs_the_secret)
{
  World w;
  Client *a, *b, *thief;

  world_init_pair (&w, 0, &a, &b);
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
  Client *a, *b, *c;
  guint first = _i;

  world_init_pair (&w, 0, &a, &b);
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
  advance (&w, 600 * SECOND);
  ck_assert_int_eq (a->peer, ICS_RV_PEER_LOST);
  resume (&w, b);
  ck_assert_int_eq (a->peer, ICS_RV_PEER_PRESENT);
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

int
main (void)
{
  const SuiteLoop tests[] = { { test_allocate_join_relay, 1 },
                              { test_nameplate_is_burnt, 1 },
                              { test_nameplates, 1 },
                              { test_leave_comes_behind_what_was_sent, 1 },
                              { test_lost_and_resumed, 1 },
                              { test_away_for_long, 2 },
                              { test_abandoned_before_the_peer_came, 1 },
                              { test_left_while_peer_is_lost, 1 },
                              { test_resume_needs_the_secret, 1 },
                              { test_resume_replaces_a_dead_connection, 1 },
                              { test_server_restart, 2 },
                              { test_restart_with_nameplate_taken, 1 },
                              { test_waiting_room_expires, 1 } };

  return run_loops ("rooms", tests, G_N_ELEMENTS (tests));
}
