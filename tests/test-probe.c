/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path/probe.h"
#include "path/replay-window.h"
#include <check.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const guint8 key[ICS_PROBE_KEY_LEN] = "0123456789abcdef0123456789abcdef";
static const guint8 other_key[ICS_PROBE_KEY_LEN] = "0123456789abcdef0123456789abcdeg";
static const IcsProbe ping = { ICS_PROBE_PING, 0x0102030405060708, 0x1112131415161718 };

/* The bytes of docs/protocol.md. */
START_TEST (layout)
{
  static const guint8 head[] = { 0x04, 0x01, 0xff, 0xff, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06,
                                 0x07, 0x08, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18 };
  guint8 buf[ICS_PROBE_LEN];
  guint8 mac[16];

  ics_probe_write (buf, &ping, key);
  ck_assert_mem_eq (buf, head, sizeof head);
  crypto_generichash (mac, sizeof mac, head, sizeof head, key, sizeof key);
  ck_assert_mem_eq (buf + sizeof head, mac, sizeof mac);
}
END_TEST

START_TEST (round_trip)
{
  IcsProbe pong = { ICS_PROBE_PONG, G_MAXUINT64, 0 };
  guint8 buf[ICS_PROBE_LEN];
  IcsProbe read;

  ics_probe_write (buf, &ping, key);
  ck_assert (ics_probe_read (buf, sizeof buf, key, &read));
  ck_assert_int_eq (read.type, ICS_PROBE_PING);
  ck_assert (read.seq == ping.seq && read.cookie == ping.cookie);
  ics_probe_write (buf, &pong, key);
  ck_assert (ics_probe_read (buf, sizeof buf, key, &read));
  ck_assert_int_eq (read.type, ICS_PROBE_PONG);
  ck_assert (read.seq == pong.seq && read.cookie == pong.cookie);
  ck_assert (!ics_probe_read (buf, sizeof buf, other_key, &read));
  pong.type = ICS_PROBE_PING_IN_DOUBT;
  ics_probe_write (buf, &pong, key);
  ck_assert (ics_probe_read (buf, sizeof buf, key, &read));
  ck_assert_int_eq (read.type, ICS_PROBE_PING_IN_DOUBT);
}
END_TEST

START_TEST (every_flipped_bit_is_noticed)
{
  guint8 buf[ICS_PROBE_LEN];
  IcsProbe read;

  for (guint bit = 0; bit < 8 * ICS_PROBE_LEN; bit++)
    {
      ics_probe_write (buf, &ping, key);
      buf[bit / 8] ^= (guint8)(1 << bit % 8);
      ck_assert_msg (!ics_probe_read (buf, sizeof buf, key, &read), "bit %u", bit);
    }
}
END_TEST

START_TEST (every_other_length_is_refused)
{
  guint8 buf[2 * ICS_PROBE_LEN] = { 0 };
  IcsProbe read;

  ics_probe_write (buf, &ping, key);
  for (gsize len = 0; len <= sizeof buf; len++)
    {
      /* An allocation of the exact size lets the sanitizer see a read past the end. */
      g_autofree guint8 *exact = g_memdup2 (buf, len);

      ck_assert_int_eq (ics_probe_read (exact, len, key, &read), len == ICS_PROBE_LEN);
      ck_assert_int_eq (ics_probe_matches (exact, len), len == ICS_PROBE_LEN);
    }
}
END_TEST

/* RFC 9443 §2 and the length check of RFC 8489 §5. */
START_TEST (is_nobody_elses)
{
  guint8 buf[ICS_PROBE_LEN];
  guint stun_len;

  ics_probe_write (buf, &ping, key);
  ck_assert_uint_gt (buf[0], 3);
  ck_assert_uint_lt (buf[0], 16);
  stun_len = (guint)buf[2] << 8 | buf[3];
  ck_assert_uint_ne (stun_len % 4, 0);
  ck_assert_uint_gt (stun_len + 20, sizeof buf);
}
END_TEST

START_TEST (random_bytes)
{
  guint8 buf[ICS_PROBE_LEN];
  IcsProbe read;

  for (guint i = 0; i < 20000; i++)
    {
      randombytes_buf (buf, sizeof buf);
      if (i % 2 == 0)
        memcpy (buf, "\x04\x02\xff\xff", 4);
      ck_assert (!ics_probe_read (buf, sizeof buf, key, &read));
    }
}
END_TEST

START_TEST (replay_window)
{
  IcsReplayWindow window = { 0 };

  for (guint64 seq = 1; seq < 1000; seq += 3)
    {
      ck_assert (ics_replay_window_accept (&window, seq + 1));
      ck_assert (ics_replay_window_accept (&window, seq));
      for (guint64 old = 0; old <= seq + 1; old++)
        if (old % 3 != 0 || old == 0)
          ck_assert (!ics_replay_window_accept (&window, old));
    }
  ck_assert (ics_replay_window_accept (&window, G_MAXUINT64));
  ck_assert (!ics_replay_window_accept (&window, G_MAXUINT64));
}
END_TEST

static Suite *
suite (void)
{
  Suite *s = suite_create ("probe");
  TCase *t = tcase_create ("probe");

  tcase_add_test (t, layout);
  tcase_add_test (t, round_trip);
  tcase_add_test (t, every_flipped_bit_is_noticed);
  tcase_add_test (t, every_other_length_is_refused);
  tcase_add_test (t, is_nobody_elses);
  tcase_add_test (t, random_bytes);
  tcase_add_test (t, replay_window);
  suite_add_tcase (s, t);
  return s;
}

int
main (void)
{
  SRunner *runner;
  int failed;

  if (sodium_init () < 0)
    return EXIT_FAILURE;
  runner = srunner_create (suite ());
  srunner_run_all (runner, CK_ENV);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
