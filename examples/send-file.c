/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sends one file. On the host that has it, and on the one that gets it, with the code that the first one
 * prints:
 *
 *   ./send-file holiday.mp4
 *   ICE_SESSION_CODE=7-cable-otter ./send-file holiday.mp4
 *
 * The sender writes the file into a stream and closes its half. The receiver answers with the SHA-256 of what
 * it has stored, and the sender compares. Both do that with blocking calls in a thread of their own; the main
 * thread keeps the link's signals. Nothing is stored under the file's name before all of it is there. */
#include <glib-unix.h>
#include <session/ice-session.h>
#include <string.h>

#define BLOCK 65536
#define DIGEST_LENGTH 64 /* SHA-256 in hex */

typedef struct
{
  GMainLoop *loop;
  IcsLink *link;
  IcsStream *stream;
  GFile *file;
  gboolean sends;
  gboolean working; /* the thread runs, and uses all this */
  gboolean ended;   /* the link, with all that it had */
  int status;
} Transfer;

static void
quit_if_done (Transfer *self)
{
  if (self->ended && !self->working)
    g_main_loop_quit (self->loop);
}

static void
on_ended (GObject *source, GAsyncResult *result, gpointer data)
{
  Transfer *self = data;

  ics_link_close_finish (ICS_LINK (source), result, NULL);
  self->ended = TRUE;
  quit_if_done (self);
}

/* @error NULL: all is well. Either way the other host is told, if the link has not ended yet. */
static void
end (Transfer *self, const char *what, const GError *error)
{
  if (error != NULL)
    {
      g_printerr ("%s: %s\n", what, error->message);
      self->status = 1;
    }
  ics_link_close_async (self->link, error != NULL, error != NULL ? error->message : NULL, NULL, on_ended,
                        self);
}

/* --- in the thread --- */

/* Copies to the end of @from and returns the SHA-256 of what went through; NULL on error. */
static char *
copy (GInputStream *from, GOutputStream *to, GError **error)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guint8 *block = g_malloc (BLOCK);
  gssize n;

  while ((n = g_input_stream_read (from, block, BLOCK, NULL, error)) > 0)
    {
      g_checksum_update (checksum, block, n);
      /* Waits while the other host takes no more: what is under way is bounded. */
      if (!g_output_stream_write_all (to, block, (gsize)n, NULL, NULL, error))
        return NULL;
    }
  return n == 0 ? g_strdup (g_checksum_get_string (checksum)) : NULL;
}

static gboolean
send_file (Transfer *self, GError **error)
{
  GIOStream *stream = G_IO_STREAM (self->stream);
  g_autoptr (GFileInputStream) content = g_file_read (self->file, NULL, error);
  g_autofree char *sent = NULL;
  char stored[DIGEST_LENGTH + 1] = "";

  if (content == NULL)
    return FALSE;
  sent = copy (G_INPUT_STREAM (content), g_io_stream_get_output_stream (stream), error);
  /* The end of our half is how the receiver learns that the file is complete. */
  if (sent == NULL || !g_output_stream_close (g_io_stream_get_output_stream (stream), NULL, error)
      || !g_input_stream_read_all (g_io_stream_get_input_stream (stream), stored, DIGEST_LENGTH, NULL, NULL,
                                   error))
    return FALSE;
  if (strcmp (sent, stored) == 0)
    return TRUE;
  g_set_error_literal (error, ICS_ERROR, ICS_ERROR_INTEGRITY, "the receiver has stored something else");
  return FALSE;
}

static gboolean
answer (Transfer *self, const char *digest, GError **error)
{
  GOutputStream *out = g_io_stream_get_output_stream (G_IO_STREAM (self->stream));

  return g_output_stream_write_all (out, digest, DIGEST_LENGTH, NULL, NULL, error)
         && g_output_stream_close (out, NULL, error);
}

