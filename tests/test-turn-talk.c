/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a TURN connection says, read from its bytes. */
#include "tests/suite.h"
#include "tests/turn-bytes.h"
#include "turn-fallback/turn-stream.h"
#include "turn-fallback/turn-talk.h"
#include <string.h>

static guint32
seed_of_test (void)
{
  const char *fixed = g_getenv ("ICS_TEST_SEED");
  guint32 seed = fixed != NULL ? (guint32)g_ascii_strtoull (fixed, NULL, 10) : g_random_int ();

  g_print ("seed %u (repeat with ICS_TEST_SEED=%u)\n", seed, seed);
  return seed;
}

/* RFC 5769 §2.2: a Binding success response over IPv4. */
static const guint8 rfc5769_response[]
    = { 0x01, 0x01, 0x00, 0x3c, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
        0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63,
        0x74, 0x6f, 0x72, 0x20, 0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43,
        0x80, 0x28, 0x00, 0x04, 0xc0, 0x7d, 0x4c, 0x96, 0x00, 0x08, 0x00, 0x14, 0x2b, 0x91, 0xf5, 0x99,
        0xfd, 0x9e, 0x90, 0xc3, 0x8c, 0x74, 0x89, 0xf9, 0x2a, 0xf9, 0xba, 0x53, 0xf0, 0x6b, 0xe7, 0xd7 };

START_TEST (test_vector)
{
  IcsTurnAnswer answer;
  guint8 bytes[sizeof rfc5769_response];

  /* The vector's length counts the integrity that follows here; its fingerprint is left out. */
  memcpy (bytes, rfc5769_response, sizeof bytes);
  ck_assert (ics_turn_answer_parse (&answer, bytes, sizeof bytes));
  ck_assert_uint_eq (answer.class, ICS_STUN_SUCCESS);
  ck_assert_uint_eq (answer.method, 1);
  ck_assert_uint_eq (answer.code, 0);
  for (gsize len = 0; len < sizeof bytes; len++)
    ck_assert (!ics_turn_answer_parse (&answer, bytes, len));
  bytes[4] ^= 1;
  ck_assert (!ics_turn_answer_parse (&answer, bytes, sizeof bytes));
}
END_TEST

START_TEST (test_alternate_server)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  IcsTurnAnswer answer;

  turn_append_error (bytes, ICS_TURN_ALLOCATE, 300, 0xc0000207, 3479);
  ck_assert (ics_turn_answer_parse (&answer, bytes->data, bytes->len));
  ck_assert_uint_eq (answer.class, ICS_STUN_ERROR);
  ck_assert_uint_eq (answer.method, ICS_TURN_ALLOCATE);
  ck_assert_uint_eq (answer.code, 300);
  ck_assert_uint_eq (answer.alternate_len, 4);
  ck_assert_mem_eq (answer.alternate, "\xc0\x00\x02\x07", 4);
  ck_assert_uint_eq (answer.alternate_port, 3479);
}
END_TEST

