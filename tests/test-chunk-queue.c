/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/suite.h"
#include "transport/chunk-queue.h"

#include <string.h>

static guint8
content (guint64 offset)
{
  return (guint8)((offset * 2654435761u) >> 16);
}

static void
append (IcsChunkQueue *queue, gsize len)
{
  g_autofree guint8 *data = g_malloc (len + 1);

  for (gsize i = 0; i < len; i++)
    data[i] = content (queue->end + i);
  ics_chunk_queue_append (queue, data, len);
}

/* All that can be peeked from @offset is right and goes to the end. */
static void
check_from (IcsChunkQueue *queue, guint64 offset)
{
  const guint8 *run;
  gsize len;

  while ((run = ics_chunk_queue_peek (queue, offset, &len)) != NULL)
    for (; len > 0; len--, offset++, run++)
      if (*run != content (offset))
        ck_abort_msg ("wrong byte at %" G_GUINT64_FORMAT, offset);
  ck_assert_uint_eq (offset, queue->end);
}

START_TEST (test_borders)
{
  const gsize sizes[] = { 1, ICS_CHUNK_SIZE - 1, ICS_CHUNK_SIZE, ICS_CHUNK_SIZE + 1, 3 * ICS_CHUNK_SIZE };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint k = 0; k < G_N_ELEMENTS (sizes); k++)
      {
        IcsChunkQueue queue;

        ics_chunk_queue_init (&queue);
        append (&queue, sizes[i]);
        /* Empty in the middle of a chunk, and on its border. */
        ics_chunk_queue_trim (&queue, queue.end);
        ck_assert_uint_eq (ics_chunk_queue_size (&queue), 0);
        ck_assert_uint_eq (queue.n_chunks, 0);
        append (&queue, sizes[k]);
        check_from (&queue, queue.start);
        ics_chunk_queue_trim (&queue, queue.start + sizes[k] / 2);
        append (&queue, sizes[i]);
        check_from (&queue, queue.start);
        ics_chunk_queue_clear (&queue);
        ck_assert_uint_eq (ics_chunk_queue_size (&queue), 0);
      }
}
END_TEST

/* QUIC keeps pointers into what it sent: they stay while others come and go. */
START_TEST (test_pointers_stay)
{
  IcsChunkQueue queue;
  const guint8 *run;
  gsize len;

  ics_chunk_queue_init (&queue);
  append (&queue, ICS_CHUNK_SIZE * 2);
  run = ics_chunk_queue_peek (&queue, ICS_CHUNK_SIZE + 10, &len);
  append (&queue, ICS_CHUNK_SIZE * 20);
  ics_chunk_queue_trim (&queue, ICS_CHUNK_SIZE + 10);
  ck_assert_ptr_eq (ics_chunk_queue_peek (&queue, ICS_CHUNK_SIZE + 10, &len), run);
  ck_assert_uint_eq (len, ICS_CHUNK_SIZE - 10);
  ics_chunk_queue_clear (&queue);
}
END_TEST

/* The place that is held stays, whatever happens to what is before it. */
START_TEST (test_hold)
{
  const gsize before[] = { 0, 10, ICS_CHUNK_SIZE - 1, ICS_CHUNK_SIZE };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (before); i++)
    {
      IcsChunkQueue queue;
      guint8 *place;
      gsize room;

      ics_chunk_queue_init (&queue);
      append (&queue, before[i / 2]);
      place = ics_chunk_queue_hold (&queue, &room);
      ck_assert_uint_ge (room, 1);
      for (gsize k = 0; k < room; k++)
        place[k] = content (queue.end + k);
      if (i % 2 == 0)
        ics_chunk_queue_trim (&queue, queue.end);
      else
        ics_chunk_queue_clear (&queue);
      ck_assert_uint_eq (ics_chunk_queue_size (&queue), 0);
      ics_chunk_queue_release (&queue, room);
      ck_assert_uint_eq (ics_chunk_queue_size (&queue), room);
      check_from (&queue, before[i / 2]);
      ics_chunk_queue_trim (&queue, queue.end);
      ck_assert_uint_eq (queue.n_chunks, 0);
      ics_chunk_queue_hold (&queue, &room);
      ics_chunk_queue_release (&queue, 0);
      ck_assert_uint_eq (queue.n_chunks, 0);
      ics_chunk_queue_clear (&queue);
    }
}
END_TEST

START_TEST (test_trim_out_of_range)
{
  IcsChunkQueue queue;

  ics_chunk_queue_init (&queue);
  append (&queue, 100);
  ics_chunk_queue_trim (&queue, 50);
  ics_chunk_queue_trim (&queue, 20);
  ck_assert_uint_eq (ics_chunk_queue_size (&queue), 50);
  ics_chunk_queue_trim (&queue, G_MAXUINT64);
  ck_assert_uint_eq (queue.start, 100);
  ics_chunk_queue_clear (&queue);
}
END_TEST

