/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/quic-sim.h"
#include "tests/suite.h"
#include "transport/ics-stream-private.h"

#include <string.h>

/* One thread does the I/O of two connections, as a link's does; many others use their streams in every way an
 * application can. Made to be run under ThreadSanitizer. What threads find wrong they count, the test looks
 * at the end. */

#define CLIENTS 4
#define SERVERS 6
#define ROUNDS 48
#define EARLY_STREAMS (2 * ICS_QUIC_MAX_STREAMS)

/* What the server is to do with a stream: its first byte. */
#define ECHO 'E'
#define SINK 'D'
#define SOURCE 'S'

typedef struct
{
  Sim sim;
  IcsStreamHub *hub;
  gint64 start;
  GThread *io;
  GThread *servers[SERVERS];
  gint wrong;  /* atomic */
  GMutex lock; /* guards what follows */
  GCond changed;
  gboolean woken, stop, no_more;
  GQueue arrived; /* IcsStream, at the server */
} World;

static void
expect (World *world, gboolean good, const char *what)
{
  if (good)
    return;
  g_printerr ("wrong: %s\n", what);
  g_atomic_int_inc (&world->wrong);
}

static guint8
content (gsize offset)
{
  return (guint8)((offset * 2654435761u) >> 16);
}

static guint8 *
make_content (gsize len)
{
  guint8 *data = g_malloc (len);

  for (gsize i = 0; i < len; i++)
    data[i] = content (i);
  return data;
}

/* --- the I/O thread --- */

static void
on_wake (gpointer user_data)
{
  World *world = user_data;

  g_mutex_lock (&world->lock);
  world->woken = TRUE;
  g_cond_broadcast (&world->changed);
  g_mutex_unlock (&world->lock);
}

static void
hand_over (World *world)
{
  IcsQuicStream *core;

  while ((core = g_queue_pop_head (&world->sim.incoming[1])) != NULL)
    {
      g_mutex_lock (&world->lock);
      g_queue_push_tail (&world->arrived, ics_stream_new (core));
      g_cond_broadcast (&world->changed);
      g_mutex_unlock (&world->lock);
      ics_quic_stream_unref (core);
    }
}

/* Until something is due or asked for; FALSE to stop. */
static gboolean
wait_for_work (World *world, gint64 due)
{
  gint64 until = due == G_MAXINT64 ? G_MAXINT64 : due + world->start;
  gboolean stop;

  g_mutex_lock (&world->lock);
  while (!world->woken && !world->stop)
    if (until == G_MAXINT64)
      g_cond_wait (&world->changed, &world->lock);
    else if (!g_cond_wait_until (&world->changed, &world->lock, until))
      break;
  world->woken = FALSE;
  stop = world->stop;
  g_mutex_unlock (&world->lock);
  return !stop;
}

static gpointer
run_io (gpointer data)
{
  World *world = data;
  gint64 due;

  do
    {
      due = sim_serve (&world->sim, g_get_monotonic_time () - world->start);
      hand_over (world);
    }
  while (wait_for_work (world, due));
  for (guint i = 0; i < 2; i++)
    ics_quic_abandon (world->sim.quic[i]);
  return NULL;
}

/* --- the server's threads --- */

static IcsStream *
next_arrived (World *world)
{
  IcsStream *stream;

  g_mutex_lock (&world->lock);
  while ((stream = g_queue_pop_head (&world->arrived)) == NULL && !world->no_more)
    g_cond_wait (&world->changed, &world->lock);
  g_mutex_unlock (&world->lock);
  return stream;
}

static void
echo_or_sink (GInputStream *in, GOutputStream *out, gboolean echo)
{
  guint8 buf[5000];
  gssize n;

  while ((n = g_input_stream_read (in, buf, sizeof buf, NULL, NULL)) > 0)
    if (echo && !g_output_stream_write_all (out, buf, (gsize)n, NULL, NULL, NULL))
      return;
  g_output_stream_close (out, NULL, NULL);
}

static void
be_source (World *world, GOutputStream *out)
{
  g_autofree guint8 *data = make_content (20000);
  g_autoptr (GError) error = NULL;

  while (g_output_stream_write_all (out, data, 20000, NULL, NULL, &error))
    continue;
  expect (world, g_error_matches (error, ICS_ERROR, ICS_ERROR_REFUSED), error->message);
}

