/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A real server and real clients on loopback, in one main context. A small TCP proxy stands in between where
 * a connection has to be cut, or a server restarted under the same address. */
#include "base/ics-error.h"
#include "signaling/server.h"
#include "signaling/ws-channel.h"
#include "signaling/ws-dial.h"
#include <check.h>
#include <libsoup/soup.h>
#include <stdlib.h>
#include <string.h>

#define SAFETY_S 60

typedef struct
{
  IcsRvServer *server;
  char *uri;
  guint16 port;
} Server;

typedef struct
{
  IcsWsChannel *channel;
  GPtrArray *signals; /* GBytes */
  guint64 data_bytes;
  guint data_frames;
  guint32 next_serial;
  guint writable;
  guint turn;
  gboolean seen[ICS_CHANNEL_CLOSED + 1];
} Client;

typedef gboolean (*Condition) (gpointer data);

static gboolean
on_safety (gpointer data)
{
  ck_abort_msg ("waited too long for: %s", (const char *)data);
  return G_SOURCE_REMOVE;
}

static void
wait_for (Condition condition, gpointer data, const char *what)
{
  guint safety = g_timeout_add_seconds (SAFETY_S, on_safety, (gpointer)what);

  while (!condition (data))
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (safety);
}

#define WAIT(condition, data) wait_for (condition, data, #condition)

static GPtrArray *
give_turn (gpointer data)
{
  GPtrArray *turn = g_ptr_array_new_with_free_func ((GDestroyNotify)ics_turn_server_free);
  IcsTurnServer *server = ics_turn_server_parse ("turn:192.0.2.1:3478?transport=udp", NULL);

  server->username = g_strdup ("user");
  server->password = g_strdup ("pass");
  server->expires_unix = g_get_real_time () / G_USEC_PER_SEC + 600;
  g_ptr_array_add (turn, server);
  return turn;
}

static void
server_start (Server *s, const IcsRoomsConfig *rooms)
{
  IcsRvServerConfig config = { .turn_servers = give_turn };
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string ("127.0.0.1", s->port);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GError) error = NULL;

  if (rooms != NULL)
    config.rooms = *rooms;
  s->server = ics_rv_server_new (&config);
  bound = ics_rv_server_listen (s->server, any, &error);
  ck_assert_msg (bound != NULL, "%s", error != NULL ? error->message : "");
  s->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  g_free (s->uri);
  s->uri = g_strdup_printf ("ws://127.0.0.1:%u", s->port);
}

