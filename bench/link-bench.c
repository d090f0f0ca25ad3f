/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A link through the public interface of the library: bytes from memory over a few streams to a reader that
 * drops them.
 *
 * Without --code it listens, prints the code and receives. With it it joins, waits for the wanted path, and
 * sends. What happens is printed as lines of JSON with the monotonic time in µs, which two programs on one
 * machine share. */
#include "bench/meter.h"

#include <session/ice-session.h>
#include <stdio.h>
#include <string.h>

#define BLOCK (1 << 20)

static char *server, *code, *policy = "auto", *wanted = "direct";
static double seconds = 5;
static int streams = 4, skip_ms, settle_ms = 1500;

static const GOptionEntry options[] = {
  { "server", 0, 0, G_OPTION_ARG_STRING, &server, "rendezvous server", "URI" },
  { "code", 0, 0, G_OPTION_ARG_STRING, &code, "join and send", "CODE" },
  { "path", 0, 0, G_OPTION_ARG_STRING, &policy, "auto, direct, relay or lan", "POLICY" },
  { "wait", 0, 0, G_OPTION_ARG_STRING, &wanted, "path to wait for: channel, turn or direct", "KIND" },
  { "settle-ms", 0, 0, G_OPTION_ARG_INT, &settle_ms, "and so much longer", "MS" },
  { "seconds", 0, 0, G_OPTION_ARG_DOUBLE, &seconds, "send for so long", "S" },
  { "streams", 0, 0, G_OPTION_ARG_INT, &streams, "streams at once", "N" },
  { "skip-ms", 0, 0, G_OPTION_ARG_INT, &skip_ms, "receiver: do not count the first of it", "MS" },
  { NULL },
};

typedef struct
{
  GMainLoop *loop;
  IcsLink *link;
  IcsPathKind wanted;
  gboolean greeted, greeted_by_peer, started, sends;
  gint64 end;
  GMutex lock; /* meter, running */
  Meter meter;
  guint running;
  GBytes *block;
} Bench;

typedef struct
{
  Bench *bench;
  IcsStream *stream;
} Worker;

static void
say (const char *event, const char *value)
{
  printf ("{\"event\":\"%s\",\"value\":\"%s\",\"us\":%" G_GINT64_FORMAT ",\"rss_kb\":%" G_GINT64_FORMAT "}\n",
          event, value, g_get_monotonic_time (), bench_memory ("VmRSS"));
  fflush (stdout);
}

static void
on_finished (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_main_loop_quit (((Bench *)user_data)->loop);
}

static gboolean
on_all_done (gpointer user_data)
{
  Bench *self = user_data;

  meter_report (&self->meter, self->sends ? "link-sender" : "link-receiver");
  if (self->sends)
    ics_link_close_async (self->link, 0, NULL, NULL, on_finished, self);
  return G_SOURCE_REMOVE;
}

static void
worker_done (Worker *worker)
{
  Bench *bench = worker->bench;

  g_mutex_lock (&bench->lock);
  if (--bench->running == 0)
    g_idle_add (on_all_done, bench);
  g_mutex_unlock (&bench->lock);
  g_object_unref (worker->stream);
  g_free (worker);
}

static void
count (Bench *bench, gsize len)
{
  g_mutex_lock (&bench->lock);
  meter_count (&bench->meter, g_get_monotonic_time (), len);
  g_mutex_unlock (&bench->lock);
}

static gpointer
read_all (gpointer data)
{
  Worker *worker = data;
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (worker->stream));
  g_autofree guint8 *buffer = g_malloc (BLOCK);
  g_autoptr (GError) error = NULL;
  gssize n;

  while ((n = g_input_stream_read (input, buffer, BLOCK, NULL, &error)) > 0)
    count (worker->bench, (gsize)n);
  if (n < 0)
    bench_fail ("reading: %s", error->message);
  g_io_stream_close (G_IO_STREAM (worker->stream), NULL, NULL);
  worker_done (worker);
  return NULL;
}

static gpointer
write_all (gpointer data)
{
  Worker *worker = data;
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (worker->stream));
  g_autoptr (GError) error = NULL;

  while (g_get_monotonic_time () < worker->bench->end)
    {
      if (!ics_stream_send_bytes (worker->stream, worker->bench->block, NULL, &error))
        bench_fail ("writing: %s", error->message);
      count (worker->bench, BLOCK);
    }
  /* The peer closes its direction when it has read all. */
  if (!g_output_stream_close (output, NULL, &error)
      || g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (worker->stream)), &(guint8){ 0 }, 1,
                              NULL, &error)
             != 0)
    bench_fail ("closing: %s", error != NULL ? error->message : "the peer sent something");
  worker_done (worker);
  return NULL;
}

static void
work (Bench *self, IcsStream *stream, GThreadFunc func)
{
  Worker *worker = g_new0 (Worker, 1);

  worker->bench = self;
  worker->stream = stream;
  g_thread_unref (g_thread_new ("worker", func, worker));
}