static gpointer
run_server (gpointer data)
{
  World *world = data;
  IcsStream *stream;

  while ((stream = next_arrived (world)) != NULL)
    {
      GInputStream *in = g_io_stream_get_input_stream (G_IO_STREAM (stream));
      GOutputStream *out = g_io_stream_get_output_stream (G_IO_STREAM (stream));
      guint8 what = 0;

      if (g_input_stream_read (in, &what, 1, NULL, NULL) == 1 && what == SOURCE)
        be_source (world, out);
      else if (what != 0)
        echo_or_sink (in, out, what == ECHO);
      g_object_unref (stream);
    }
  return NULL;
}

/* --- a world --- */

static void
world_init (World *world)
{
  memset (world, 0, sizeof *world);
  g_mutex_init (&world->lock);
  g_cond_init (&world->changed);
  sim_init (&world->sim, sim_seed (), -1);
  world->sim.paths[1].delay_us = 300;
  world->sim.paths[1].loss = 0.005;
  sim_connect (&world->sim);
  world->sim.wake = on_wake;
  world->sim.wake_data = world;
  world->hub = ics_stream_hub_ref (ics_quic_get_hub (world->sim.quic[0]));
  world->start = g_get_monotonic_time () - world->sim.now;
}

static void
world_start (World *world)
{
  world->io = g_thread_new ("io", run_io, world);
  for (guint i = 0; i < SERVERS; i++)
    world->servers[i] = g_thread_new ("server", run_server, world);
}

static void
set_flag (World *world, gboolean *flag)
{
  g_mutex_lock (&world->lock);
  *flag = TRUE;
  g_cond_broadcast (&world->changed);
  g_mutex_unlock (&world->lock);
}

static void
world_join_servers (World *world)
{
  set_flag (world, &world->no_more);
  for (guint i = 0; i < SERVERS; i++)
    g_thread_join (world->servers[i]);
}

static void
world_join_io (World *world)
{
  set_flag (world, &world->stop);
  g_thread_join (world->io);
}

static void
world_clear (World *world)
{
  g_queue_clear_full (&world->arrived, g_object_unref);
  sim_clear (&world->sim);
  ics_stream_hub_unref (world->hub);
  g_mutex_clear (&world->lock);
  g_cond_clear (&world->changed);
  ck_assert_int_eq (world->wrong, 0);
}

/* --- what the client's threads do --- */

/* @what 0: nothing is said, the server never has anything to do with it. */
static IcsStream *
open_stream (World *world, guint8 what)
{
  IcsQuicStream *core = ics_quic_stream_new (-1, world->hub);
  IcsStream *stream = ics_stream_new (core);

  ics_quic_stream_open (core);
  ics_quic_stream_unref (core);
  if (what != 0)
    g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (stream)), &what, 1, NULL, NULL,
                               NULL);
  return stream;
}

typedef struct
{
  World *world;
  IcsStream *stream;
  GInputStream *in;
  GOutputStream *out;
  GCancellable *cancellable;
  guint8 *data;
  gsize len;
  gsize written, read;
  guint8 *back;
  guint left; /* parts of an asynchronous job */
} Job;

static void
job_init (Job *job, World *world, guint8 what, gsize len)
{
  *job = (Job){ .world = world, .stream = open_stream (world, what), .len = len };
  job->in = g_io_stream_get_input_stream (G_IO_STREAM (job->stream));
  job->out = g_io_stream_get_output_stream (G_IO_STREAM (job->stream));
  job->data = make_content (len);
  job->back = g_malloc0 (len + 1);
}

static void
job_clear (Job *job)
{
  g_object_unref (job->stream);
  g_free (job->data);
  g_free (job->back);
}

static gpointer
write_and_close (gpointer data)
{
  Job *job = data;

  expect (job->world, g_output_stream_write_all (job->out, job->data, job->len, NULL, NULL, NULL),
          "a blocking write");
  g_output_stream_close (job->out, NULL, NULL);
  return NULL;
}

static void
check_back (Job *job)
{
  expect (job->world, job->read == job->len && memcmp (job->data, job->back, job->len) == 0,
          "the bytes that came back");
}

static void
echo_blocking (World *world, gsize len)
{
  GThread *writer;
  Job job;

  job_init (&job, world, ECHO, len);
  writer = g_thread_new ("writer", write_and_close, &job);
  g_input_stream_read_all (job.in, job.back, len + 1, &job.read, NULL, NULL);
  g_thread_join (writer);
  check_back (&job);
  job_clear (&job);
}