static void
spin (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
server_end (Server *s)
{
  g_clear_pointer (&s->server, ics_rv_server_free);
  g_clear_pointer (&s->uri, g_free);
  spin ();
}

static void
on_message (IcsChannel *channel, guint kind, GBytes *message, Client *c)
{
  guint32 serial;

  if (kind == ICS_CHANNEL_SIGNAL)
    {
      g_ptr_array_add (c->signals, g_bytes_ref (message));
      return;
    }
  memcpy (&serial, g_bytes_get_data (message, NULL), sizeof serial);
  ck_assert_uint_ge (serial, c->next_serial);
  c->next_serial = serial + 1;
  c->data_bytes += g_bytes_get_size (message);
  c->data_frames++;
}

static void
on_state (IcsChannel *channel, guint state, Client *c)
{
  c->seen[state] = TRUE;
}

static void
on_writable (IcsChannel *channel, Client *c)
{
  c->writable++;
}

static void
on_turn (IcsWsChannel *channel, Client *c)
{
  c->turn++;
}

static void
client_start (Client *c, const IcsWsChannelConfig *config)
{
  memset (c, 0, sizeof *c);
  c->signals = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  c->channel = ics_ws_channel_new (config);
  g_signal_connect (c->channel, "message", G_CALLBACK (on_message), c);
  g_signal_connect (c->channel, "state-changed", G_CALLBACK (on_state), c);
  g_signal_connect (c->channel, "writable", G_CALLBACK (on_writable), c);
  g_signal_connect (c->channel, "turn-servers", G_CALLBACK (on_turn), c);
  ics_channel_start (ICS_CHANNEL (c->channel));
}

static void
client_end (Client *c)
{
  g_signal_handlers_disconnect_by_data (c->channel, c);
  ics_channel_close (ICS_CHANNEL (c->channel));
  g_clear_object (&c->channel);
  g_ptr_array_unref (c->signals);
}

static IcsChannelState
state_of (Client *c)
{
  return ics_channel_get_state (ICS_CHANNEL (c->channel));
}

static gboolean
is_waiting (gpointer c)
{
  return state_of (c) == ICS_CHANNEL_WAITING;
}

static gboolean
is_open (gpointer c)
{
  return state_of (c) == ICS_CHANNEL_OPEN;
}

static gboolean
is_closed (gpointer c)
{
  return state_of (c) == ICS_CHANNEL_CLOSED;
}

static gboolean
is_peer_lost (gpointer c)
{
  return state_of (c) == ICS_CHANNEL_PEER_LOST;
}

static gboolean
is_interrupted (gpointer c)
{
  return state_of (c) == ICS_CHANNEL_INTERRUPTED;
}

static gboolean
has_signal (gpointer c)
{
  return ((Client *)c)->signals->len > 0;
}

static void
assert_error (Client *c, IcsError code)
{
  const GError *error;

  WAIT (is_closed, c);
  error = ics_channel_get_error (ICS_CHANNEL (c->channel));
  ck_assert_ptr_nonnull (error);
  ck_assert_msg (g_error_matches (error, ICS_ERROR, (int)code), "%s", error->message);
}

static void
pair_at (const char *uri_a, const char *uri_b, Client *a, Client *b)
{
  IcsWsChannelConfig config = { .server_uri = uri_a };

  client_start (a, &config);
  WAIT (is_waiting, a);
  config.server_uri = uri_b;
  config.nameplate = ics_ws_channel_get_nameplate (a->channel);
  client_start (b, &config);
  WAIT (is_open, b);
  WAIT (is_open, a);
}

static gboolean
send_text (Client *c, const char *text)
{
  g_autoptr (GBytes) message = g_bytes_new (text, strlen (text));

  return ics_channel_send (ICS_CHANNEL (c->channel), ICS_CHANNEL_SIGNAL, message);
}

static gboolean
send_data (Client *c, guint32 serial, gsize len)
{
  g_autofree guint8 *payload = g_malloc0 (len);
  g_autoptr (GBytes) message = NULL;

  memcpy (payload, &serial, sizeof serial);
  message = g_bytes_new_take (g_steal_pointer (&payload), len);
  return ics_channel_send (ICS_CHANNEL (c->channel), ICS_CHANNEL_DATA, message);
}

/* A proxy that can be cut and pointed elsewhere. */

typedef struct
{
  GSocketService *service;
  guint16 target;
  guint16 port;
  char *uri;
  GPtrArray *streams;
} Proxy;

static void
on_spliced (GObject *source, GAsyncResult *result, gpointer data)
{
  g_io_stream_splice_finish (result, NULL);
}

static gboolean
on_proxy_incoming (GSocketService *service, GSocketConnection *near, GObject *source, gpointer data)
{
  Proxy *p = data;
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) far
      = g_socket_client_connect_to_host (client, "127.0.0.1", p->target, NULL, NULL);

  if (far == NULL)
    return TRUE;
  g_ptr_array_add (p->streams, g_object_ref (near));
  g_ptr_array_add (p->streams, g_object_ref (far));
  g_io_stream_splice_async (G_IO_STREAM (near), G_IO_STREAM (far),
                            G_IO_STREAM_SPLICE_CLOSE_STREAM1 | G_IO_STREAM_SPLICE_CLOSE_STREAM2, 0, NULL,
                            on_spliced, NULL);
  return TRUE;
}

static void
proxy_start (Proxy *p, guint16 target)
{
  p->service = g_socket_service_new ();
  p->target = target;
  p->streams = g_ptr_array_new_with_free_func (g_object_unref);
  p->port = g_socket_listener_add_any_inet_port (G_SOCKET_LISTENER (p->service), NULL, NULL);
  p->uri = g_strdup_printf ("ws://127.0.0.1:%u/", p->port);
  g_signal_connect (p->service, "incoming", G_CALLBACK (on_proxy_incoming), p);
}

static void
proxy_cut (Proxy *p)
{
  for (guint i = 0; i < p->streams->len; i++)
    g_socket_shutdown (g_socket_connection_get_socket (p->streams->pdata[i]), TRUE, TRUE, NULL);
  g_ptr_array_set_size (p->streams, 0);
}

static void
proxy_end (Proxy *p)
{
  proxy_cut (p);
  g_socket_service_stop (p->service);
  g_socket_listener_close (G_SOCKET_LISTENER (p->service));
  spin ();
  g_object_unref (p->service);
  g_ptr_array_unref (p->streams);
  g_free (p->uri);
}

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

