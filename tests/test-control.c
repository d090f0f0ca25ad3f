/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/control.h"
#include "tests/suite.h"

#include <string.h>

static IcsControlRead
read_one (const guint8 *data, gsize len, gsize step, IcsControl *message)
{
  IcsControlReader reader;
  IcsControlRead read = ICS_CONTROL_MORE;

  ics_control_reader_init (&reader);
  for (gsize i = 0; i < len && read == ICS_CONTROL_MORE; i += step)
    {
      ics_control_reader_feed (&reader, data + i, MIN (step, len - i));
      read = ics_control_reader_next (&reader, message);
    }
  ics_control_reader_clear (&reader);
  return read;
}

/* Every type comes back as it went, whole or byte by byte. */
START_TEST (test_round_trip)
{
  const char *const servers[] = { "turn:192.0.2.1:3478", "", NULL };
  const char *const no_servers[] = { NULL };
  const IcsControl messages[] = {
    { .type = ICS_CONTROL_ICE, .leg = ICS_LEG_DIRECT, .attempt = G_MAXINT32, .a = "ufrag", .b = "pwd" },
    { .type = ICS_CONTROL_ICE,
      .leg = ICS_LEG_TURN,
      .attempt = 7,
      .relays = ICS_RELAYS_LISTENER,
      .server = 2,
      .a = "ufrag",
      .b = "pwd" },
    { .type = ICS_CONTROL_RELAYS, .servers = (char **)servers, .plain = TRUE },
    { .type = ICS_CONTROL_RELAYS, .servers = (char **)no_servers },
    { .type = ICS_CONTROL_ICE, .leg = ICS_LEG_TCP, .attempt = 1, .a = "ufrag", .b = "pwd" },
    { .type = ICS_CONTROL_ICE,
      .leg = ICS_LEG_SEARCH,
      .attempt = 1,
      .relays = ICS_RELAYS_LISTENER,
      .a = "ufrag",
      .b = "pwd" },
    { .type = ICS_CONTROL_NAT, .nat = { ICS_FACT_YES, ICS_NAT_PORTS_SEQUENTIAL, TRUE, "198.51.100.18" } },
    { .type = ICS_CONTROL_NAT, .nat = { ICS_FACT_UNKNOWN, ICS_NAT_PORTS_UNKNOWN, FALSE, "" } },
    { .type = ICS_CONTROL_RENEW },
    { .type = ICS_CONTROL_CANDIDATE, .leg = ICS_LEG_TURN, .attempt = 1, .a = "candidate:1 1 UDP 1 ::1 9" },
    { .type = ICS_CONTROL_END, .leg = ICS_LEG_DIRECT, .attempt = 2 },
    { .type = ICS_CONTROL_OVER, .leg = ICS_LEG_TURN, .attempt = 3 },
    { .type = ICS_CONTROL_MOVED },
    { .type = ICS_CONTROL_POLICY, .a = (char *)"lan" },
    { .type = ICS_CONTROL_MEDIA, .a = (char *)"SRTP_AEAD_AES_128_GCM SRTP_AES128_CM_HMAC_SHA1_80" },
    { .type = ICS_CONTROL_BYE, .code = 42, .a = "[[[[[[[[[[ \"{{{{{{{{{{\\" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (messages); i++)
    for (gsize step = 1; step < 1000; step += 998)
      {
        g_autoptr (GBytes) frame = ics_control_encode (&messages[i]);
        IcsControl got = { 0 };
        gsize len;
        const guint8 *data = g_bytes_get_data (frame, &len);

        ck_assert_int_eq (read_one (data, len, step, &got), ICS_CONTROL_MESSAGE);
        ck_assert_int_eq (got.type, messages[i].type);
        ck_assert_int_eq (got.leg, messages[i].leg);
        ck_assert_uint_eq (got.attempt, messages[i].attempt);
        ck_assert_uint_eq (got.code, messages[i].code);
        ck_assert_int_eq (g_strcmp0 (got.a, messages[i].a), 0);
        ck_assert_int_eq (g_strcmp0 (got.b, messages[i].b), 0);
        ck_assert_int_eq (got.relays, messages[i].relays);
        ck_assert_uint_eq (got.server, messages[i].server);
        ck_assert_int_eq (got.plain, messages[i].plain);
        ck_assert_int_eq (got.nat.mapping_varies, messages[i].nat.mapping_varies);
        ck_assert_int_eq (got.nat.ports, messages[i].nat.ports);
        ck_assert_int_eq (got.nat.searches, messages[i].nat.searches);
        ck_assert_str_eq (got.nat.address, messages[i].nat.address);
        ck_assert_int_eq (got.servers != NULL, messages[i].servers != NULL);
        if (got.servers != NULL)
          ck_assert (
              g_strv_equal ((const char *const *)got.servers, (const char *const *)messages[i].servers));
        ics_control_clear (&got);
      }
}
END_TEST

static gboolean
is_taken (const char *json)
{
  IcsControl message;
  gboolean taken = ics_control_decode (json, strlen (json), &message);

  ics_control_clear (&message);
  return taken;
}

#define ICE_SEARCH "{\"type\":\"ice\",\"leg\":\"search\",\"attempt\":1,\"ufrag\":\"u\",\"pwd\":\"p\""
#define NAT "{\"type\":\"nat\",\"mapping\":\"dependent\",\"ports\":\"random\""
#define ICE_TURN "{\"type\":\"ice\",\"leg\":\"turn\",\"attempt\":1,\"ufrag\":\"u\",\"pwd\":\"p\""

START_TEST (test_malformed)
{
  const char *const bad[] = {
    "",
    "[]",
    "7",
    "{",
    "{}",
    "{\"type\":7}",
    "{\"type\":\"ice\"}",
    "{\"type\":\"end\",\"leg\":\"direct\",\"attempt\":0}",
    "{\"type\":\"end\",\"leg\":\"direct\",\"attempt\":-1}",
    "{\"type\":\"end\",\"leg\":\"direct\",\"attempt\":2147483648}",
    "{\"type\":\"end\",\"leg\":\"direct\",\"attempt\":1.5}",
    "{\"type\":\"end\",\"leg\":\"direct\",\"attempt\":\"1\"}",
    "{\"type\":\"end\",\"leg\":\"sideways\",\"attempt\":1}",
    "{\"type\":\"end\",\"leg\":{},\"attempt\":1}",
    "{\"type\":\"ice\",\"leg\":\"direct\",\"attempt\":1,\"ufrag\":\"u\"}",
    ICE_TURN "}",
    ICE_TURN ",\"relays\":\"both\"}",
    ICE_TURN ",\"relays\":\"none\",\"server\":0}",
    ICE_TURN ",\"relays\":\"nobody\",\"server\":0}",
    ICE_TURN ",\"relays\":\"both\",\"server\":256}",
    ICE_TURN ",\"relays\":\"both\",\"server\":-1}",
    ICE_SEARCH "}",
    ICE_SEARCH ",\"opens\":\"both\"}",
    ICE_SEARCH ",\"opens\":\"none\"}",
    ICE_SEARCH ",\"opens\":1}",
    "{\"type\":\"nat\"}",
    NAT ",\"search\":true}",
    NAT ",\"address\":\"\"}",
    NAT ",\"address\":\"\",\"search\":1}",
    NAT ",\"address\":\"0123456789012345678901234567890123456789012345\",\"search\":true}",
    "{\"type\":\"relays\"}",
    "{\"type\":\"relays\",\"servers\":[]}",
    "{\"type\":\"relays\",\"servers\":{},\"plain\":true}",
    "{\"type\":\"relays\",\"servers\":\"x\",\"plain\":true}",
    "{\"type\":\"relays\",\"servers\":[1],\"plain\":true}",
    "{\"type\":\"relays\",\"servers\":[[]],\"plain\":true}",
    "{\"type\":\"relays\",\"servers\":[null],\"plain\":true}",
    "{\"type\":\"relays\",\"servers\":[],\"plain\":1}",
    "{\"type\":\"candidate\",\"leg\":\"turn\",\"attempt\":1,\"candidate\":null}",
    "{\"type\":\"bye\",\"code\":-1,\"reason\":\"\"}",
    "{\"type\":\"bye\",\"code\":1}",
    "{\"type\":\"moved\",\"x\":\"\xff\"}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    ck_assert_msg (!is_taken (bad[i]), "%s", bad[i]);
  ck_assert (is_taken (NAT ",\"address\":\"\",\"search\":true}"));
  ck_assert (is_taken (
      "{\"type\":\"nat\",\"mapping\":\"odd\",\"ports\":\"even\",\"search\":true,\"address\":\"\"}"));
  ck_assert (is_taken ("{\"type\":\"of a later version\",\"x\":[{\"y\":[1]}]}"));
}
END_TEST

/* The parser recurses: what nests deeply never reaches it. */
START_TEST (test_nesting)
{
  const char *const open[] = { "[", "{\"a\":" };

  for (guint depth = 2; depth < 1600; depth += 7)
    {
      g_autoptr (GString) json = g_string_new ("{\"type\":\"later\",\"x\":");

      for (guint i = 0; i < depth; i++)
        g_string_append (json, open[_i]);
      g_string_append_c (json, '0');
      for (guint i = 0; i < depth; i++)
        g_string_append_c (json, _i == 0 ? ']' : '}');
      g_string_append_c (json, '}');
      ck_assert_int_eq (is_taken (json->str), depth < 8);
    }
}
END_TEST

START_TEST (test_frame_lengths)
{
  const guint8 none[] = { 0, 0 };
  const guint8 large[] = { (ICS_CONTROL_MAX + 1) >> 8, (ICS_CONTROL_MAX + 1) & 0xff };
  const guint8 part[] = { 0, 5, '{', '}' };
  IcsControl message = { 0 };

  ck_assert_int_eq (read_one (none, sizeof none, 2, &message), ICS_CONTROL_MALFORMED);
  ck_assert_int_eq (read_one (large, sizeof large, 2, &message), ICS_CONTROL_MALFORMED);
  ck_assert_int_eq (read_one (part, sizeof part, 1, &message), ICS_CONTROL_MORE);
  ck_assert_int_eq (read_one (part, 1, 1, &message), ICS_CONTROL_MORE);
}
END_TEST

/* Random bytes and broken messages: anything but a crash. */
START_TEST (test_noise)
{
  IcsControl bye = { .type = ICS_CONTROL_BYE, .code = 1, .a = "a reason" };
  const char *fixed = g_getenv ("ICS_TEST_SEED");
  guint32 seed = fixed != NULL ? (guint32)g_ascii_strtoull (fixed, NULL, 10) : g_random_int ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  g_autoptr (GBytes) frame = ics_control_encode (&bye);
  gsize len;
  const guint8 *data = g_bytes_get_data (frame, &len);

  g_print ("seed %u (repeat with ICS_TEST_SEED=%u)\n", seed, seed);
  for (guint round = 0; round < 2000; round++)
    {
      g_autofree guint8 *noisy = g_memdup2 (data, len);
      IcsControl message = { 0 };

      for (gint n = g_rand_int_range (rand, 1, 5); n > 0; n--)
        noisy[g_rand_int_range (rand, 2, (gint32)len)] = (guint8)g_rand_int_range (rand, 0, 256);
      if (read_one (noisy, len, len, &message) == ICS_CONTROL_MESSAGE)
        ck_assert (message.type == ICS_CONTROL_BYE || message.type == ICS_CONTROL_UNKNOWN);
      ics_control_clear (&message);
    }
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { test_round_trip, 1 },    { test_malformed, 1 }, { test_nesting, 2 },
    { test_frame_lengths, 1 }, { test_noise, 1 },
  };

  return run_loops ("control", tests, G_N_ELEMENTS (tests));
}