START_TEST (test_verdict)
{
  static const struct
  {
    guint codes[4];
    const char *cause;
    gboolean settled;
  } cases[] = {
    { { 401, 401 }, "wrong or expired credentials (401)", TRUE },
    { { 401, 431 }, "wrong or expired credentials (431)", TRUE },
    { { 401, 438 }, "wrong or expired credentials; it takes no nonce", FALSE },
    { { 401, 438, 438 }, "wrong or expired credentials; it takes no nonce", TRUE },
    { { 401, 441 }, "wrong or expired credentials (441)", TRUE },
    { { 401, 403 }, "forbids", TRUE },
    { { 401, 437 }, "second allocation", TRUE },
    { { 401, 442 }, "does not relay UDP", TRUE },
    { { 401, 486 }, "as many allocations as it allows (486)", TRUE },
    { { 401, 508 }, "no capacity left (508)", TRUE },
    { { 300 }, "another server", TRUE },
    { { 401, 599 }, "(599)", TRUE },
    { { 401 }, "asked for credentials and then said nothing", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      IcsTurnVerdict verdict = { 0 };
      g_autofree char *cause = NULL;
      gboolean settled = FALSE;

      for (guint k = 0; cases[i].codes[k] != 0; k++)
        {
          IcsTurnAnswer answer
              = { .class = ICS_STUN_ERROR, .method = ICS_TURN_ALLOCATE, .code = cases[i].codes[k] };

          ck_assert (!settled);
          settled = ics_turn_verdict_take (&verdict, &answer);
        }
      ck_assert_msg (settled == cases[i].settled, "case %u", i);
      cause = ics_turn_verdict_cause (&verdict);
      ck_assert_msg (cause != NULL && strstr (cause, cases[i].cause) != NULL, "case %u: %s", i, cause);
    }
}
END_TEST

/* --- framing --- */

typedef enum
{
  STUN,
  DATA,
  LONG_STUN
} Kind;

#define N_FRAMES 40

/* Any cut into pieces gives the same messages. */
START_TEST (test_frames)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed_of_test ());

  for (guint round = 0; round < 40; round++)
    {
      g_autoptr (GByteArray) bytes = g_byte_array_new ();
      gsize ends[N_FRAMES];
      Kind kinds[N_FRAMES];
      IcsTurnStream stream = { .broken = FALSE };
      guint n = 0;

      for (guint i = 0; i < N_FRAMES; i++)
        {
          g_autofree guint8 *body = g_malloc0 (4096);

          kinds[i] = (Kind)g_rand_int_range (rand, 0, 3);
          if (kinds[i] == DATA)
            turn_append_channel_data (bytes, (gsize)g_rand_int_range (rand, 0, 1500));
          else
            turn_append (bytes, turn_type (ICS_TURN_REFRESH, ICS_STUN_SUCCESS), body,
                         4 * (gsize)(kinds[i] == STUN ? g_rand_int_range (rand, 0, 500) : 1000));
          ends[i] = bytes->len;
        }
      for (gsize at = 0; at < bytes->len;)
        {
          gsize drawn = (gsize)g_rand_int_range (rand, 1, round % 2 == 0 ? 8 : 3000);
          gsize len = MIN (drawn, bytes->len - at);
          IcsTurnFrame frame;

          /* An assertion of check's for each piece would take most of the time. */
          if (!ics_turn_stream_take (&stream, bytes->data + at, len, &frame) || frame.used == 0
              || frame.used > len)
            ck_abort_msg ("%" G_GSIZE_FORMAT " bytes used of %" G_GSIZE_FORMAT, frame.used, len);
          at += frame.used;
          if (!frame.complete)
            continue;
          ck_assert_uint_eq (at, ends[n]);
          ck_assert_int_eq (frame.stun.len > 0, kinds[n] == STUN);
          if (kinds[n] == STUN)
            ck_assert_mem_eq (frame.stun.data, bytes->data + (n > 0 ? ends[n - 1] : 0), frame.stun.len);
          n++;
        }
      ck_assert_uint_eq (n, N_FRAMES);
    }
}
END_TEST

START_TEST (test_no_turn)
{
  static const char *const words[]
      = { "SSH-2.0-OpenSSH_9.2\r\n", "\x80\1\0\0\x21\x12\xa4\x42", "\1\1\0\3\x21\x12\xa4\x42",
          "\1\1\0\4\x21\x12\xa4\x43", "\x16\3\3\0\x7a\2\0\0" };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    {
      IcsTurnStream stream = { .broken = FALSE };
      IcsTurnFrame frame;

      ck_assert_msg (!ics_turn_stream_take (&stream, (const guint8 *)words[i], 8, &frame), "case %u", i);
      ck_assert (!ics_turn_stream_take (&stream, rfc5769_response, 20, &frame));
    }
}
END_TEST

/* --- the talk --- */

typedef struct
{
  IcsTurnTalk *talk;
  GByteArray *sent, *got;
  GString *events;
  IcsTurnAnswer answer;
} World;

static void
world_init (World *world)
{
  world->talk = ics_turn_talk_new ("secret");
  world->sent = g_byte_array_new ();
  world->got = g_byte_array_new ();
  world->events = g_string_new (NULL);
}

static void
world_clear (World *world)
{
  ics_turn_talk_free (world->talk);
  g_byte_array_unref (world->sent);
  g_byte_array_unref (world->got);
  g_string_free (world->events, TRUE);
}

