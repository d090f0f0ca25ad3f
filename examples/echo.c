/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sends everything back, or has it sent back. Run it on one host; it prints a code, and echoes every stream
 * that the other host opens. On the other host, with that code in ICE_SESSION_CODE, it sends what it reads
 * and prints what returns:
 *
 *   date | ICE_SESSION_CODE=7-cable-otter ./echo
 *
 * All of it is asynchronous: one thread, no call waits. send-file.c shows the other way, blocking calls in a
 * thread. */
#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>
#include <glib-unix.h>
#include <session/ice-session.h>
#include <unistd.h>

typedef struct
{
  GMainLoop *loop;
  IcsLink *link;
  IcsStream *stream; /* the joiner's */
  guint copying;     /* directions of it that still run */
  int status;
} Echo;

static void
on_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ics_link_close_finish (ICS_LINK (source), result, NULL);
  g_main_loop_quit (((Echo *)user_data)->loop);
}

/* @error NULL: all is well. Either way the other host is told, if the link has not ended yet. The program
 * ends when the link has given back what it had: relays, port mappings. */
static void
end (Echo *self, const char *what, const GError *error)
{
  if (error != NULL)
    {
      g_printerr ("%s: %s\n", what, error->message);
      self->status = 1;
    }
  ics_link_close_async (self->link, error != NULL, error != NULL ? error->message : NULL, NULL, on_ended,
                        self);
}

/* --- the host that echoes --- */

static void
on_echoed (GObject *output, GAsyncResult *result, gpointer stream)
{
  g_autoptr (GError) error = NULL;
  gssize bytes = g_output_stream_splice_finish (G_OUTPUT_STREAM (output), result, &error);

  if (bytes >= 0)
    g_print ("echoed %" G_GSSIZE_FORMAT " bytes\n", bytes);
  else
    g_printerr ("a stream broke: %s\n", error->message);
  g_object_unref (stream);
}

/* A stream is a GIOStream, so GIO has the echo ready. Closing the output at the end of the input tells the
 * other host that no more comes. */
static void
on_stream (IcsLink *link G_GNUC_UNUSED, IcsStream *stream)
{
  GIOStream *io = G_IO_STREAM (stream);

  g_output_stream_splice_async (g_io_stream_get_output_stream (io), g_io_stream_get_input_stream (io),
                                G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, G_PRIORITY_DEFAULT, NULL, on_echoed,
                                g_object_ref (stream)); /* or the stream would end with this function */
}

/* --- the host that sends --- */

static void
on_copied (GObject *output, GAsyncResult *result, gpointer user_data)
{
  Echo *self = user_data;
  g_autoptr (GError) error = NULL;

  self->copying--;
  if (g_output_stream_splice_finish (G_OUTPUT_STREAM (output), result, &error) < 0)
    end (self, "copying", error);
  /* Everything has come back, so nothing is under way any more that closing could lose. */
  else if (self->copying == 0)
    end (self, NULL, NULL);
}

static void
copy (Echo *self, GOutputStream *to, GInputStream *from, GOutputStreamSpliceFlags flags)
{
  self->copying++;
  g_output_stream_splice_async (to, from, flags, G_PRIORITY_DEFAULT, NULL, on_copied, self);
}

static void
start_sending (Echo *self)
{
  g_autoptr (GInputStream) typed = g_unix_input_stream_new (STDIN_FILENO, FALSE);
  g_autoptr (GOutputStream) shown = g_unix_output_stream_new (STDOUT_FILENO, FALSE);
  g_autoptr (GError) error = NULL;

  self->stream = ics_link_open_stream (self->link, &error);
  if (self->stream == NULL)
    {
      end (self, "opening a stream", error);
      return;
    }
  copy (self, g_io_stream_get_output_stream (G_IO_STREAM (self->stream)), typed,
        G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET);
  copy (self, shown, g_io_stream_get_input_stream (G_IO_STREAM (self->stream)), G_OUTPUT_STREAM_SPLICE_NONE);
}

/* --- the link --- */

static void
on_code (IcsLink *link G_GNUC_UNUSED, const char *code)
{
  g_print ("code: %s\n", code);
}

/* What went wrong "closed" tells. */
static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  if (ics_link_connect_finish (ICS_LINK (source), result, NULL) && g_getenv ("ICE_SESSION_CODE") != NULL)
    start_sending (user_data);
}

/* The link is over, or did not even come about; @error is NULL when one of the two hosts has closed it with
 * 0. */
static void
on_closed (Echo *self, const GError *error)
{
  end (self, "no link", self->status == 0 ? error : NULL);
}

static gboolean
on_interrupt (gpointer user_data)
{
  end (user_data, NULL, NULL);
  return G_SOURCE_CONTINUE;
}

int
main (void)
{
  Echo self = { .loop = g_main_loop_new (NULL, FALSE) };

  self.link = ics_link_new (g_getenv ("ICE_SESSION_SERVER"), "echo/1");
  g_signal_connect (self.link, "code", G_CALLBACK (on_code), NULL);
  g_signal_connect (self.link, "incoming-stream", G_CALLBACK (on_stream), NULL);
  g_signal_connect_swapped (self.link, "closed", G_CALLBACK (on_closed), &self);
  g_unix_signal_add (SIGINT, on_interrupt, &self);
  g_unix_signal_add (SIGTERM, on_interrupt, &self);
  ics_link_connect_async (self.link, g_getenv ("ICE_SESSION_CODE"), NULL, on_connected, &self);
  g_main_loop_run (self.loop);

  g_clear_object (&self.stream);
  g_clear_object (&self.link);
  g_main_loop_unref (self.loop);
  return self.status;
}