typedef struct
{
  Client *to;
  guint frames;
} Expect;

static gboolean
all_came (gpointer data)
{
  Expect *e = data;

  return e->to->data_frames >= e->frames;
}

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
  guint safety = g_timeout_add_seconds (SAFETY_S, on_safety, (gpointer) "bulk");

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
  WAIT (is_waiting, &a);
  slow = dial_raw (&s);
  g_signal_connect (slow, "message", G_CALLBACK (count_data), &total);
  join = g_strdup_printf ("{\"type\":\"join\",\"nameplate\":%s}", ics_ws_channel_get_nameplate (a.channel));
  soup_websocket_connection_send_text (slow, join);
  WAIT (is_open, &a);
  rooms = ics_rv_server_get_rooms (s.server);
  safety = g_timeout_add_seconds (SAFETY_S, on_safety, (gpointer) "the sender to block");
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

START_TEST (test_resume_after_cut)
{
  Server s = { 0 };
  Proxy p = { 0 };
  Client a, b;

  server_start (&s, NULL);
  proxy_start (&p, s.port);
  pair_at (s.uri, p.uri, &a, &b);
  proxy_cut (&p);
  WAIT (is_interrupted, &b);
  ck_assert (!send_text (&b, "no"));
  ck_assert_uint_eq (ics_channel_get_writable (ICS_CHANNEL (b.channel)), 0);
  WAIT (is_peer_lost, &a);
  ck_assert (send_text (&a, "while away"));
  WAIT (is_open, &b);
  WAIT (is_open, &a);
  WAIT (has_signal, &b);
  ck_assert_uint_eq (b.turn, 2);
  ck_assert (send_data (&b, 0, 1000));
  WAIT (all_came, &((Expect){ &a, 1 }));
  client_end (&a);
  client_end (&b);
  proxy_end (&p);
  server_end (&s);
}
END_TEST

START_TEST (test_server_restart)
{
  Server s = { 0 };
  Client a, b, waiting;
  IcsWsChannelConfig config = { 0 };
  g_autofree char *uri = NULL;

  server_start (&s, NULL);
  uri = g_strdup (s.uri);
  pair_at (uri, uri, &a, &b);
  config.server_uri = uri;
  client_start (&waiting, &config);
  WAIT (is_waiting, &waiting);
  g_clear_pointer (&s.server, ics_rv_server_free);
  WAIT (is_interrupted, &a);
  WAIT (is_interrupted, &b);
  WAIT (is_interrupted, &waiting);
  server_start (&s, NULL);
  WAIT (is_open, &a);
  WAIT (is_open, &b);
  WAIT (is_waiting, &waiting);
  ck_assert (send_text (&a, "still here"));
  WAIT (has_signal, &b);
  client_end (&b);
  config.nameplate = ics_ws_channel_get_nameplate (waiting.channel);
  client_start (&b, &config);
  WAIT (is_open, &waiting);
  client_end (&a);
  client_end (&b);
  client_end (&waiting);
  server_end (&s);
}
END_TEST

static void
on_stopped (gpointer data)
{
  *(gboolean *)data = TRUE;
}

static gboolean
is_true (gpointer data)
{
  return *(gboolean *)data;
}

START_TEST (test_stop_is_an_interruption)
{
  Server s = { 0 };
  Client a, b;
  gboolean stopped = FALSE;

  server_start (&s, NULL);
  pair_at (s.uri, s.uri, &a, &b);
  ics_rv_server_stop (s.server, on_stopped, &stopped);
  WAIT (is_interrupted, &a);
  WAIT (is_interrupted, &b);
  WAIT (is_true, &stopped);
  client_end (&a);
  client_end (&b);
  server_end (&s);
}
END_TEST