/* What the server has to say, in pieces of @piece; "R", "D", "O", "L", "F", "B" for what happened. */
static void
world_say (World *world, gsize piece)
{
  IcsTurnTalkEvent event = ICS_TURN_TALK_NOTHING;

  for (gsize at = 0; at < world->sent->len && event != ICS_TURN_TALK_BROKEN; at += piece)
    {
      gsize end = MIN (at + piece, world->sent->len);

      for (gsize used = at; used < end && event != ICS_TURN_TALK_BROKEN;)
        {
          used += ics_turn_talk_from_server (world->talk, world->sent->data + used, end - used, world->got,
                                             &event, &world->answer);
          if (event != ICS_TURN_TALK_NOTHING)
            g_string_append_c (world->events, " RDOLFB"[event]);
        }
    }
}

/* All that is said comes through as it was, whatever the pieces, and what matters is told once. */
START_TEST (test_talk_passes)
{
  for (gsize piece = 1; piece < 400; piece += piece < 40 ? 1 : 37)
    {
      World world;

      world_init (&world);
      turn_append_error (world.sent, ICS_TURN_ALLOCATE, 401, 0, 0);
      turn_append_success (world.sent);
      turn_append_channel_data (world.sent, 1203);
      turn_append_error (world.sent, ICS_TURN_CREATE_PERMISSION, 403, 0, 0);
      turn_append_error (world.sent, ICS_TURN_CREATE_PERMISSION, 403, 0, 0);
      turn_append_error (world.sent, ICS_TURN_REFRESH, 438, 0, 0);
      turn_append_channel_data (world.sent, 7);
      turn_append_error (world.sent, ICS_TURN_REFRESH, 437, 0, 0);
      turn_append_error (world.sent, ICS_TURN_REFRESH, 437, 0, 0);
      g_byte_array_append (world.sent, (const guint8 *)"rubbish that is nobody's business", 33);
      world_say (&world, piece);
      ck_assert_str_eq (world.events->str, "FL");
      ck_assert_uint_eq (world.got->len, world.sent->len);
      ck_assert_mem_eq (world.got->data, world.sent->data, world.sent->len);
      ck_assert (ics_turn_talk_has_allocated (world.talk));
      world_clear (&world);
    }
}
END_TEST

START_TEST (test_talk_refused)
{
  World world;

  world_init (&world);
  for (guint i = 0; i < 3; i++)
    turn_append_error (world.sent, ICS_TURN_ALLOCATE, 401, 0, 0);
  world_say (&world, 5);
  ck_assert_str_eq (world.events->str, "R");
  ck_assert_uint_eq (world.got->len, world.sent->len);
  world_clear (&world);
}
END_TEST

/* The client never sees that it was sent elsewhere; its request is there to be repeated. */
START_TEST (test_talk_redirected)
{
  g_autoptr (GByteArray) request = g_byte_array_new ();
  g_autoptr (GByteArray) up = g_byte_array_new ();
  g_autoptr (GBytes) again = NULL;
  World world;

  world_init (&world);
  turn_append_allocate (request);
  for (guint i = 0; i < request->len; i++)
    ics_turn_talk_from_client (world.talk, request->data + i, 1, up);
  ck_assert_uint_eq (up->len, request->len);
  turn_append_error (world.sent, ICS_TURN_ALLOCATE, 300, 0xcb007107, 3478);
  world_say (&world, 9);
  ck_assert_str_eq (world.events->str, "D");
  ck_assert_uint_eq (world.got->len, 0);
  ck_assert_uint_eq (world.answer.alternate_port, 3478);
  again = ics_turn_talk_begin_anew (world.talk);
  ck_assert_uint_eq (g_bytes_get_size (again), request->len);
  ck_assert_mem_eq (g_bytes_get_data (again, NULL), request->data, request->len);
  g_byte_array_set_size (world.sent, 0);
  turn_append_success (world.sent);
  world_say (&world, 9);
  ck_assert (ics_turn_talk_has_allocated (world.talk));
  ck_assert_uint_eq (world.got->len, world.sent->len);
  world_clear (&world);
}
END_TEST