static gboolean
on_settled (gpointer user_data)
{
  Bench *self = user_data;

  say ("idle", wanted);
  self->end = g_get_monotonic_time () + (gint64)(seconds * 1e6);
  self->running = (guint)streams;
  meter_start (&self->meter);
  for (int i = 0; i < streams; i++)
    {
      g_autoptr (GError) error = NULL;
      IcsStream *stream = ics_link_open_stream (self->link, &error);

      if (stream == NULL)
        bench_fail ("stream: %s", error->message);
      work (self, stream, write_all);
    }
  return G_SOURCE_REMOVE;
}

/* One byte as soon as there is a link: what a user waits for. */
static void
greet (Bench *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (IcsStream) stream = ics_link_open_stream (self->link, &error);

  if (stream == NULL
      || !g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (stream)), "", 1, NULL, NULL,
                                     &error)
      || !g_io_stream_close (G_IO_STREAM (stream), NULL, &error))
    bench_fail ("first byte: %s", error->message);
}

static void
consider (Bench *self)
{
  g_autoptr (IcsPathInfo) path = ics_link_get_path (self->link);

  if (!self->greeted || self->started || !self->sends || path == NULL
      || ics_path_info_get_kind (path) != self->wanted)
    return;
  self->started = TRUE;
  g_timeout_add ((guint)settle_ms, on_settled, self);
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Bench *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!ics_link_connect_finish (ICS_LINK (source), result, &error))
    bench_fail ("connect: %s", error->message);
  say ("connected", "");
  if (self->sends)
    greet (self);
  self->greeted = TRUE;
  consider (self);
}

static void
on_path (IcsLink *link, IcsPathInfo *path, gpointer user_data)
{
  say ("path", ics_path_kind_to_string (ics_path_info_get_kind (path)));
  consider (user_data);
}

static gpointer
read_greeting (gpointer data)
{
  g_autoptr (IcsStream) stream = data;

  if (g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (stream)), &(guint8){ 0 }, 1, NULL, NULL)
      == 1)
    say ("first-byte", "");
  g_io_stream_close (G_IO_STREAM (stream), NULL, NULL);
  return NULL;
}

static void
on_stream (IcsLink *link, IcsStream *stream, gpointer user_data)
{
  Bench *self = user_data;

  if (!self->greeted_by_peer)
    {
      self->greeted_by_peer = TRUE;
      g_thread_unref (g_thread_new ("greeting", read_greeting, g_object_ref (stream)));
      return;
    }
  g_mutex_lock (&self->lock);
  self->running++;
  g_mutex_unlock (&self->lock);
  work (self, g_object_ref (stream), read_all);
}

static void
on_code (IcsLink *link, const char *new_code, gpointer user_data)
{
  say ("code", new_code);
}

static void
on_stall (IcsLink *link, guint ms, gpointer user_data)
{
  g_autofree char *text = g_strdup_printf ("%u", ms);

  say ("stall", text);
}

static void
on_closed (IcsLink *link, GError *error, gpointer user_data)
{
  if (error != NULL)
    bench_fail ("closed: %s", error->message);
  g_main_loop_quit (((Bench *)user_data)->loop);
}

static IcsPathPolicy
policy_named (const char *name)
{
  static const char *const names[] = { "auto", "direct", "relay", "lan" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (names[i], name) == 0)
      return (IcsPathPolicy)i;
  bench_fail ("no policy %s", name);
}

static IcsPathKind
kind_named (const char *name)
{
  for (guint i = 0; i < ICS_N_PATH_KINDS; i++)
    if (strcmp (ics_path_kind_to_string ((IcsPathKind)i), name) == 0)
      return (IcsPathKind)i;
  bench_fail ("no path %s", name);
}

static void
run (Bench *self)
{
  self->loop = g_main_loop_new (NULL, FALSE);
  self->link = ics_link_new (server, "bench/1");
  g_object_set (self->link, "policy", policy_named (policy), "port-mapping", FALSE, NULL);
  g_signal_connect (self->link, "code", G_CALLBACK (on_code), self);
  g_signal_connect (self->link, "path-changed", G_CALLBACK (on_path), self);
  g_signal_connect (self->link, "stall", G_CALLBACK (on_stall), self);
  g_signal_connect (self->link, "incoming-stream", G_CALLBACK (on_stream), self);
  g_signal_connect (self->link, "closed", G_CALLBACK (on_closed), self);
  say ("start", "");
  ics_link_connect_async (self->link, code, NULL, on_connected, self);
  g_main_loop_run (self->loop);
  g_object_unref (self->link);
  g_main_loop_unref (self->loop);
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  Bench self = { .meter = { 0 } };

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || server == NULL || streams < 1)
    bench_fail ("%s", error != NULL ? error->message : "--server is missing");
  self.wanted = kind_named (wanted);
  self.sends = code != NULL;
  self.meter.skip_us = (gint64)skip_ms * 1000;
  self.block = g_bytes_new_take (g_malloc0 (BLOCK), BLOCK);
  run (&self);
  g_bytes_unref (self.block);
  return 0;
}