static void
on_flushed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Job *job = user_data;

  expect (job->world, ics_stream_flush_acked_finish (ICS_STREAM (source), result, NULL), "a flush");
  job->left--;
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Job *job = user_data;

  expect (job->world, g_output_stream_close_finish (job->out, result, NULL), "an asynchronous close");
  ics_stream_flush_acked_async (job->stream, NULL, on_flushed, job);
}

static void
on_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Job *job = user_data;

  expect (job->world, g_output_stream_write_all_finish (job->out, result, NULL, NULL),
          "an asynchronous write");
  g_output_stream_close_async (job->out, G_PRIORITY_DEFAULT, NULL, on_closed, job);
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Job *job = user_data;

  expect (job->world, g_input_stream_read_all_finish (job->in, result, &job->read, NULL),
          "an asynchronous read");
  job->left--;
}

static void
echo_async (World *world, gsize len)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Job job;

  g_main_context_push_thread_default (context);
  job_init (&job, world, ECHO, len);
  job.left = 2;
  g_output_stream_write_all_async (job.out, job.data, len, G_PRIORITY_DEFAULT, NULL, on_written, &job);
  g_input_stream_read_all_async (job.in, job.back, len + 1, G_PRIORITY_DEFAULT, NULL, on_read, &job);
  while (job.left > 0)
    g_main_context_iteration (context, TRUE);
  check_back (&job);
  job_clear (&job);
  g_main_context_pop_thread_default (context);
}

static gboolean
on_writable (GObject *out, gpointer user_data)
{
  Job *job = user_data;
  gssize n = g_pollable_output_stream_write_nonblocking (
      G_POLLABLE_OUTPUT_STREAM (out), job->data + job->written, job->len - job->written, NULL, NULL);

  expect (job->world, n > 0, "a write that was to be possible");
  job->written += (gsize)MAX (n, 0);
  if (n > 0 && job->written < job->len)
    return G_SOURCE_CONTINUE;
  g_output_stream_close (job->out, NULL, NULL);
  return G_SOURCE_REMOVE;
}

static gboolean
on_readable (GObject *in, gpointer user_data)
{
  Job *job = user_data;
  gssize n = g_pollable_input_stream_read_nonblocking (G_POLLABLE_INPUT_STREAM (in), job->back + job->read,
                                                       job->len + 1 - job->read, NULL, NULL);

  expect (job->world, n >= 0, "a read that was to be possible");
  job->read += (gsize)MAX (n, 0);
  if (n > 0 && job->read <= job->len)
    return G_SOURCE_CONTINUE;
  job->left = 0;
  return G_SOURCE_REMOVE;
}

static void
echo_pollable (World *world, gsize len)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GSource) in = NULL;
  g_autoptr (GSource) out = NULL;
  Job job;

  job_init (&job, world, ECHO, len);
  in = g_pollable_input_stream_create_source (G_POLLABLE_INPUT_STREAM (job.in), NULL);
  out = g_pollable_output_stream_create_source (G_POLLABLE_OUTPUT_STREAM (job.out), NULL);
  g_source_set_callback (in, G_SOURCE_FUNC (on_readable), &job, NULL);
  g_source_set_callback (out, G_SOURCE_FUNC (on_writable), &job, NULL);
  g_source_attach (in, context);
  g_source_attach (out, context);
  job.left = 1;
  while (job.left > 0)
    g_main_context_iteration (context, TRUE);
  check_back (&job);
  job_clear (&job);
}

/* Reads what never comes. */
static gpointer
read_until_error (gpointer data)
{
  Job *job = data;
  GError *error = NULL;
  guint8 byte;

  expect (job->world, g_input_stream_read (job->in, &byte, 1, job->cancellable, &error) == -1,
          "a read that was to fail");
  return error;
}

static void
reset_under_reader (World *world, gsize len)
{
  g_autoptr (GError) error = NULL;
  GThread *reader;
  Job job;

  job_init (&job, world, SINK, len);
  reader = g_thread_new ("reader", read_until_error, &job);
  g_output_stream_write_all (job.out, job.data, len, NULL, NULL, NULL);
  ics_stream_reset (job.stream, 7);
  error = g_thread_join (reader);
  expect (world, g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED), "the error of a stream reset here");
  job_clear (&job);
}