/* The client asks for a relay, in pieces. */
static void
client_asks (World *world, GByteArray *up)
{
  g_autoptr (GByteArray) request = g_byte_array_new ();

  turn_append_allocate (request);
  for (guint i = 0; i < request->len; i += 7)
    ics_turn_talk_from_client (world->talk, request->data + i, MIN (7, request->len - i), up);
}

static void
server_says (World *world, guint code, const char *events)
{
  g_byte_array_set_size (world->sent, 0);
  g_byte_array_set_size (world->got, 0);
  g_string_truncate (world->events, 0);
  turn_append_error (world->sent, ICS_TURN_ALLOCATE, code, 0xcb007107, 3478);
  world_say (world, 9);
  ck_assert_str_eq (world->events->str, events);
}

/* A server without IPv4 relays is asked for an IPv6 one, once and for each request from there on; the client
 * hears only of the end. */
START_TEST (test_talk_other_family)
{
  g_autoptr (GByteArray) up = g_byte_array_new ();
  g_autoptr (GBytes) again = NULL;
  g_autoptr (GBytes) anew = NULL;
  World world;
  guint plain;

  world_init (&world);
  client_asks (&world, up);
  plain = up->len;
  server_says (&world, 440, "O");
  ck_assert_uint_eq (world.got->len, 0);
  again = ics_turn_talk_begin_anew (world.talk);
  ck_assert_uint_eq (g_bytes_get_size (again), plain + 8);
  server_says (&world, 401, "");
  ck_assert_uint_eq (world.got->len, world.sent->len);
  g_byte_array_set_size (up, 0);
  client_asks (&world, up);
  ck_assert_mem_eq (up->data, g_bytes_get_data (again, NULL), plain + 8);
  server_says (&world, 440, "R");
  ck_assert_uint_eq (world.got->len, world.sent->len);
  /* Another server is another matter. */
  server_says (&world, 300, "D");
  anew = ics_turn_talk_begin_anew (world.talk);
  ck_assert_uint_eq (g_bytes_get_size (anew), plain);
  server_says (&world, 440, "O");
  world_clear (&world);
}
END_TEST

/* What the client had begun before the allocation is not lost, and what comes after is not looked at; 1: nor
 * is it while requests are altered. */
START_TEST (test_talk_passes_on)
{
  g_autoptr (GByteArray) request = g_byte_array_new ();
  g_autoptr (GByteArray) up = g_byte_array_new ();

  turn_append_allocate (request);
  for (guint altered = 0; altered < 2; altered++)
    {
      World world;

      world_init (&world);
      if (altered)
        {
          client_asks (&world, up);
          server_says (&world, 440, "O");
          g_bytes_unref (ics_turn_talk_begin_anew (world.talk));
        }
      g_byte_array_set_size (up, 0);
      ics_turn_talk_from_client (world.talk, request->data, 13, up);
      ck_assert_uint_eq (up->len, altered ? 0 : 13);
      g_byte_array_set_size (world.sent, 0);
      turn_append_success (world.sent);
      world_say (&world, 100);
      ics_turn_talk_from_client (world.talk, request->data + 13, request->len - 13, up);
      ck_assert_uint_eq (up->len, request->len);
      ck_assert_mem_eq (up->data, request->data, request->len);
      ics_turn_talk_from_client (world.talk, (const guint8 *)"data", 4, up);
      ck_assert_uint_eq (up->len, request->len + 4);
      world_clear (&world);
    }
}
END_TEST

/* What is no TURN is not understood, and passes too; 1: while requests are altered. */
START_TEST (test_talk_blind)
{
  g_autoptr (GByteArray) up = g_byte_array_new ();

  for (guint altered = 0; altered < 2; altered++)
    {
      World world;

      world_init (&world);
      client_asks (&world, up);
      if (altered)
        server_says (&world, 440, "O");
      g_byte_array_set_size (up, 0);
      ics_turn_talk_from_client (world.talk, (const guint8 *)"POST / HT", 9, up);
      ics_turn_talk_from_client (world.talk, (const guint8 *)"TP/1.1", 6, up);
      ck_assert_uint_eq (up->len, 15);
      ck_assert_mem_eq (up->data, "POST / HTTP/1.1", 15);
      if (!altered)
        server_says (&world, 440, "R");
      world_clear (&world);
    }
}
END_TEST

