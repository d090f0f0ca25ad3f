/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/suite.h"
#include "transport/quic-stream.h"

#include <string.h>

/* One stream between an I/O thread, played here, and the application's thread, which blocks, is cancelled at
 * any moment, and goes on. No byte is lost, doubled or out of place, whichever way it took: through the
 * queues, or straight from or into the other's buffer. */

#define TOTAL (24u << 20)
#define PIECE_MAX 70000
#define BLOCK_MAX 400000

typedef struct
{
  IcsStreamHub *hub;
  IcsQuicStream *stream;
  guint32 seed;
  GMutex lock;
  GCancellable *cancellable; /* of the call that is under way */
  gint done;
  gint cancelled; /* calls that were */
  gboolean lends; /* some of its blocks */
  gint lent;      /* those that have not come back */
} World;

typedef struct
{
  World *world;
  guint8 *data;
} Loan;

static guint8
content (guint64 offset)
{
  return (guint8)((offset * 2654435761u) >> 16);
}

static void
fill (guint8 *data, guint64 offset, gsize len)
{
  for (gsize i = 0; i < len; i++)
    data[i] = content (offset + i);
}

static void
check (const guint8 *data, guint64 offset, gsize len)
{
  for (gsize i = 0; i < len; i++)
    if (data[i] != content (offset + i))
      g_error ("wrong byte at %" G_GUINT64_FORMAT, offset + i);
}

static gsize
random_len (GRand *rand, guint64 left, gint32 max)
{
  gsize len = (gsize)g_rand_int_range (rand, 1, max);

  return (gsize)MIN (left, len);
}

static void
no_wake (gpointer user_data)
{
}

static void
world_init (World *world, guint32 salt)
{
  const char *fixed = g_getenv ("ICS_TEST_SEED");

  memset (world, 0, sizeof *world);
  world->seed = fixed != NULL ? (guint32)g_ascii_strtoull (fixed, NULL, 10) : g_random_int ();
  g_print ("seed %u (repeat with ICS_TEST_SEED=%u)\n", world->seed, world->seed);
  world->seed += salt;
  g_mutex_init (&world->lock);
  world->hub = ics_stream_hub_new (no_wake, NULL);
  world->stream = ics_quic_stream_new (0, world->hub);
}

static void
world_clear (World *world)
{
  ics_quic_stream_unref (world->stream);
  ics_stream_hub_detach (world->hub);
  ics_stream_hub_unref (world->hub);
  g_mutex_clear (&world->lock);
}

/* Cancels whatever the application is in, over and over. */
static gpointer
disturb (gpointer data)
{
  World *world = data;

  while (!g_atomic_int_get (&world->done))
    {
      g_mutex_lock (&world->lock);
      if (world->cancellable != NULL)
        g_cancellable_cancel (world->cancellable);
      g_mutex_unlock (&world->lock);
      g_thread_yield ();
    }
  return NULL;
}

/* Sometimes NULL: then nobody interferes. Not before there was one at least. */
static GCancellable *
begin_call (World *world, GRand *rand)
{
  gboolean undisturbed = g_atomic_int_get (&world->cancelled) > 0 && g_rand_boolean (rand);
  GCancellable *cancellable = undisturbed ? NULL : g_cancellable_new ();

  g_mutex_lock (&world->lock);
  world->cancellable = cancellable;
  g_mutex_unlock (&world->lock);
  return cancellable;
}

