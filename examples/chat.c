/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A chat of two people, in the terminal:
 *
 *   ./chat Alice                                      prints a code
 *   ICE_SESSION_CODE=7-cable-otter ./chat Bob
 *
 * Ctrl-D or /quit ends it. The prompt tells which path the words take. One stream carries lines of text both
 * ways; the first line is the name. terminal.c is what is seen of it. */
#include "terminal.h"

#include <glib-unix.h>
#include <session/ice-session.h>
#include <string.h>

#define LINE_MAX_BYTES 4096         /* a longer one ends the chat: the peer is not ours */
#define WAITING_MAX_BYTES (1 << 20) /* typed, and not taken by the stream yet */

typedef struct
{
  GMainLoop *loop;
  IcsLink *link;
  IcsStream *stream;
  Terminal *terminal;
  char *name;
  char *peer; /* its name; NULL until it is told */
  char block[1024];
  GString *incoming; /* of a line, what has come */
  GString *waiting;  /* to be written */
  GString *writing;  /* what the stream has now */
  gboolean leaving;
  int status;
} Chat;

static void read_more (Chat *self);
static void write_more (Chat *self);

G_GNUC_PRINTF (2, 3)
static void
show (Chat *self, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  terminal_show (self->terminal, text);
}

/* --- the end --- */

static void
on_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ics_link_close_finish (ICS_LINK (source), result, NULL);
  g_main_loop_quit (((Chat *)user_data)->loop);
}

static void
end (Chat *self, const char *what, const GError *error)
{
  if (error != NULL)
    {
      show (self, "* %s: %s", what, error->message);
      self->status = 1;
    }
  ics_link_close_async (self->link, error != NULL, error != NULL ? error->message : NULL, NULL, on_ended,
                        self);
}

static void
on_flushed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ics_stream_flush_acked_finish (ICS_STREAM (source), result, NULL);
  end (user_data, NULL, NULL);
}

static void
on_output_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Chat *self = user_data;

  g_output_stream_close_finish (G_OUTPUT_STREAM (source), result, NULL);
  ics_stream_flush_acked_async (self->stream, NULL, on_flushed, self);
}

/* Closing a link loses what is under way. So: write all, say that it was all, wait until the other host has
 * it, close. */
static void
say_goodbye (Chat *self)
{
  g_output_stream_close_async (g_io_stream_get_output_stream (G_IO_STREAM (self->stream)), G_PRIORITY_DEFAULT,
                               NULL, on_output_closed, self);
}

/* A second time waits for nothing. */
static void
leave (Chat *self)
{
  gboolean again = self->leaving;

  self->leaving = TRUE;
  if (self->stream == NULL || again)
    end (self, NULL, NULL);
  else if (self->writing == NULL)
    say_goodbye (self);
}

/* --- to the other host --- */

static void
on_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Chat *self = user_data;
  g_autoptr (GError) error = NULL;
  gboolean good = g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL, &error);

  g_string_free (g_steal_pointer (&self->writing), TRUE);
  if (!good)
    end (self, "writing", error);
  else if (self->waiting->len > 0)
    write_more (self);
  else if (self->leaving)
    say_goodbye (self);
}

static void
write_more (Chat *self)
{
  GOutputStream *out = g_io_stream_get_output_stream (G_IO_STREAM (self->stream));

  self->writing = self->waiting;
  self->waiting = g_string_new (NULL);
  g_output_stream_write_all_async (out, self->writing->str, self->writing->len, G_PRIORITY_DEFAULT, NULL,
                                   on_written, self);
}

static void
say (Chat *self, const char *line)
{
  g_string_append_printf (self->waiting, "%s\n", line);
  if (self->writing == NULL)
    write_more (self);
}

static void
on_typed (const char *line, gpointer user_data)
{
  Chat *self = user_data;

  if (line == NULL || strcmp (line, "/quit") == 0)
    leave (self);
  else if (self->stream == NULL || self->leaving)
    show (self, "* nobody is there");
  else if (self->waiting->len > WAITING_MAX_BYTES)
    show (self, "* not sent, too much is on its way: %s", line);
  else if (*line != '\0')
    {
      say (self, line);
      show (self, "%s: %s", self->name, line);
    }
}

/* --- from the other host --- */

static void
hear (Chat *self, const char *line)
{
  if (self->peer != NULL)
    show (self, "%s: %s", self->peer, line);
  else
    {
      self->peer = g_strdup (line);
      show (self, "* %s is here", self->peer);
    }
}

