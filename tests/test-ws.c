/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clients and server: relaying, flow control, refusals. */
#include "signaling/ws-dial.h"
#include "tests/suite.h"
#include "tests/ws-fixture.h"
#include <string.h>

START_TEST (test_relay)
{
  Server s = { 0 };
  Client a, b;
  g_autofree char *local = NULL, *remote = NULL, *expected = NULL;
  const IcsTurnServer *turn;

  server_start (&s, NULL);
  pair_at (s.uri, s.uri, &a, &b);
  ck_assert (a.seen[ICS_CHANNEL_WAITING] && a.turn == 1);
  ck_assert_str_eq (ics_ws_channel_get_nameplate (a.channel), ics_ws_channel_get_nameplate (b.channel));
  ck_assert_uint_eq (ics_ws_channel_get_turn_servers (b.channel)->len, 1);
  turn = ics_ws_channel_get_turn_servers (b.channel)->pdata[0];
  ck_assert_str_eq (turn->host, "192.0.2.1");
  ck_assert_str_eq (turn->password, "pass");
  ck_assert (turn->expires_unix > g_get_real_time () / G_USEC_PER_SEC + 590);
  ck_assert (send_text (&a, "to b"));
  ck_assert (send_text (&b, "to a"));
  WAIT (has_signal, &a);
  WAIT (has_signal, &b);
  ck_assert_mem_eq (g_bytes_get_data (a.signals->pdata[0], NULL), "to a", 4);
  ics_channel_get_addresses (ICS_CHANNEL (a.channel), &local, &remote);
  expected = g_strdup_printf ("127.0.0.1:%u", s.port);
  ck_assert_str_eq (remote, expected);
  ck_assert (g_str_has_prefix (local, "127.0.0.1:"));
  client_end (&a);
  assert_error (&b, ICS_ERROR_LINK_LOST);
  ck_assert (ics_ws_channel_peer_left (b.channel));
  client_end (&b);
  server_end (&s);
}
END_TEST

/* As much as goes, both ways at once; a sender that is refused waits for "writable". */
START_TEST (test_bulk_both_ways)
{
  enum
  {
    FRAMES = 400,
    SIZE = 30000
  };
  Server s = { 0 };
  Client c[2];
  guint sent[2] = { 0, 0 };
  gboolean blocked = FALSE;
  guint safety = add_safety ("bulk");

  server_start (&s, NULL);
  pair_at (s.uri, s.uri, &c[0], &c[1]);
  while (c[0].data_frames < FRAMES || c[1].data_frames < FRAMES)
    {
      for (guint i = 0; i < 2; i++)
        while (sent[i] < FRAMES && send_data (&c[i], sent[i], SIZE))
          sent[i]++;
      blocked = blocked || ics_channel_get_writable (ICS_CHANNEL (c[0].channel)) < SIZE;
      ck_assert_uint_le (ics_rooms_get_queued (ics_rv_server_get_rooms (s.server)), 2 * ICS_RV_WINDOW);
      g_main_context_iteration (NULL, TRUE);
    }
  g_source_remove (safety);
  ck_assert (blocked);
  ck_assert_uint_eq (c[0].data_bytes, (guint64)FRAMES * SIZE);
  ck_assert_uint_gt (c[0].writable, 10);
  ck_assert_uint_eq (c[0].next_serial, FRAMES);
  client_end (&c[0]);
  client_end (&c[1]);
  server_end (&s);
}
END_TEST

/* A reader that never gives credit back: raw, since the real client always does. */
static void
on_dialed (GObject *source, GAsyncResult *result, gpointer data)
{
  *(SoupWebsocketConnection **)data = ics_ws_dial_finish (result, NULL);
}

static gboolean
is_set (gpointer data)
{
  return *(gpointer *)data != NULL;
}

static SoupWebsocketConnection *
dial_raw (Server *s)
{
  g_autoptr (GUri) uri
      = g_uri_build (G_URI_FLAGS_NONE, "http", NULL, "127.0.0.1", s->port, ICS_RV_PATH, NULL, NULL);
  IcsWsDial dial = { .uri = uri, .timeout_ms = 10000 };
  SoupWebsocketConnection *websocket = NULL;

  ics_ws_dial_async (&dial, NULL, on_dialed, &websocket);
  WAIT (is_set, &websocket);
  return websocket;
}

static gboolean
ws_is_closed (gpointer websocket)
{
  return soup_websocket_connection_get_state (websocket) == SOUP_WEBSOCKET_STATE_CLOSED;
}

static void
count_data (SoupWebsocketConnection *ws, int type, GBytes *message, gsize *total)
{
  const guint8 *data = g_bytes_get_data (message, NULL);

  if (type == SOUP_WEBSOCKET_DATA_BINARY && data[0] == ICS_RV_FRAME_DATA)
    *total += ics_rv_frame_cost (message);
}