static void
end_call (World *world, GCancellable *cancellable, gssize result, GError *error)
{
  g_mutex_lock (&world->lock);
  world->cancellable = NULL;
  g_mutex_unlock (&world->lock);
  if (result < 0)
    {
      ck_assert (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
      g_atomic_int_inc (&world->cancelled);
    }
  else
    ck_assert_ptr_null (error);
  g_clear_error (&error);
  g_clear_object (&cancellable);
}

static gpointer
read_all (gpointer data)
{
  World *world = data;
  g_autoptr (GRand) rand = g_rand_new_with_seed (world->seed + 1);
  g_autofree guint8 *buf = g_malloc (BLOCK_MAX);
  guint64 offset = 0;
  gssize n;

  do
    {
      GCancellable *cancellable = begin_call (world, rand);
      GError *error = NULL;

      n = ics_quic_stream_read (world->stream, buf, (gsize)g_rand_int_range (rand, 1, BLOCK_MAX), TRUE,
                                cancellable, &error);
      end_call (world, cancellable, n, error);
      if (n > 0)
        check (buf, offset, (gsize)n);
      offset += (guint64)MAX (n, 0);
    }
  while (n != 0);
  ck_assert_uint_eq (offset, TOTAL);
  return NULL;
}

static void
wait_for_disturbance (World *world)
{
  while (g_atomic_int_get (&world->cancelled) == 0)
    g_thread_yield ();
}

/* The peer's window: so much may be there unread. */
static void
wait_for_credit (World *world, gsize *unread)
{
  IcsStreamWork work;

  do
    {
      ics_quic_stream_get_work (world->stream, &work);
      *unread -= work.consumed;
      if (*unread > 1 << 20)
        g_thread_yield ();
    }
  while (*unread > 1 << 20);
}

START_TEST (test_reader)
{
  World world;
  GThread *threads[2];
  g_autofree guint8 *piece = g_malloc (PIECE_MAX);
  gsize unread = 0;

  world_init (&world, (guint32)_i);
  g_autoptr (GRand) rand = g_rand_new_with_seed (world.seed);
  threads[0] = g_thread_new ("reader", read_all, &world);
  threads[1] = g_thread_new ("disturber", disturb, &world);
  wait_for_disturbance (&world);
  for (guint64 offset = 0; offset < TOTAL;)
    {
      gsize n = random_len (rand, TOTAL - offset, g_rand_boolean (rand) ? 1500 : PIECE_MAX);

      fill (piece, offset, n);
      offset += n;
      ics_quic_stream_received (world.stream, piece, n, offset == TOTAL, ICS_PATH_DIRECT);
      unread += n;
      if (offset < TOTAL && g_rand_int_range (rand, 0, 8) != 0)
        continue;
      ics_quic_stream_tell (world.stream);
      wait_for_credit (&world, &unread);
    }
  g_thread_join (threads[0]);
  g_atomic_int_set (&world.done, TRUE);
  g_thread_join (threads[1]);
  ck_assert_uint_eq (ics_quic_stream_get_received (world.stream, ICS_PATH_DIRECT), TOTAL);
  world_clear (&world);
}
END_TEST

static void
take_back (gpointer data)
{
  g_autofree Loan *loan = data;

  g_atomic_int_add (&loan->world->lent, -1);
  g_free (loan->data);
}

static gssize
lend (World *world, const guint8 *block, gsize len, GCancellable *cancellable, GError **error)
{
  Loan *loan = g_new (Loan, 1);
  g_autoptr (GBytes) bytes = NULL;

  *loan = (Loan){ world, g_memdup2 (block, len) };
  g_atomic_int_inc (&world->lent);
  bytes = g_bytes_new_with_free_func (loan->data, len, take_back, loan);
  return ics_quic_stream_lend (world->stream, bytes, TRUE, cancellable, error) ? (gssize)len : -1;
}

static gpointer
write_all (gpointer data)
{
  World *world = data;
  g_autoptr (GRand) rand = g_rand_new_with_seed (world->seed + 1);
  g_autofree guint8 *buf = g_malloc (BLOCK_MAX);

  for (guint64 offset = 0; offset < TOTAL;)
    {
      gsize len = random_len (rand, TOTAL - offset, BLOCK_MAX);
      GCancellable *cancellable = begin_call (world, rand);
      GError *error = NULL;
      gssize n;

      fill (buf, offset, len);
      n = world->lends && g_rand_boolean (rand)
              ? lend (world, buf, len, cancellable, &error)
              : ics_quic_stream_write (world->stream, buf, len, TRUE, cancellable, &error);
      end_call (world, cancellable, n, error);
      ck_assert_int_le (n, (gssize)len);
      /* What was taken is sent, and nothing else of it: the buffer is the caller's again. */
      memset (buf, 0, len);
      offset += (guint64)MAX (n, 0);
    }
  ics_quic_stream_finish_write (world->stream);
  return NULL;
}

/* _i & 1: with blocks that are lent. */
START_TEST (test_writer)
{
  const IcsStreamRoom room = { .unsent = ICS_STREAM_TX_MIN, .total = 1 << 20 };
  World world;
  GThread *threads[2];
  guint64 sent = 0, acked = 0;
  gboolean fin = FALSE;

  world_init (&world, (guint32)_i);
  world.lends = _i & 1;
  g_autoptr (GRand) rand = g_rand_new_with_seed (world.seed);
  threads[0] = g_thread_new ("writer", write_all, &world);
  threads[1] = g_thread_new ("disturber", disturb, &world);
  while (!fin)
    {
      gsize len;
      const guint8 *data = ics_quic_stream_peek_tx (world.stream, &len, &fin);
      gsize n = len > 0 ? (gsize)g_rand_int_range (rand, 1, (gint32)len + 1) : 0;

      fin = fin && n == len;
      if (n > 0)
        check (data, sent, n);
      sent += n;
      ics_quic_stream_sent (world.stream, n, fin, ICS_PATH_DIRECT);
      /* The writer's bound: no more is kept than may be, and at least a chunk, or what was lent, can always
       * be sent. */
      ck_assert_uint_le (sent - acked, room.total + (world.lends ? BLOCK_MAX : ICS_STREAM_WRITE_AHEAD));
      if (n == 0 || g_rand_int_range (rand, 0, 8) == 0)
        {
          acked += (guint64)g_rand_int_range (rand, 0, (gint32)(sent - acked) + 1);
          ics_quic_stream_acked (world.stream, acked, &room);
        }
      if (n == 0)
        g_thread_yield ();
    }
  g_thread_join (threads[0]);
  g_atomic_int_set (&world.done, TRUE);
  g_thread_join (threads[1]);
  ck_assert_uint_eq (sent, TOTAL);
  world_clear (&world);
  ck_assert_int_eq (world.lent, 0);
}
END_TEST

typedef struct
{
  IcsQuicStream *stream;
  gssize written;
} Overtaken;

static gpointer
write_block (gpointer data)
{
  Overtaken *writer = data;
  g_autofree guint8 *buf = g_malloc0 (BLOCK_MAX);

  writer->written = ics_quic_stream_write (writer->stream, buf, BLOCK_MAX, TRUE, NULL, NULL);
  return NULL;
}

/* The end is written while a block is under way: it comes last, and the writer learns what went before it. */
START_TEST (test_overtaken)
{
  World world;
  Overtaken writer;
  GThread *thread;
  gsize len, sent = 0;
  gboolean fin = FALSE;

  world_init (&world, 0);
  writer = (Overtaken){ .stream = world.stream };
  thread = g_thread_new ("writer", write_block, &writer);
  while (ics_quic_stream_peek_tx (world.stream, &len, &fin) == NULL)
    g_thread_yield ();
  ics_quic_stream_finish_write (world.stream);
  while (!fin)
    {
      ics_quic_stream_peek_tx (world.stream, &len, &fin);
      sent += len;
      ics_quic_stream_sent (world.stream, len, fin, ICS_PATH_DIRECT);
    }
  ck_assert_ptr_null (ics_quic_stream_peek_tx (world.stream, &len, &fin));
  g_thread_join (thread);
  ck_assert_int_eq (writer.written, (gssize)sent);
  ck_assert_uint_lt (sent, BLOCK_MAX);
  world_clear (&world);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = { { test_reader, 3 }, { test_writer, 6 }, { test_overtaken, 3 } };

  return run_loops ("stream-handover", tests, G_N_ELEMENTS (tests));
}
