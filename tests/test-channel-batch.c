/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path/channel-batch.h"
#include "tests/suite.h"

#include <string.h>

/* Walks @bytes; returns the number of datagrams, or -1 when malformed. */
static int
walk (const guint8 *bytes, gsize len, gsize *total)
{
  const guint8 *cursor = bytes, *data;
  gsize left = len, n;
  gboolean malformed = FALSE;
  int count = 0;

  *total = 0;
  while (ics_batch_next (&cursor, &left, &data, &n, &malformed))
    {
      ck_assert (data >= bytes && data + n <= bytes + len);
      *total += n;
      count++;
    }
  return malformed ? -1 : count;
}

START_TEST (test_round_trip)
{
  g_autoptr (GByteArray) batch = g_byte_array_new ();
  const gsize sizes[] = { 1, 255, 256, 1452, 65535 };
  const guint8 *cursor, *data;
  g_autofree guint8 *content = g_malloc (65535);
  gboolean malformed = FALSE;
  gsize left, len;

  memset (content, 0xa5, 65535);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    ics_batch_append (batch, content, sizes[i]);
  cursor = batch->data;
  left = batch->len;
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      ck_assert (ics_batch_next (&cursor, &left, &data, &len, &malformed));
      ck_assert_uint_eq (len, sizes[i]);
      ck_assert_mem_eq (data, content, len);
    }
  ck_assert (!ics_batch_next (&cursor, &left, &data, &len, &malformed));
  ck_assert (!malformed);
}
END_TEST

START_TEST (test_malformed)
{
  const guint8 lone[] = { 0 }, empty[] = { 0, 0, 0, 1, 7 }, cut[] = { 0, 2, 7 }, huge[] = { 0xff, 0xff, 7 };
  const guint8 late[] = { 0, 1, 7, 0 };
  gsize total;

  ck_assert_int_eq (walk (lone, sizeof lone, &total), -1);
  ck_assert_int_eq (walk (empty, sizeof empty, &total), -1);
  ck_assert_int_eq (walk (cut, sizeof cut, &total), -1);
  ck_assert_int_eq (walk (huge, sizeof huge, &total), -1);
  ck_assert_int_eq (walk (late, sizeof late, &total), -1);
  ck_assert_uint_eq (total, 1); /* what came before is whole */
  ck_assert_int_eq (walk (late, 0, &total), 0);
}
END_TEST

/* Each cut of a good batch is malformed or ends between datagrams; nothing is read past the end. */
START_TEST (test_every_cut)
{
  g_autoptr (GByteArray) batch = g_byte_array_new ();

  for (gsize n = 1; n < 40; n++)
    ics_batch_append (batch, (const guint8 *)"0123456789012345678901234567890123456789", n);
  for (gsize len = 0; len <= batch->len; len++)
    {
      g_autofree guint8 *part = g_memdup2 (batch->data, len);
      gsize total;
      int count = walk (part, len, &total);

      if (count >= 0)
        ck_assert_uint_eq (total + 2 * (gsize)count, len);
    }
}
END_TEST

int
main (void)
{
  const TTest *const tests[] = { test_round_trip, test_malformed, test_every_cut, NULL };

  return run_suite ("channel-batch", tests);
}