START_TEST (test_talk_broken)
{
  World world;

  world_init (&world);
  g_byte_array_append (world.sent, (const guint8 *)"HTTP/1.1 200 OK\r\n\r\n", 19);
  world_say (&world, 19);
  ck_assert_str_eq (world.events->str, "B");
  ck_assert_uint_eq (world.got->len, 0);
  world_clear (&world);
}
END_TEST

/* A hostile server: nothing is made of nothing, and what is passed on is what was said. */
START_TEST (test_garbage)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed_of_test ());

  for (guint round = 0; round < 3000; round++)
    {
      World world;

      world_init (&world);
      turn_append_error (world.sent, ICS_TURN_ALLOCATE, 401, 0, 0);
      turn_append_error (world.sent, ICS_TURN_ALLOCATE, 300, 0xcb007107, 3478);
      turn_append_success (world.sent);
      turn_append_channel_data (world.sent, 30);
      turn_append_error (world.sent, ICS_TURN_REFRESH, 437, 0, 0);
      for (gint32 n = g_rand_int_range (rand, 1, 8); n > 0; n--)
        world.sent->data[g_rand_int_range (rand, 0, (gint32)world.sent->len)] ^= (guint8)g_rand_int (rand);
      world_say (&world, (gsize)g_rand_int_range (rand, 1, 60));
      if (world.got->len > world.sent->len || world.events->len > 8)
        ck_abort_msg ("round %u: %u bytes of %u, %s", round, world.got->len, world.sent->len,
                      world.events->str);
      world_clear (&world);
    }
}
END_TEST

START_TEST (test_where_to)
{
  static const struct
  {
    const char *from, *to;
    gboolean may;
  } cases[] = {
    { "203.0.113.1", "203.0.113.2", TRUE },
    { "203.0.113.1", "127.0.0.1", FALSE },
    { "203.0.113.1", "192.168.1.1", FALSE },
    { "203.0.113.1", "10.0.0.1", FALSE },
    { "203.0.113.1", "100.64.0.1", FALSE },
    { "203.0.113.1", "169.254.0.1", FALSE },
    { "203.0.113.1", "0.0.0.0", FALSE },
    { "203.0.113.1", "224.0.0.1", FALSE },
    { "192.168.1.1", "192.168.1.2", TRUE },
    { "192.168.1.1", "203.0.113.1", TRUE },
    { "192.168.1.1", "127.0.0.1", FALSE },
    { "127.0.0.1", "127.0.0.1", TRUE },
    { "127.0.0.1", "192.168.1.1", TRUE },
    { "2001:db8::1", "fd00::1", FALSE },
    { "2001:db8::1", "::1", FALSE },
    { "2001:db8::1", "::ffff:127.0.0.1", FALSE },
    { "2001:db8::1", "fe80::1", FALSE },
    { "2001:db8::1", "2001:db8::2", TRUE },
    { NULL, "203.0.113.1", TRUE },
    { NULL, "192.168.1.1", FALSE },
    { NULL, "127.0.0.1", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GInetAddress) from
          = cases[i].from != NULL ? g_inet_address_new_from_string (cases[i].from) : NULL;
      g_autoptr (GInetAddress) to = g_inet_address_new_from_string (cases[i].to);
      IcsTurnAnswer answer = { .alternate_port = 3478, .alternate_len = g_inet_address_get_native_size (to) };

      memcpy (answer.alternate, g_inet_address_to_bytes (to), answer.alternate_len);
      ck_assert_msg (ics_turn_talk_may_redirect (from, &answer) == cases[i].may, "%s to %s", cases[i].from,
                     cases[i].to);
      answer.alternate_port = 0;
      ck_assert (!ics_turn_talk_may_redirect (from, &answer));
    }
}
END_TEST

int
main (void)
{
  const TTest *const tests[] = { test_vector,         test_alternate_server, test_verdict,
                                 test_frames,         test_no_turn,          test_talk_passes,
                                 test_talk_refused,   test_talk_redirected,  test_talk_other_family,
                                 test_talk_passes_on, test_talk_blind,       test_talk_broken,
                                 test_garbage,        test_where_to,         NULL };

  return run_suite ("turn talk", tests);
}
