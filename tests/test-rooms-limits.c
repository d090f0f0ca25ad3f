/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bounds of the room table: credit, queues, numbers of things, and what does not parse. */
#include "tests/rooms-world.h"
#include "tests/suite.h"

START_TEST (test_signals_for_absent_member_are_bounded)
{
  World w;
  static const guint8 big[ICS_RV_SIGNAL_MAX];
  Client *a, *b;

  world_init_pair (&w, 0, &a, &b);
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

START_TEST (test_slow_reader_slows_the_sender)
{
  World w;
  static const guint8 chunk[1000];
  gsize cost = 1001 + ICS_RV_FRAME_OVERHEAD, budget = ICS_RV_WINDOW_MIN, sent = 0;
  Client *a, *b;

  world_init_pair (&w, ICS_RV_WINDOW_MIN, &a, &b);
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
    send_credit (&w, b, (guint32)cost);
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
  guint sent = 0;
  Client *a, *b;

  world_init_pair (&w, ICS_RV_WINDOW_MIN, &a, &b);
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
  static const guint8 chunk[50000];
  Client *a, *b;

  world_init_pair (&w, ICS_RV_WINDOW_MIN, &a, &b);
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
      send_frame (&w, a, (guint8)type, big, type == ICS_RV_FRAME_SIGNAL ? ICS_RV_SIGNAL_MAX + 1 : sizeof big);
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
  Client *a, *b;

  world_init_pair (&w, 0, &a, &b);
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

int
main (void)
{
  const TTest *const tests[] = { test_signals_for_absent_member_are_bounded,
                                 test_slow_reader_slows_the_sender,
                                 test_tiny_frames_cost_their_memory,
                                 test_credit_cheats_are_closed,
                                 test_limits,
                                 test_malformed,
                                 test_flood_and_silence,
                                 NULL };

  return run_suite ("rooms-limits", tests);
}