static gboolean
receive_file (Transfer *self, GError **error)
{
  /* A temporary file beside the target, which takes its name when it is closed. */
  g_autoptr (GFileOutputStream) target
      = g_file_replace (self->file, NULL, FALSE, G_FILE_CREATE_NONE, NULL, error);
  g_autofree char *stored = NULL;

  if (target == NULL)
    return FALSE;
  stored = copy (g_io_stream_get_input_stream (G_IO_STREAM (self->stream)), G_OUTPUT_STREAM (target), error);
  if (stored == NULL)
    {
      g_autoptr (GCancellable) given_up = g_cancellable_new ();

      /* Closed so, it takes no name. */
      g_cancellable_cancel (given_up);
      g_output_stream_close (G_OUTPUT_STREAM (target), given_up, NULL);
      return FALSE;
    }
  return g_output_stream_close (G_OUTPUT_STREAM (target), NULL, error) && answer (self, stored, error);
}

static void
work (GTask *task, gpointer source G_GNUC_UNUSED, gpointer data, GCancellable *unused G_GNUC_UNUSED)
{
  Transfer *self = data;
  GError *error = NULL;

  if (self->sends ? send_file (self, &error) : receive_file (self, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/* --- in the main thread --- */

static void
on_worked (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer data)
{
  Transfer *self = data;
  g_autoptr (GError) error = NULL;

  self->working = FALSE;
  if (!g_task_propagate_boolean (G_TASK (result), &error))
    {
      end (self, self->sends ? "sending" : "receiving", error);
      quit_if_done (self);
      return;
    }
  for (IcsPathKind kind = ICS_PATH_CHANNEL; kind <= ICS_PATH_DIRECT; kind++)
    g_print ("%s: %" G_GUINT64_FORMAT " bytes\n", ics_path_kind_to_string (kind),
             self->sends ? ics_stream_get_sent (self->stream, kind)
                         : ics_stream_get_received (self->stream, kind));
  /* The sender has the answer, and so knows that all arrived: it closes. The receiver waits for that. */
  if (self->sends)
    end (self, NULL, NULL);
  quit_if_done (self);
}

static void
start (Transfer *self, IcsStream *stream)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, on_worked, self);

  self->working = TRUE;
  self->stream = g_object_ref (stream);
  g_task_set_task_data (task, self, NULL);
  g_task_run_in_thread (task, work);
}

static void
on_stream (Transfer *self, IcsStream *stream)
{
  if (self->stream == NULL)
    start (self, stream);
}

/* What went wrong "closed" tells. */
static void
on_connected (GObject *source, GAsyncResult *result, gpointer data)
{
  Transfer *self = data;
  g_autoptr (IcsStream) stream = NULL;

  if (ics_link_connect_finish (ICS_LINK (source), result, NULL) && self->sends)
    stream = ics_link_open_stream (self->link, NULL);
  if (stream != NULL)
    start (self, stream);
}

static void
on_code (IcsLink *link G_GNUC_UNUSED, const char *code)
{
  g_print ("code: %s\n", code);
}

/* The link is over, or did not even come about. What still waits in the thread for the stream fails now. */
static void
on_closed (Transfer *self, const GError *error)
{
  end (self, "no link", self->status == 0 ? error : NULL);
}

static gboolean
on_interrupt (gpointer data)
{
  Transfer *self = data;

  self->status = 1;
  ics_link_close_async (self->link, 1, "interrupted", NULL, on_ended, self);
  return G_SOURCE_CONTINUE;
}

int
main (int argc, char **argv)
{
  Transfer self = { .sends = g_getenv ("ICE_SESSION_CODE") == NULL };

  if (argc != 2)
    {
      g_printerr ("usage: send-file FILE\n");
      return 2;
    }
  self.loop = g_main_loop_new (NULL, FALSE);
  self.file = g_file_new_for_commandline_arg (argv[1]);
  self.link = ics_link_new (g_getenv ("ICE_SESSION_SERVER"), "send-file/1");
  g_signal_connect (self.link, "code", G_CALLBACK (on_code), NULL);
  g_signal_connect_swapped (self.link, "incoming-stream", G_CALLBACK (on_stream), &self);
  g_signal_connect_swapped (self.link, "closed", G_CALLBACK (on_closed), &self);
  g_unix_signal_add (SIGINT, on_interrupt, &self);
  g_unix_signal_add (SIGTERM, on_interrupt, &self);
  ics_link_connect_async (self.link, g_getenv ("ICE_SESSION_CODE"), NULL, on_connected, &self);
  g_main_loop_run (self.loop);

  g_clear_object (&self.stream);
  g_clear_object (&self.link);
  g_object_unref (self.file);
  g_main_loop_unref (self.loop);
  return self.status;
}