static void
cancel_under_reader (World *world, gsize len)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  GThread *reader;
  Job job;

  job_init (&job, world, SINK, len);
  job.cancellable = cancellable;
  reader = g_thread_new ("reader", read_until_error, &job);
  g_output_stream_write_all (job.out, job.data, len, NULL, NULL, NULL);
  g_cancellable_cancel (cancellable);
  error = g_thread_join (reader);
  expect (world, g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED), "the error of a cancelled read");
  /* The stream is as good as before. */
  g_output_stream_close (job.out, NULL, NULL);
  expect (world, g_input_stream_read (job.in, job.back, 1, NULL, NULL) == 0,
          "the end after a cancelled read");
  job_clear (&job);
}

static void
stop_source (World *world, gsize len)
{
  Job job;

  job_init (&job, world, SOURCE, len);
  expect (world, g_input_stream_read_all (job.in, job.back, len, &job.read, NULL, NULL),
          "a read from the source");
  g_input_stream_close (job.in, NULL, NULL);
  job_clear (&job);
}

static void (*const scenarios[]) (World *world, gsize len)
    = { echo_blocking, echo_async, echo_pollable, reset_under_reader, cancel_under_reader, stop_source };

typedef struct
{
  World *world;
  guint number;
} Client;

static gpointer
run_client (gpointer data)
{
  Client *client = data;
  g_autoptr (GRand) rand = g_rand_new_with_seed (client->number);

  for (guint i = 0; i < ROUNDS; i++)
    scenarios[(client->number + i) % G_N_ELEMENTS (scenarios)](client->world,
                                                               (gsize)g_rand_int_range (rand, 1, 150000));
  return NULL;
}

START_TEST (test_every_use_at_once)
{
  World world;
  Client clients[CLIENTS];
  GThread *threads[CLIENTS];

  world_init (&world);
  world_start (&world);
  for (guint i = 0; i < CLIENTS; i++)
    {
      clients[i] = (Client){ &world, i };
      threads[i] = g_thread_new ("client", run_client, &clients[i]);
    }
  for (guint i = 0; i < CLIENTS; i++)
    g_thread_join (threads[i]);
  world_join_servers (&world);
  world_join_io (&world);
  world_clear (&world);
}
END_TEST

/* Given up before the I/O thread has opened them: they must not stay open for ever and use up what the peer
 * allows at once. */
START_TEST (test_reset_before_opened)
{
  World world;

  world_init (&world);
  world_start (&world);
  for (guint i = 0; i < EARLY_STREAMS; i++)
    {
      g_autoptr (IcsStream) stream = open_stream (&world, 0);

      ics_stream_reset (stream, 7);
    }
  echo_blocking (&world, 1000);
  world_join_servers (&world);
  world_join_io (&world);
  world_clear (&world);
}
END_TEST

static gpointer
write_until_error (gpointer data)
{
  Job *job = data;
  GError *error = NULL;

  while (g_output_stream_write_all (job->out, job->data, job->len, NULL, NULL, &error))
    continue;
  return error;
}

/* Threads that wait for a link that ends are told; so are those that come afterwards. */
START_TEST (test_link_ends_under_threads)
{
  World world;
  Job jobs[2], late;
  GThread *threads[4];

  world_init (&world);
  world.io = g_thread_new ("io", run_io, &world);
  for (guint i = 0; i < 2; i++)
    {
      job_init (&jobs[i], &world, SINK, 20000);
      threads[2 * i] = g_thread_new ("reader", read_until_error, &jobs[i]);
      threads[2 * i + 1] = g_thread_new ("writer", write_until_error, &jobs[i]);
    }
  world_join_io (&world);
  job_init (&late, &world, 0, 1);
  for (guint i = 0; i < 5; i++)
    {
      g_autoptr (GError) error = i < 4 ? g_thread_join (threads[i]) : write_until_error (&late);

      expect (&world, g_error_matches (error, ICS_ERROR, ICS_ERROR_CLOSED), "the error of a link that ended");
    }
  for (guint i = 0; i < 2; i++)
    job_clear (&jobs[i]);
  job_clear (&late);
  world_clear (&world);
}
END_TEST

int
main (void)
{
  const TTest *const tests[]
      = { test_every_use_at_once, test_reset_before_opened, test_link_ends_under_threads, NULL };

  return run_suite ("stream-threads", tests);
}
