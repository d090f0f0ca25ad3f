/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/stream-frame.h"
#include <check.h>
#include <stdlib.h>

static IcsFrameReader reader;

static void
setup (void)
{
  ics_frame_reader_init (&reader, ICS_FRAME_MAX);
}

static void
teardown (void)
{
  ics_frame_reader_clear (&reader);
}

/* RFC 4571 §2: LENGTH in network order, then the packet; null packets are allowed. */
START_TEST (the_format)
{
  static const guint8 stream[] = { 0x00, 0x03, 'a', 'b', 'c', 0x00, 0x00, 0x00, 0x01, 'd', 0x01 };
  const guint8 *data;
  gsize len;

  ics_frame_reader_feed (&reader, stream, sizeof stream);
  ck_assert_int_eq (ics_frame_reader_next (&reader, &data, &len), ICS_FRAME_WHOLE);
  ck_assert_uint_eq (len, 3);
  ck_assert_mem_eq (data, "abc", 3);
  ck_assert_int_eq (ics_frame_reader_next (&reader, &data, &len), ICS_FRAME_WHOLE);
  ck_assert_uint_eq (len, 0);
  ck_assert_int_eq (ics_frame_reader_next (&reader, &data, &len), ICS_FRAME_WHOLE);
  ck_assert_mem_eq (data, "d", 1);
  ck_assert_int_eq (ics_frame_reader_next (&reader, &data, &len), ICS_FRAME_MORE);
}
END_TEST

START_TEST (what_is_written)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  g_autofree guint8 *large = g_malloc0 (ICS_FRAME_MAX);

  ics_frame_write (out, (const guint8 *)"abc", 3);
  ck_assert_mem_eq (out->data, "\0\3abc", 5);
  g_byte_array_set_size (out, 0);
  ics_frame_write (out, large, ICS_FRAME_MAX);
  ck_assert_mem_eq (out->data, "\xff\xff\0", 3);
  ck_assert_uint_eq (out->len, ICS_FRAME_HEADER + ICS_FRAME_MAX);
}
END_TEST

/* The length alone is enough to refuse it: nothing is stored for it. */
START_TEST (longer_than_allowed)
{
  static const guint8 long_one[] = { 0x04, 0x01 };
  const guint8 *data;
  gsize len;

  ics_frame_reader_set_max (&reader, 0x400);
  ics_frame_reader_feed (&reader, long_one, sizeof long_one);
  ck_assert_int_eq (ics_frame_reader_next (&reader, &data, &len), ICS_FRAME_TOO_LONG);
  ics_frame_reader_set_max (&reader, 0x401);
  ck_assert_int_eq (ics_frame_reader_next (&reader, &data, &len), ICS_FRAME_MORE);
}
END_TEST

/* Any stream, cut anywhere, gives the frames that went in; and no more is held than what is not read yet. */
START_TEST (cut_anywhere)
{
  const char *seed_text = g_getenv ("ICS_TEST_SEED");
  guint32 seed = seed_text != NULL ? (guint32)strtoul (seed_text, NULL, 10) : g_random_int ();
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  g_autoptr (GByteArray) out = g_byte_array_new ();
  g_autoptr (GArray) lengths = g_array_new (FALSE, FALSE, sizeof (guint));
  guint read = 0;

  g_printerr ("seed %u (repeat with ICS_TEST_SEED=%u)\n", seed, seed);
  for (guint i = 0; i < 300; i++)
    {
      guint len = (guint)g_rand_int_range (random, 0, g_rand_boolean (random) ? 8 : 5000);
      g_autofree guint8 *data = g_malloc (len + 1);

      for (guint k = 0; k < len; k++)
        data[k] = (guint8)(i + k);
      ics_frame_write (out, data, len);
      g_array_append_val (lengths, len);
    }
  for (gsize at = 0, n; at < out->len; at += n)
    {
      const guint8 *data;
      gsize len;

      /* Not within MIN(), which draws twice. */
      n = (gsize)g_rand_int_range (random, 1, g_rand_boolean (random) ? 4 : 9000);
      n = MIN (n, out->len - at);
      ics_frame_reader_feed (&reader, out->data + at, n);
      while (ics_frame_reader_next (&reader, &data, &len) == ICS_FRAME_WHOLE)
        {
          ck_assert_uint_eq (len, g_array_index (lengths, guint, read));
          for (gsize k = 0; k < len; k++)
            ck_assert_uint_eq (data[k], (guint8)(read + k));
          read++;
        }
      ck_assert_uint_le (reader.buffer->len, 5000 + ICS_FRAME_HEADER + 9000);
    }
  ck_assert_uint_eq (read, lengths->len);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("stream-frame");
  TCase *frames = tcase_create ("frames");
  SRunner *runner;
  int failed;

  tcase_add_checked_fixture (frames, setup, teardown);
  tcase_add_test (frames, the_format);
  tcase_add_test (frames, what_is_written);
  tcase_add_test (frames, longer_than_allowed);
  tcase_add_test (frames, cut_anywhere);
  suite_add_tcase (suite, frames);
  runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
