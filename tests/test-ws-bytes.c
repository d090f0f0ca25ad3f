/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a server answers to bytes that no client of ours sends. */
#include "tests/suite.h"
#include "tests/ws-fixture.h"
#include <string.h>

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
  gsize head = bytes->len, payload, pongs = 0;

  server_start (&s, NULL);
  for (guint i = 0; i < 5; i++)
    {
      g_string_append_len (bytes, i == 0 ? fragment : "\x00\xfe\x40\x00\0\0\0\0", 8);
      payload = bytes->len;
      g_string_set_size (bytes, payload + 0x4000);
      memset (bytes->str + payload, 0, 0x4000);
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
  const TTest *const tests[] = { test_http_answers, test_malformed_frames, test_guarded_floods, NULL };

  return run_suite ("ws-bytes", tests);
}