static gboolean
cannot_write (gpointer c)
{
  return ics_channel_get_writable (ICS_CHANNEL (((Client *)c)->channel)) < 30000;
}

START_TEST (test_slow_reader)
{
  Server s = { 0 };
  Client a;
  IcsWsChannelConfig config = { 0 };
  g_autoptr (SoupWebsocketConnection) slow = NULL;
  g_autofree char *join = NULL;
  IcsRooms *rooms;
  gsize total = 0;
  guint32 serial = 0;
  guint safety;

  server_start (&s, NULL);
  config.server_uri = s.uri;
  client_start (&a, &config);
  wait_state (&a, ICS_CHANNEL_WAITING);
  slow = dial_raw (&s);
  g_signal_connect (slow, "message", G_CALLBACK (count_data), &total);
  join = g_strdup_printf ("{\"type\":\"join\",\"nameplate\":%s}", ics_ws_channel_get_nameplate (a.channel));
  soup_websocket_connection_send_text (slow, join);
  wait_state (&a, ICS_CHANNEL_OPEN);
  rooms = ics_rv_server_get_rooms (s.server);
  safety = add_safety ("the sender to block");
  /* Ends when the table holds a full window for the reader and the sender's own window is used up. */
  while (!cannot_write (&a) || ics_rooms_get_queued (rooms) + 2 * 30200 + ICS_RV_WINDOW / 4 < ICS_RV_WINDOW)
    {
      while (send_data (&a, serial, 30000))
        serial++;
      g_main_context_iteration (NULL, TRUE);
      ck_assert_uint_le (ics_rooms_get_queued (rooms), ICS_RV_WINDOW);
      ck_assert_uint_le (total, ICS_RV_WINDOW);
    }
  g_source_remove (safety);
  ck_assert_uint_le ((guint64)serial * 30000, 2 * ICS_RV_WINDOW);
  ck_assert_uint_eq (ics_rooms_get_stat (rooms, ICS_ROOMS_STAT_CREDIT_OVERRUNS), 0);
  client_end (&a);
  WAIT (ws_is_closed, slow);
  server_end (&s);
}
END_TEST

static void
assert_refused (const IcsWsChannelConfig *config, IcsError code)
{
  Client c;

  client_start (&c, config);
  assert_error (&c, code);
  client_end (&c);
}

START_TEST (test_refusals)
{
  Server s = { 0 };
  Client a, b;
  IcsRoomsConfig rooms = { .max_connections_per_address = 3 };
  IcsWsChannelConfig config = { 0 };

  server_start (&s, &rooms);
  config.server_uri = s.uri;
  config.nameplate = "4711";
  assert_refused (&config, ICS_ERROR_NO_PEER);
  pair_at (s.uri, s.uri, &a, &b);
  config.nameplate = ics_ws_channel_get_nameplate (a.channel);
  assert_refused (&config, ICS_ERROR_NO_PEER);
  config.nameplate = "07";
  assert_refused (&config, ICS_ERROR_INVALID_ARGUMENT);
  config.nameplate = NULL;
  config.server_uri = "ftp://127.0.0.1/";
  assert_refused (&config, ICS_ERROR_INVALID_ARGUMENT);
  config.server_uri = "ws://127.0.0.1:1/";
  assert_refused (&config, ICS_ERROR_SERVER_UNREACHABLE);
  config.server_uri = s.uri;
  config.family = 6;
  assert_refused (&config, ICS_ERROR_SERVER_UNREACHABLE);
  ck_assert (state_of (&a) == ICS_CHANNEL_OPEN && state_of (&b) == ICS_CHANNEL_OPEN);
  client_end (&a);
  client_end (&b);
  server_end (&s);
}
END_TEST

START_TEST (test_connection_limit)
{
  Server s = { 0 };
  Client a, b, c;
  IcsRoomsConfig rooms = { .max_connections_per_address = 2 };
  IcsWsChannelConfig config = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *wrong = NULL;

  server_start (&s, &rooms);
  pair_at (s.uri, s.uri, &a, &b);
  config.server_uri = s.uri;
  client_start (&c, &config);
  assert_error (&c, ICS_ERROR_SERVER_REFUSED);
  error = ics_channel_get_error (ICS_CHANNEL (c.channel));
  ck_assert_ptr_nonnull (strstr (error->message, "503"));
  client_end (&c);
  client_end (&b);
  assert_error (&a, ICS_ERROR_LINK_LOST);
  client_end (&a);
  spin ();
  wrong = g_strdup_printf ("%s/elsewhere", s.uri);
  config.server_uri = wrong;
  assert_refused (&config, ICS_ERROR_SERVER_REFUSED);
  server_end (&s);
}
END_TEST

int
main (void)
{
  const TTest *const tests[]
      = { test_relay, test_bulk_both_ways, test_slow_reader, test_refusals, test_connection_limit, NULL };

  return run_suite ("ws", tests);
}