START_TEST (test_refusals)
{
  Server s = { 0 };
  Client a, b, c;
  IcsRoomsConfig rooms = { .max_connections_per_address = 3 };
  IcsWsChannelConfig config = { 0 };

  server_start (&s, &rooms);
  config.server_uri = s.uri;
  config.nameplate = "4711";
  client_start (&c, &config);
  assert_error (&c, ICS_ERROR_NO_PEER);
  client_end (&c);
  pair_at (s.uri, s.uri, &a, &b);
  config.nameplate = ics_ws_channel_get_nameplate (a.channel);
  client_start (&c, &config);
  assert_error (&c, ICS_ERROR_NO_PEER);
  client_end (&c);
  config.nameplate = "07";
  client_start (&c, &config);
  assert_error (&c, ICS_ERROR_INVALID_ARGUMENT);
  client_end (&c);
  config.nameplate = NULL;
  config.server_uri = "ftp://127.0.0.1/";
  client_start (&c, &config);
  assert_error (&c, ICS_ERROR_INVALID_ARGUMENT);
  client_end (&c);
  config.server_uri = "ws://127.0.0.1:1/";
  client_start (&c, &config);
  assert_error (&c, ICS_ERROR_SERVER_UNREACHABLE);
  client_end (&c);
  config.server_uri = s.uri;
  config.family = 6;
  client_start (&c, &config);
  assert_error (&c, ICS_ERROR_SERVER_UNREACHABLE);
  client_end (&c);
  ck_assert (is_open (&a) && is_open (&b));
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
  g_autofree char *wrong = NULL;

  server_start (&s, &rooms);
  pair_at (s.uri, s.uri, &a, &b);
  config.server_uri = s.uri;
  client_start (&c, &config);
  assert_error (&c, ICS_ERROR_SERVER_REFUSED);
  ck_assert_ptr_nonnull (strstr (ics_channel_get_error (ICS_CHANNEL (c.channel))->message, "503"));
  client_end (&c);
  client_end (&b);
  assert_error (&a, ICS_ERROR_LINK_LOST);
  client_end (&a);
  spin ();
  wrong = g_strdup_printf ("%s/elsewhere", s.uri);
  config.server_uri = wrong;
  client_start (&c, &config);
  assert_error (&c, ICS_ERROR_SERVER_REFUSED);
  client_end (&c);
  server_end (&s);
}
END_TEST

typedef struct
{
  GString *got;
  gboolean ended;
  char buffer[4096];
} RawRead;

static void
on_raw_read (GObject *source, GAsyncResult *result, gpointer data)
{
  RawRead *r = data;
  gssize n = g_input_stream_read_finish (G_INPUT_STREAM (source), result, NULL);

  if (n <= 0)
    {
      r->ended = TRUE;
      return;
    }
  g_string_append_len (r->got, r->buffer, n);
  g_input_stream_read_async (G_INPUT_STREAM (source), r->buffer, sizeof r->buffer, 0, NULL, on_raw_read, r);
}

/* Sends bytes as they are and returns what came back until the server closed. */
static char *
raw_exchange (Server *s, const void *bytes, gsize len)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) stream
      = g_socket_client_connect_to_host (client, "127.0.0.1", s->port, NULL, NULL);
  RawRead r = { .got = g_string_new (NULL) };

  ck_assert_ptr_nonnull (stream);
  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (stream)), bytes, len, NULL, NULL,
                             NULL);
  g_input_stream_read_async (g_io_stream_get_input_stream (G_IO_STREAM (stream)), r.buffer, sizeof r.buffer,
                             0, NULL, on_raw_read, &r);
  WAIT (is_true, &r.ended);
  return g_string_free (r.got, FALSE);
}

static char *
http (Server *s, const char *request)
{
  return raw_exchange (s, request, strlen (request));
}