static void
hear_lines (Chat *self)
{
  char *newline;

  while ((newline = memchr (self->incoming->str, '\n', self->incoming->len)) != NULL)
    {
      *newline = '\0';
      hear (self, self->incoming->str);
      g_string_erase (self->incoming, 0, newline + 1 - self->incoming->str);
    }
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Chat *self = user_data;
  g_autoptr (GError) error = NULL;
  gssize n = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);

  if (n > 0)
    g_string_append_len (self->incoming, self->block, n);
  hear_lines (self);
  if (self->incoming->len > LINE_MAX_BYTES)
    g_set_error_literal (&error, ICS_ERROR, ICS_ERROR_PROTOCOL, "a line without end");
  if (error != NULL)
    end (self, "reading", self->leaving ? NULL : error);
  else if (n > 0)
    read_more (self);
  else if (!self->leaving)
    show (self, "* %s has left", self->peer != NULL ? self->peer : "the other host");
}

static void
read_more (Chat *self)
{
  g_input_stream_read_async (g_io_stream_get_input_stream (G_IO_STREAM (self->stream)), self->block,
                             sizeof self->block, G_PRIORITY_DEFAULT, NULL, on_read, self);
}

static void
start (Chat *self, IcsStream *stream)
{
  self->stream = stream;
  say (self, self->name);
  read_more (self);
}

/* --- the link --- */

/* The peer may open more streams; one is a chat. */
static void
on_stream (Chat *self, IcsStream *stream)
{
  if (self->stream == NULL)
    start (self, g_object_ref (stream));
  else
    ics_stream_reset (stream, 1);
}

/* What went wrong "closed" tells. */
static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Chat *self = user_data;
  IcsStream *stream = NULL;

  if (ics_link_connect_finish (ICS_LINK (source), result, NULL) && ics_link_get_code (self->link) == NULL)
    stream = ics_link_open_stream (self->link, NULL);
  if (stream != NULL)
    start (self, stream);
}

static void
on_code (Chat *self, const char *code)
{
  show (self, "* on the other host: ICE_SESSION_CODE=%s ./chat NAME", code);
}

static void
on_path (Chat *self, IcsPathInfo *path)
{
  g_autofree char *prompt
      = g_strdup_printf ("[%s] ", ics_path_kind_to_string (ics_path_info_get_kind (path)));

  terminal_set_prompt (self->terminal, prompt);
}

static void
on_closed (Chat *self, const GError *error)
{
  end (self, "no link", self->status == 0 ? error : NULL);
}

static gboolean
on_signal (gpointer user_data)
{
  leave (user_data);
  return G_SOURCE_CONTINUE;
}

int
main (int argc, char **argv)
{
  Chat self = { .loop = g_main_loop_new (NULL, FALSE) };

  self.terminal = terminal_open (on_typed, &self);
  if (self.terminal == NULL)
    {
      g_printerr ("chat wants a terminal\n");
      return 2;
    }
  self.name = g_strdup (argc > 1 ? argv[1] : g_get_user_name ());
  self.incoming = g_string_new (NULL);
  self.waiting = g_string_new (NULL);
  self.link = ics_link_new (g_getenv ("ICE_SESSION_SERVER"), "chat/1");
  g_signal_connect_swapped (self.link, "code", G_CALLBACK (on_code), &self);
  g_signal_connect_swapped (self.link, "path-changed", G_CALLBACK (on_path), &self);
  g_signal_connect_swapped (self.link, "incoming-stream", G_CALLBACK (on_stream), &self);
  g_signal_connect_swapped (self.link, "closed", G_CALLBACK (on_closed), &self);
  g_unix_signal_add (SIGINT, on_signal, &self);
  g_unix_signal_add (SIGTERM, on_signal, &self);
  g_unix_signal_add (SIGHUP, on_signal, &self);
  ics_link_connect_async (self.link, g_getenv ("ICE_SESSION_CODE"), NULL, on_connected, &self);
  g_main_loop_run (self.loop);

  terminal_close (self.terminal);
  g_clear_object (&self.stream);
  g_clear_object (&self.link);
  g_string_free (self.incoming, TRUE);
  g_string_free (self.waiting, TRUE);
  g_free (self.peer);
  g_free (self.name);
  g_main_loop_unref (self.loop);
  return self.status;
}