static guint n_lent, n_back;

static void
take_back (gpointer data)
{
  n_back++;
  g_free (data);
}

static void
lend (IcsChunkQueue *queue, gsize len)
{
  guint8 *data = g_malloc (len + 1);
  g_autoptr (GBytes) bytes = g_bytes_new_with_free_func (data, len, take_back, data);

  for (gsize i = 0; i < len; i++)
    data[i] = content (queue->end + i);
  n_lent++;
  ics_chunk_queue_append_bytes (queue, bytes);
}

/* Returns what was lent and is not needed any more. */
static void
give_back (IcsChunkQueue *queue)
{
  g_slist_free_full (g_steal_pointer (&queue->spent), (GDestroyNotify)g_bytes_unref);
}

/* What is lent stays where it is until the last byte of it is trimmed, and others can go on behind it. */
START_TEST (test_lent)
{
  IcsChunkQueue queue;
  const guint8 *run;
  gsize len;

  ics_chunk_queue_init (&queue);
  append (&queue, 100);
  lend (&queue, 3 * ICS_CHUNK_SIZE);
  lend (&queue, 0);
  append (&queue, 100);
  lend (&queue, 1);
  check_from (&queue, 0);
  run = ics_chunk_queue_peek (&queue, 100, &len);
  ck_assert_uint_eq (len, 3 * ICS_CHUNK_SIZE);
  ics_chunk_queue_trim (&queue, 99 + 3 * ICS_CHUNK_SIZE);
  give_back (&queue);
  ck_assert_uint_eq (n_back, 1); /* the empty one */
  ck_assert_ptr_eq (ics_chunk_queue_peek (&queue, 99 + 3 * ICS_CHUNK_SIZE, &len),
                    run + 3 * ICS_CHUNK_SIZE - 1);
  ics_chunk_queue_trim (&queue, 100 + 3 * ICS_CHUNK_SIZE);
  give_back (&queue);
  ck_assert_uint_eq (n_back, 2);
  ics_chunk_queue_clear (&queue);
  give_back (&queue);
  ck_assert_uint_eq (n_back, n_lent);
}
END_TEST

/* A random history against the offsets alone. */
START_TEST (test_random)
{
  const char *fixed = g_getenv ("ICS_TEST_SEED");
  guint32 seed = fixed != NULL ? (guint32)g_ascii_strtoull (fixed, NULL, 10) : g_random_int ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  g_autofree guint8 *taken = g_malloc (100000);
  IcsChunkQueue queue;

  g_print ("seed %u (repeat with ICS_TEST_SEED=%u)\n", seed, seed);
  ics_chunk_queue_init (&queue);
  for (guint i = 0; i < 300; i++)
    {
      guint64 start = queue.start, end = queue.end;
      gsize n = (gsize)g_rand_int_range (rand, 0, 100000);

      if (g_rand_boolean (rand))
        (g_rand_boolean (rand) ? lend : append) (&queue, n);
      else
        {
          ck_assert_uint_eq (ics_chunk_queue_take (&queue, taken, n), MIN (n, end - start));
          for (gsize k = 0; k < MIN (n, end - start); k++)
            if (taken[k] != content (start + k))
              ck_abort_msg ("wrong byte taken");
        }
      give_back (&queue);
      check_from (&queue, queue.start);
      ck_assert_uint_le (queue.n_chunks,
                         ics_chunk_queue_size (&queue) / ICS_CHUNK_SIZE + 2 + 2 * (n_lent - n_back));
    }
  ics_chunk_queue_clear (&queue);
  give_back (&queue);
  ck_assert_uint_eq (n_back, n_lent);
}
END_TEST

/* What is kept is bounded, and little of it once nothing is in use. */
START_TEST (test_pool)
{
  IcsChunkQueue queues[2];

  for (guint i = 0; i < 2; i++)
    {
      ics_chunk_queue_init (&queues[i]);
      append (&queues[i], 2 * ICS_CHUNK_POOL_MAX * ICS_CHUNK_SIZE);
    }
  ics_chunk_queue_clear (&queues[0]);
  ck_assert_uint_eq (ics_chunk_pool_size (), ICS_CHUNK_POOL_MAX);
  check_from (&queues[1], 0);
  append (&queues[0], ICS_CHUNK_SIZE);
  ck_assert_uint_lt (ics_chunk_pool_size (), ICS_CHUNK_POOL_MAX);
  ics_chunk_queue_clear (&queues[0]);
  ics_chunk_queue_clear (&queues[1]);
  ck_assert_uint_eq (ics_chunk_pool_size (), ICS_CHUNK_POOL_IDLE);
}
END_TEST

int
main (void)
{
  const TTest *const tests[] = { test_borders, test_pointers_stay, test_hold, test_trim_out_of_range,
                                 test_lent,    test_random,        test_pool, NULL };

  return run_suite ("chunk-queue", tests);
}
