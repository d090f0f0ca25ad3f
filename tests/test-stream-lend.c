/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ics-error.h"
#include "tests/suite.h"
#include "transport/ics-stream-private.h"

/* Bytes that are sent from where they are. The I/O thread is played here. */

#define LARGE (3u << 20)

typedef struct
{
  IcsStreamHub *hub;
  IcsQuicStream *core;
  IcsStream *stream;
  guint64 sent, acked;
  guint back; /* bytes that came back */
} World;

static const IcsStreamRoom room = { .unsent = ICS_STREAM_TX_MIN, .total = ICS_STREAM_TX_MAX };

static void
no_wake (gpointer user_data)
{
}

static void
world_init (World *world)
{
  *world = (World){ .hub = ics_stream_hub_new (no_wake, NULL) };
  world->core = ics_quic_stream_new (0, world->hub);
  world->stream = ics_stream_new (world->core);
}

static void
world_clear (World *world)
{
  g_clear_object (&world->stream);
  ics_quic_stream_unref (world->core);
  ics_stream_hub_detach (world->hub);
  ics_stream_hub_unref (world->hub);
}

typedef struct
{
  World *world;
  guint8 *data;
} Loan;

/* May look at the stream, whoever lets go of the bytes. */
static void
take_back (gpointer data)
{
  g_autofree Loan *loan = data;

  if (loan->world->stream != NULL)
    ics_stream_get_sent (loan->world->stream, ICS_PATH_DIRECT);
  loan->world->back++;
  g_free (loan->data);
}

static GBytes *
new_bytes (World *world, gsize len)
{
  Loan *loan = g_new (Loan, 1);

  *loan = (Loan){ world, g_malloc0 (len) };
  return g_bytes_new_with_free_func (loan->data, len, take_back, loan);
}

/* Sends @len of what there is; returns where it lies. */
static const guint8 *
send_some (World *world, gsize len)
{
  gsize run;
  gboolean fin;
  const guint8 *data = ics_quic_stream_peek_tx (world->core, &run, &fin);

  ck_assert_uint_ge (run, len);
  ics_quic_stream_sent (world->core, len, FALSE, ICS_PATH_DIRECT);
  world->sent += len;
  return data;
}

static void
ack (World *world, gsize len)
{
  world->acked += len;
  ics_quic_stream_acked (world->core, world->acked, &room);
}

static void
on_sent (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

static gboolean
begin (World *world, GBytes *bytes, GCancellable *cancellable, GAsyncResult **result)
{
  *result = NULL;
  ics_stream_send_bytes_async (world->stream, bytes, cancellable, on_sent, result);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  return *result != NULL;
}

static gboolean
end (World *world, GAsyncResult **result, GError **error)
{
  gboolean taken;

  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
  taken = ics_stream_send_bytes_finish (world->stream, *result, error);
  g_clear_object (result);
  return taken;
}

/* From where they are, kept until the last byte is acknowledged. */
START_TEST (test_kept)
{
  World world;

  world_init (&world);
  GBytes *bytes = new_bytes (&world, LARGE);
  const guint8 *data = g_bytes_get_data (bytes, NULL);

  ck_assert (ics_stream_send_bytes (world.stream, bytes, NULL, NULL));
  g_bytes_unref (bytes);
  ck_assert_ptr_eq (send_some (&world, 1000), data);
  ck_assert_ptr_eq (send_some (&world, LARGE - 1000), data + 1000);
  ack (&world, LARGE - 1);
  ck_assert_uint_eq (world.back, 0);
  ack (&world, 1);
  ck_assert_uint_eq (world.back, 1);
  world_clear (&world);
}
END_TEST

START_TEST (test_little_is_copied)
{
  World world;

  world_init (&world);
  for (guint i = 0; i < 2; i++)
    {
      GBytes *bytes = new_bytes (&world, i * 100);

      ck_assert (ics_stream_send_bytes (world.stream, bytes, NULL, NULL));
      g_bytes_unref (bytes);
      ck_assert_uint_eq (world.back, i + 1);
    }
  send_some (&world, 100);
  world_clear (&world);
}
END_TEST

/* What is never sent comes back with the last reference to the stream. */
START_TEST (test_never_sent)
{
  World world;

  world_init (&world);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GBytes) bytes = new_bytes (&world, ICS_STREAM_TX_MIN / 2);

      ck_assert (ics_stream_send_bytes (world.stream, bytes, NULL, NULL));
    }
  ck_assert_uint_eq (world.back, 0);
  world_clear (&world);
  ck_assert_uint_eq (world.back, 2);
}
END_TEST

