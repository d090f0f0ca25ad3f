/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/wire.h"
#include "tests/suite.h"
#include <string.h>

static const guint8 sample[] = {
  0x01,                                           /* u8 */
  0x02, 0x03,                                     /* u16 */
  0x84, 0x05, 0x06, 0x07,                         /* u32 */
  0xf8, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, /* u64 */
  0x03, 'a',  'b',  'c',                          /* blob8 */
  0x00, 0x02, 'd',  'e',                          /* blob16 */
  0xaa, 0xbb                                      /* bytes */
};

START_TEST (reads_big_endian)
{
  IcsReader reader;
  IcsSpan span;

  ics_reader_init (&reader, sample, sizeof sample);
  ck_assert_uint_eq (ics_reader_u8 (&reader), 0x01);
  ck_assert_uint_eq (ics_reader_u16 (&reader), 0x0203);
  ck_assert_uint_eq (ics_reader_u32 (&reader), 0x84050607);
  ck_assert_uint_eq (ics_reader_u64 (&reader), G_GUINT64_CONSTANT (0xf8090a0b0c0d0e0f));
  span = ics_reader_blob8 (&reader);
  ck_assert_uint_eq (span.len, 3);
  ck_assert_mem_eq (span.data, "abc", 3);
  span = ics_reader_blob16 (&reader);
  ck_assert_uint_eq (span.len, 2);
  ck_assert_mem_eq (span.data, "de", 2);
  ck_assert (!ics_reader_finish (&reader));
  ck_assert_uint_eq (ics_reader_remaining (&reader), 2);
  span = ics_reader_bytes (&reader, 2);
  ck_assert_mem_eq (span.data, "\xaa\xbb", 2);
  ck_assert (ics_reader_finish (&reader));
}
END_TEST

static void
read_all (IcsReader *reader)
{
  ics_reader_u8 (reader);
  ics_reader_u16 (reader);
  ics_reader_u32 (reader);
  ics_reader_u64 (reader);
  ics_reader_blob8 (reader);
  ics_reader_blob16 (reader);
  ics_reader_bytes (reader, 2);
}

START_TEST (every_cut_fails)
{
  for (gsize len = 0; len < sizeof sample; len++)
    {
      /* A heap copy of the exact length lets the sanitizer see one byte too many. */
      guint8 *cut = g_memdup2 (sample, len);
      IcsReader reader;

      ics_reader_init (&reader, cut, len);
      read_all (&reader);
      ck_assert_msg (!ics_reader_finish (&reader), "accepted a cut at %zu", len);
      g_free (cut);
    }
}
END_TEST

START_TEST (failure_is_for_good)
{
  IcsReader reader;

  ics_reader_init (&reader, sample, 3);
  ck_assert_uint_eq (ics_reader_u32 (&reader), 0);
  ck_assert_uint_eq (ics_reader_u8 (&reader), 0);
  ck_assert_uint_eq (ics_reader_remaining (&reader), 0);
  ck_assert (!ics_reader_finish (&reader));

  ics_reader_init (&reader, sample, 3);
  ics_reader_u8 (&reader);
  ck_assert_ptr_null (ics_reader_bytes (&reader, G_MAXSIZE).data);
  ck_assert (!ics_reader_finish (&reader));
}
END_TEST

START_TEST (writes_what_it_reads)
{
  guint8 buf[sizeof sample];
  IcsWriter writer;

  ics_writer_init (&writer, buf, sizeof buf);
  ics_writer_u8 (&writer, 0x01);
  ics_writer_u16 (&writer, 0x0203);
  ics_writer_u32 (&writer, 0x84050607);
  ics_writer_u64 (&writer, G_GUINT64_CONSTANT (0xf8090a0b0c0d0e0f));
  ics_writer_blob8 (&writer, ICS_SPAN ((const guint8 *)"abc", 3));
  ics_writer_blob16 (&writer, ICS_SPAN ((const guint8 *)"de", 2));
  ics_writer_bytes (&writer, (const guint8 *)"\xaa\xbb", 2);
  ck_assert (ics_writer_finish (&writer));
  ck_assert_uint_eq (writer.len, sizeof sample);
  ck_assert_mem_eq (buf, sample, sizeof sample);
  ics_writer_u8 (&writer, 0);
  ck_assert (!ics_writer_finish (&writer));
}
END_TEST

START_TEST (writer_keeps_its_bounds)
{
  guint8 *buf = g_malloc (8);
  guint8 big[256] = { 0 };
  IcsWriter writer;

  ics_writer_init (&writer, buf, 8);
  ics_writer_blob16 (&writer, ICS_SPAN (big, 7));
  ck_assert (!ics_writer_finish (&writer));
  ck_assert_uint_eq (writer.len, 0);
  ics_writer_u8 (&writer, 1);
  ck_assert_uint_eq (writer.len, 0);

  ics_writer_init (&writer, buf, 8);
  ics_writer_zeros (&writer, 8);
  ck_assert (ics_writer_finish (&writer));
  ck_assert_ptr_null (ics_writer_reserve (&writer, 1));
  g_free (buf);
}
END_TEST

START_TEST (blob8_holds_255)
{
  guint8 big[300] = { 0 }, buf[400];
  IcsWriter writer;

  ics_writer_init (&writer, buf, sizeof buf);
  ics_writer_blob8 (&writer, ICS_SPAN (big, 255));
  ck_assert (ics_writer_finish (&writer));
  ics_writer_init (&writer, buf, sizeof buf);
  ics_writer_blob8 (&writer, ICS_SPAN (big, 256));
  ck_assert (!ics_writer_finish (&writer));
}
END_TEST

int
main (void)
{
  const TTest *const tests[] = { reads_big_endian,
                                 every_cut_fails,
                                 failure_is_for_good,
                                 writes_what_it_reads,
                                 writer_keeps_its_bounds,
                                 blob8_holds_255,
                                 NULL };

  return run_suite ("wire", tests);
}
