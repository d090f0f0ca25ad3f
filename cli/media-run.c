/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ics-error.h"
#include "cli/media.h"

/* A session has three threads: one for each direction, and this one, which reads the control stream. The
 * first that ends ends the others. */
typedef struct
{
  CliMediaRun run;
  GPtrArray *sockets;
  CliMediaOut *out;
  GMutex lock;
  GError *error; /* the first one */
} Session;

static void
end_session (Session *self, GError *error)
{
  g_mutex_lock (&self->lock);
  if (self->error == NULL)
    self->error = g_steal_pointer (&error);
  g_mutex_unlock (&self->lock);
  g_clear_error (&error);
  g_cancellable_cancel (self->run.cancellable);
}

static gpointer
run_in (gpointer data)
{
  Session *self = data;
  GError *error = NULL;

  cli_media_in_run (&self->run, self->sockets, &error);
  end_session (self, error);
  return NULL;
}

static gpointer
run_out (gpointer data)
{
  Session *self = data;
  GError *error = NULL;

  cli_media_out_run (self->out, &self->run, &error);
  end_session (self, error);
  return NULL;
}

/* Unknown members and frames are of a later version. */
static void
handle_frame (Session *self, JsonObject *frame)
{
  gint64 ssrc, stream;

  if (g_strcmp0 (cli_json_string (frame, "type"), "source") == 0
      && cli_json_int (frame, "ssrc", 0, G_MAXUINT32, &ssrc)
      && cli_json_int (frame, "stream", 0, CLI_MEDIA_STREAMS_MAX - 1, &stream))
    cli_media_sources_set (self->run.received, (guint32)ssrc, (guint)stream);
}

static void
read_control (Session *self)
{
  g_autoptr (GError) error = NULL;
  JsonObject *frame;

  while ((frame = cli_frame_read (self->run.control, self->run.cancellable, &error)) != NULL)
    {
      handle_frame (self, frame);
      json_object_unref (frame);
    }
  end_session (self, g_steal_pointer (&error));
}

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  g_cancellable_cancel (G_CANCELLABLE (user_data));
}

static void
run_session (Session *self, GCancellable *cancellable)
{
  GCancellable *own = self->run.cancellable;
  gulong handler
      = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), g_object_ref (own), g_object_unref);
  GThread *in = g_thread_new ("media in", run_in, self);
  GThread *out = g_thread_new ("media out", run_out, self);

  read_control (self);
  g_thread_join (in);
  g_thread_join (out);
  g_cancellable_disconnect (cancellable, handler);
}

static gboolean
begin (Session *self, GCancellable *cancellable, GError **error)
{
  CliMedia *job = self->run.job;
  g_autoptr (JsonObject) hello = NULL;

  self->sockets = cli_media_in_open (job->ins, error);
  if (self->sockets != NULL)
    self->out = cli_media_out_new (job, cancellable, error);
  if (self->out != NULL)
    self->run.control = cli_control_start (job->peer, cli_control_new_hello ("media"), cancellable, error);
  if (self->run.control != NULL)
    hello = cli_control_read_hello (self->run.control, "media", cancellable, error);
  return hello != NULL;
}

static void
session_clear (Session *self)
{
  g_clear_object (&self->run.control);
  g_clear_object (&self->run.cancellable);
  g_clear_pointer (&self->sockets, g_ptr_array_unref);
  g_clear_pointer (&self->out, cli_media_out_free);
  cli_media_sources_free (self->run.sent);
  cli_media_sources_free (self->run.received);
  g_mutex_clear (&self->lock);
  g_clear_error (&self->error);
}

gboolean
cli_media_run (CliMedia *self, GCancellable *cancellable, GError **error)
{
  Session session = { .run = { .job = self,
                               .cancellable = g_cancellable_new (),
                               .sent = cli_media_sources_new (),
                               .received = cli_media_sources_new () } };
  gboolean good = FALSE;

  g_mutex_init (&session.lock);
  if (begin (&session, cancellable, error))
    {
      run_session (&session, cancellable);
      good = g_error_matches (session.error, ICS_ERROR, ICS_ERROR_CLOSED);
      if (!good)
        g_propagate_error (error, g_steal_pointer (&session.error));
    }
  session_clear (&session);
  return good;
}
