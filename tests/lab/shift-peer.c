/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One end of a link that is told which paths to allow while data flows both ways: usage: shift-peer SERVER
 * EVENTS_FD
 *
 * With ICE_SESSION_CODE in the environment it joins, else it listens. Lines on stdin: "relay" and "auto" set
 * the policy, "end" ends the data. Events are lines of JSON as those of ice-session; "done" has hashes of
 * what went and came. */
#include <session/ice-session.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK (64 << 10)
/* Delivered after a move, so much counts as data that flows again. */
#define FLOWING (256 << 10)

typedef struct
{
  FILE *events;
  gint64 begin;
  GMainLoop *loop;
  IcsLink *link;
  IcsStream *stream;
  gboolean listens;
  int ended;   /* atomic: no more data */
  int working; /* atomic: threads */
  int awaited; /* atomic: bytes still to come until "progress" is told, none or less: it was told */
  GChecksum *sent, *received;
  guint64 sent_bytes, received_bytes;
} Peer;

G_GNUC_PRINTF (2, 3)
static void
say (Peer *self, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  flockfile (self->events);
  fputs ("{\"v\":1,", self->events);
  vfprintf (self->events, format, arguments);
  fprintf (self->events, ",\"at_ms\":%" G_GINT64_FORMAT "}\n",
           (g_get_monotonic_time () - self->begin) / 1000);
  fflush (self->events);
  funlockfile (self->events);
  va_end (arguments);
}

G_GNUC_PRINTF (1, 2)
static G_GNUC_NORETURN void
fail (const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  vfprintf (stderr, format, arguments);
  va_end (arguments);
  fputc ('\n', stderr);
  exit (1);
}

static void
on_closed_by_us (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ics_link_close_finish (ICS_LINK (source), result, NULL);
  g_main_loop_quit (((Peer *)user_data)->loop);
}

static gboolean
on_all_done (gpointer user_data)
{
  Peer *self = user_data;

  say (self,
       "\"type\":\"done\",\"sent_bytes\":%" G_GUINT64_FORMAT
       ",\"sent\":\"%s\",\"received_bytes\":%" G_GUINT64_FORMAT ",\"received\":\"%s\"",
       self->sent_bytes, g_checksum_get_string (self->sent), self->received_bytes,
       g_checksum_get_string (self->received));
  return G_SOURCE_REMOVE;
}

static void
work_done (Peer *self)
{
  if (g_atomic_int_dec_and_test (&self->working))
    g_idle_add (on_all_done, self);
}

/* xorshift64* (Vigna 2016): bytes that do not repeat, cheaper than the hash of them. */
static void
fill (guint64 *block, guint64 *state)
{
  for (gsize i = 0; i < BLOCK / sizeof *block; i++)
    {
      *state ^= *state >> 12;
      *state ^= *state << 25;
      *state ^= *state >> 27;
      block[i] = *state * G_GUINT64_CONSTANT (2685821657736338717);
    }
}

static gpointer
write_data (gpointer user_data)
{
  Peer *self = user_data;
  GOutputStream *out = g_io_stream_get_output_stream (G_IO_STREAM (self->stream));
  g_autofree guint64 *block = g_malloc (BLOCK);
  guint64 state = self->listens ? 1 : 2;
  g_autoptr (GError) error = NULL;

  while (!g_atomic_int_get (&self->ended))
    {
      fill (block, &state);
      if (!g_output_stream_write_all (out, block, BLOCK, NULL, NULL, &error))
        fail ("writing: %s", error->message);
      g_checksum_update (self->sent, (const guint8 *)block, BLOCK);
      self->sent_bytes += BLOCK;
    }
  if (!g_output_stream_close (out, NULL, &error))
    fail ("closing: %s", error->message);
  work_done (self);
  return NULL;
}

static void
note_delivery (Peer *self, int n)
{
  int before = g_atomic_int_add (&self->awaited, -n);

  if (before > 0 && before <= n)
    say (self, "\"type\":\"progress\",\"bytes\":%" G_GUINT64_FORMAT, self->received_bytes);
  else if (before <= 0)
    g_atomic_int_add (&self->awaited, n);
}

static gpointer
read_data (gpointer user_data)
{
  Peer *self = user_data;
  GInputStream *in = g_io_stream_get_input_stream (G_IO_STREAM (self->stream));
  g_autofree guint8 *block = g_malloc (BLOCK);
  g_autoptr (GError) error = NULL;
  gssize n;

  while ((n = g_input_stream_read (in, block, BLOCK, NULL, &error)) > 0)
    {
      g_checksum_update (self->received, block, n);
      self->received_bytes += (guint64)n;
      note_delivery (self, (int)n);
    }
  if (n < 0)
    fail ("reading: %s", error->message);
  work_done (self);
  return NULL;
}