/* It waits while too much is kept, and is let on by acknowledgements. */
START_TEST (test_waits)
{
  World world;
  GAsyncResult *result;
  GError *error = NULL;

  world_init (&world);
  g_autoptr (GBytes) bytes = new_bytes (&world, LARGE);

  ck_assert (begin (&world, bytes, NULL, &result));
  ck_assert (end (&world, &result, NULL));
  ck_assert (!begin (&world, bytes, NULL, &result));
  /* One at a time. */
  ck_assert (!ics_stream_send_bytes (world.stream, bytes, NULL, &error));
  ck_assert (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PENDING));
  g_clear_error (&error);
  send_some (&world, LARGE);
  ack (&world, LARGE);
  ck_assert (end (&world, &result, NULL));
  /* Both are there, and nothing else. */
  send_some (&world, LARGE);
  ack (&world, LARGE);
  world_clear (&world);
}
END_TEST

START_TEST (test_cancelled)
{
  World world;
  GAsyncResult *result;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GError *error = NULL;

  world_init (&world);
  g_autoptr (GBytes) bytes = new_bytes (&world, LARGE);

  ck_assert (ics_stream_send_bytes (world.stream, bytes, cancellable, NULL));
  ck_assert (!begin (&world, bytes, cancellable, &result));
  g_cancellable_cancel (cancellable);
  ck_assert (!end (&world, &result, &error));
  ck_assert (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
  g_clear_error (&error);
  send_some (&world, LARGE);
  ack (&world, LARGE);
  /* None of the second was taken, and the stream is as good as before. */
  ck_assert (ics_stream_send_bytes (world.stream, bytes, NULL, NULL));
  send_some (&world, LARGE);
  world_clear (&world);
}
END_TEST

/* Too late: they were taken, and the caller learns that. */
START_TEST (test_cancelled_late)
{
  World world;
  GAsyncResult *result = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  world_init (&world);
  g_autoptr (GBytes) bytes = new_bytes (&world, LARGE);

  ics_stream_send_bytes_async (world.stream, bytes, cancellable, on_sent, &result);
  g_cancellable_cancel (cancellable);
  ck_assert (end (&world, &result, NULL));
  send_some (&world, LARGE);
  world_clear (&world);
}
END_TEST

/* Of one that waits, and of one that comes later. */
static void
check_fails (void (*break_it) (World *world), GQuark domain, int code)
{
  World world;
  GAsyncResult *result;
  GError *error = NULL;

  world_init (&world);
  g_autoptr (GBytes) bytes = new_bytes (&world, LARGE);

  ck_assert (ics_stream_send_bytes (world.stream, bytes, NULL, NULL));
  ck_assert (!begin (&world, bytes, NULL, &result));
  break_it (&world);
  for (guint i = 0; i < 2; i++)
    {
      ck_assert (!(i == 0 ? end (&world, &result, &error)
                          : ics_stream_send_bytes (world.stream, bytes, NULL, &error)));
      ck_assert (g_error_matches (error, domain, code));
      g_clear_error (&error);
    }
  world_clear (&world);
}

static void
refuse (World *world)
{
  ics_quic_stream_end_tx (world->core, ICS_STREAM_REFUSED);
}

static void
lose (World *world)
{
  ics_quic_stream_end_tx (world->core, ICS_STREAM_LOST);
}

static void
reset (World *world)
{
  ics_stream_reset (world->stream, 7);
}

START_TEST (test_fails)
{
  check_fails (refuse, ICS_ERROR, ICS_ERROR_REFUSED);
  check_fails (lose, ICS_ERROR, ICS_ERROR_CLOSED);
  check_fails (reset, G_IO_ERROR, G_IO_ERROR_CLOSED);
}
END_TEST

START_TEST (test_closed)
{
  World world;
  GError *error = NULL;

  world_init (&world);
  g_autoptr (GBytes) bytes = new_bytes (&world, LARGE);

  ck_assert (g_output_stream_close (g_io_stream_get_output_stream (G_IO_STREAM (world.stream)), NULL, NULL));
  ck_assert (!ics_stream_send_bytes (world.stream, bytes, NULL, &error));
  ck_assert (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED));
  g_clear_error (&error);
  world_clear (&world);
}
END_TEST

int
main (void)
{
  const TTest *const tests[] = { test_kept,  test_little_is_copied, test_never_sent,
                                 test_waits, test_cancelled,        test_cancelled_late,
                                 test_fails, test_closed,           NULL };

  return run_suite ("stream-lend", tests);
}