START_TEST (test_http_answers)
{
  Server s = { 0 };
  g_autofree char *health = NULL, *missing = NULL, *plain = NULL, *body = NULL, *post = NULL;

  server_start (&s, NULL);
  health = http (&s, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  ck_assert_ptr_nonnull (strstr (health, "200 OK"));
  ck_assert_ptr_nonnull (strstr (health, "\"status\":\"ok\""));
  ck_assert_ptr_nonnull (strstr (health, "\"refused_nameplate\":0"));
  missing = http (&s, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  ck_assert_ptr_nonnull (strstr (missing, "404"));
  plain = http (&s, "GET /v1/ws HTTP/1.1\r\nHost: x\r\n\r\n");
  ck_assert_ptr_nonnull (strstr (plain, "426"));
  post = http (&s, "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  ck_assert_ptr_nonnull (strstr (post, "405"));
  body = http (&s, "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nxxx");
  ck_assert_ptr_null (strstr (body, "200 OK"));
  server_end (&s);
}
END_TEST

#define UPGRADE                                                                                              \
  "GET /v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                          \
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

/* Frames no client of ours sends: each ends the connection, none the server. Masked with zeros. */
START_TEST (test_malformed_frames)
{
  static const struct
  {
    const char *bytes;
    gsize len;
  } frames[] = {
    { "\x82\x81\0\0\0\0\x09", 7 },                      /* unknown type */
    { "\x82\x80\0\0\0\0", 6 },                          /* empty */
    { "\x82\xff\0\0\0\0\x7f\xff\xff\xff\0\0\0\0", 14 }, /* 2 GiB announced */
    { "\x82\x01\x03", 3 },                              /* unmasked */
    { "\xf2\x81\0\0\0\0\x03", 7 },                      /* reserved bits */
    { "\x81\x82\0\0\0\0\xff\xfe", 8 },                  /* no UTF-8 */
    { "\x81\x82\0\0\0\0{}", 8 },                        /* no request */
    { "\x8b\x80\0\0\0\0", 6 },                          /* unknown control frame */
    { "\x80\x81\0\0\0\0\x03", 7 },                      /* continuation of nothing */
    { "\x82\x85\0\0\0\0\x02\0\0\0\1", 11 },             /* credit without a room */
  };
  Server s = { 0 };
  g_autofree char *no_protocol = NULL;

  server_start (&s, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (frames); i++)
    {
      g_autoptr (GString) bytes = g_string_new (UPGRADE "Sec-WebSocket-Protocol: ice-session.v1\r\n\r\n");
      g_autofree char *answer = NULL;

      g_string_append_len (bytes, frames[i].bytes, (gssize)frames[i].len);
      answer = raw_exchange (&s, bytes->str, bytes->len);
      ck_assert_msg (strstr (answer, "101 Switching Protocols") != NULL, "%u: %s", i, answer);
    }
  no_protocol = http (&s, UPGRADE "\r\n");
  ck_assert_ptr_nonnull (strstr (no_protocol, "426"));
  ck_assert_uint_eq (ics_rooms_get_n_connections (ics_rv_server_get_rooms (s.server)), 0);
  server_end (&s);
}
END_TEST

/* Floods that libsoup would let grow: fragments without end, pings without end. */
START_TEST (test_guarded_floods)
{
  static const char fragment[] = "\x02\xfe\x40\x00\0\0\0\0";
  static const char ping[] = "\x89\x80\0\0\0\0";
  Server s = { 0 };
  g_autoptr (GString) bytes = g_string_new (UPGRADE "Sec-WebSocket-Protocol: ice-session.v1\r\n\r\n");
  g_autofree char *answer = NULL;
  gsize head = bytes->len, pongs = 0;

  server_start (&s, NULL);
  for (guint i = 0; i < 5; i++)
    {
      g_string_append_len (bytes, i == 0 ? fragment : "\x00\xfe\x40\x00\0\0\0\0", 8);
      g_string_set_size (bytes, bytes->len + 0x4000);
    }
  answer = raw_exchange (&s, bytes->str, bytes->len);
  ck_assert_ptr_nonnull (strstr (answer, "101"));
  /* Closed at once (1008), not when the server's patience ended: then a beat would come first. */
  ck_assert_int_eq (strstr (answer, "\r\n\r\n")[4], '\x88');
  g_string_set_size (bytes, head);
  for (guint i = 0; i < 200; i++)
    g_string_append_len (bytes, ping, 6);
  g_free (answer);
  answer = raw_exchange (&s, bytes->str, bytes->len);
  for (const char *c = strstr (answer, "\r\n\r\n") + 4; *c == '\x8a'; c += 2)
    pongs += 1;
  ck_assert_uint_le (pongs, 17);
  server_end (&s);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("ws");
  TCase *tcase = tcase_create ("ws");
  SRunner *runner;
  int failed;

  tcase_set_timeout (tcase, 120);
  tcase_add_test (tcase, test_relay);
  tcase_add_test (tcase, test_bulk_both_ways);
  tcase_add_test (tcase, test_slow_reader);
  tcase_add_test (tcase, test_resume_after_cut);
  tcase_add_test (tcase, test_server_restart);
  tcase_add_test (tcase, test_stop_is_an_interruption);
  tcase_add_test (tcase, test_refusals);
  tcase_add_test (tcase, test_connection_limit);
  tcase_add_test (tcase, test_http_answers);
  tcase_add_test (tcase, test_malformed_frames);
  tcase_add_test (tcase, test_guarded_floods);
  suite_add_tcase (suite, tcase);
  runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