static void
start (Peer *self, IcsStream *stream)
{
  self->stream = stream;
  self->working = 2;
  g_thread_unref (g_thread_new ("writes", write_data, self));
  g_thread_unref (g_thread_new ("reads", read_data, self));
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Peer *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!ics_link_connect_finish (self->link, result, &error))
    fail ("connecting: %s", error->message);
  say (self, "\"type\":\"connected\"");
  if (!self->listens)
    start (self, ics_link_open_stream (self->link, NULL));
}

static void
on_stream (IcsLink *link, IcsStream *stream, Peer *self)
{
  start (self, g_object_ref (stream));
}

static void
on_code (IcsLink *link, const char *code, Peer *self)
{
  say (self, "\"type\":\"code\",\"code\":\"%s\"", code);
}

static void
on_path (IcsLink *link, IcsPathInfo *path, Peer *self)
{
  say (self, "\"type\":\"path\",\"kind\":\"%s\",\"reason\":\"%s\"",
       ics_path_kind_to_string (ics_path_info_get_kind (path)),
       ics_path_reason_to_string (ics_path_info_get_reason (path)));
  g_atomic_int_set (&self->awaited, FLOWING);
}

static void
on_stall (IcsLink *link, guint ms, Peer *self)
{
  say (self, "\"type\":\"stall\",\"ms\":%u", ms);
}

static void
on_closed (IcsLink *link, GError *error, Peer *self)
{
  if (error != NULL)
    fail ("the link ended: %s", error->message);
  g_main_loop_quit (self->loop);
}

static gboolean
on_line (GIOChannel *input, GIOCondition condition, gpointer user_data)
{
  Peer *self = user_data;
  g_autofree char *line = NULL;

  if (g_io_channel_read_line (input, &line, NULL, NULL, NULL) != G_IO_STATUS_NORMAL)
    return G_SOURCE_REMOVE;
  g_strchomp (line);
  if (strcmp (line, "relay") == 0)
    g_object_set (self->link, "policy", ICS_PATH_POLICY_RELAY, NULL);
  else if (strcmp (line, "auto") == 0)
    g_object_set (self->link, "policy", ICS_PATH_POLICY_AUTO, NULL);
  else if (strcmp (line, "end") == 0)
    g_atomic_int_set (&self->ended, TRUE);
  else if (strcmp (line, "close") == 0)
    ics_link_close_async (self->link, 0, NULL, NULL, on_closed_by_us, self);
  else
    fail ("what is %s?", line);
  return G_SOURCE_CONTINUE;
}

static void
run (Peer *self, const char *server)
{
  g_autoptr (GIOChannel) input = g_io_channel_unix_new (STDIN_FILENO);
  const char *code = g_getenv ("ICE_SESSION_CODE");

  self->listens = code == NULL;
  self->link = ics_link_new (server, "shift/1");
  g_signal_connect (self->link, "code", G_CALLBACK (on_code), self);
  g_signal_connect (self->link, "path-changed", G_CALLBACK (on_path), self);
  g_signal_connect (self->link, "stall", G_CALLBACK (on_stall), self);
  g_signal_connect (self->link, "incoming-stream", G_CALLBACK (on_stream), self);
  g_signal_connect (self->link, "closed", G_CALLBACK (on_closed), self);
  g_io_add_watch (input, G_IO_IN, on_line, self);
  ics_link_connect_async (self->link, code, NULL, on_connected, self);
  g_main_loop_run (self->loop);
}

int
main (int argc, char **argv)
{
  Peer self = { .begin = g_get_monotonic_time () };

  if (argc != 3 || (self.events = fdopen (atoi (argv[2]), "w")) == NULL)
    fail ("usage: shift-peer SERVER EVENTS_FD");
  self.loop = g_main_loop_new (NULL, FALSE);
  self.sent = g_checksum_new (G_CHECKSUM_SHA256);
  self.received = g_checksum_new (G_CHECKSUM_SHA256);
  run (&self, argv[1]);
  g_clear_object (&self.stream);
  g_clear_object (&self.link);
  g_checksum_free (self.sent);
  g_checksum_free (self.received);
  g_main_loop_unref (self.loop);
  fclose (self.events);
  return 0;
}
