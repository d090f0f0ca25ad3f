/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/ics-stream-private.h"
#include "transport/stream-source.h"

struct _IcsStream
{
  GIOStream parent_instance;
  IcsQuicStream *core;
  GInputStream *input;
  GOutputStream *output;
};

G_DEFINE_FINAL_TYPE (IcsStream, ics_stream, G_TYPE_IO_STREAM)

static GInputStream *
ics_stream_get_input_stream (GIOStream *stream)
{
  return ICS_STREAM (stream)->input;
}

static GOutputStream *
ics_stream_get_output_stream (GIOStream *stream)
{
  return ICS_STREAM (stream)->output;
}

static void
ics_stream_finalize (GObject *object)
{
  IcsStream *self = ICS_STREAM (object);

  g_clear_object (&self->input);
  g_clear_object (&self->output);
  g_clear_pointer (&self->core, ics_quic_stream_unref);
  G_OBJECT_CLASS (ics_stream_parent_class)->finalize (object);
}

static void
ics_stream_class_init (IcsStreamClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ics_stream_finalize;
  G_IO_STREAM_CLASS (klass)->get_input_stream = ics_stream_get_input_stream;
  G_IO_STREAM_CLASS (klass)->get_output_stream = ics_stream_get_output_stream;
}

static void
ics_stream_init (IcsStream *self)
{
}

IcsStream *
ics_stream_new (IcsQuicStream *core)
{
  IcsStream *self = g_object_new (ICS_TYPE_STREAM, NULL);

  self->core = ics_quic_stream_ref (core);
  self->input = ics_stream_input_new (core);
  self->output = ics_stream_output_new (core);
  return self;
}

guint64
ics_stream_get_id (IcsStream *self)
{
  g_return_val_if_fail (ICS_IS_STREAM (self) && self->core != NULL, G_MAXUINT64);
  return (guint64)ics_quic_stream_get_id (self->core);
}

void
ics_stream_reset (IcsStream *self, guint64 application_code)
{
  g_return_if_fail (ICS_IS_STREAM (self) && self->core != NULL);
  g_return_if_fail (application_code <= ICS_QUIC_CODE_MAX);
  ics_quic_stream_reset (self->core, application_code);
}

guint64
ics_stream_get_sent (IcsStream *self, IcsPathKind kind)
{
  g_return_val_if_fail (ICS_IS_STREAM (self) && self->core != NULL, 0);
  g_return_val_if_fail ((guint)kind < ICS_N_PATH_KINDS, 0);
  return ics_quic_stream_get_sent (self->core, kind);
}

guint64
ics_stream_get_received (IcsStream *self, IcsPathKind kind)
{
  g_return_val_if_fail (ICS_IS_STREAM (self) && self->core != NULL, 0);
  g_return_val_if_fail ((guint)kind < ICS_N_PATH_KINDS, 0);
  return ics_quic_stream_get_received (self->core, kind);
}

/* --- bytes without a copy --- */

gboolean
ics_stream_send_bytes (IcsStream *self, GBytes *bytes, GCancellable *cancellable, GError **error)
{
  gboolean taken;

  g_return_val_if_fail (ICS_IS_STREAM (self) && self->core != NULL && bytes != NULL, FALSE);
  if (!g_output_stream_set_pending (self->output, error))
    return FALSE;
  taken = ics_quic_stream_lend (self->core, bytes, TRUE, cancellable, error);
  g_output_stream_clear_pending (self->output);
  return taken;
}

static gboolean
try_to_send (gpointer user_data)
{
  GTask *task = user_data;
  IcsStream *self = g_task_get_source_object (task);
  GError *error = NULL;

  if (!g_cancellable_set_error_if_cancelled (g_task_get_cancellable (task), &error)
      && !ics_quic_stream_lend (self->core, g_task_get_task_data (task), FALSE, NULL, &error)
      && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    {
      g_error_free (error);
      return G_SOURCE_CONTINUE;
    }
  g_output_stream_clear_pending (self->output);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
  return G_SOURCE_REMOVE;
}

void
ics_stream_send_bytes_async (IcsStream *self, GBytes *bytes, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (GSource) source = NULL;
  GError *error = NULL;

  g_return_if_fail (ICS_IS_STREAM (self) && self->core != NULL && bytes != NULL);
  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, ics_stream_send_bytes_async);
  /* Whoever cancels when they were taken already has to learn that they were. */
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, g_bytes_ref (bytes), (GDestroyNotify)g_bytes_unref);
  if (!g_output_stream_set_pending (self->output, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  if (try_to_send (task) == G_SOURCE_REMOVE)
    return;
  source = ics_quic_stream_create_source (self->core, G_IO_OUT);
  ics_stream_source_add_cancellable (source, cancellable);
  g_task_attach_source (task, source, try_to_send);
}

gboolean
ics_stream_send_bytes_finish (IcsStream *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* --- what has arrived --- */

static gboolean
check_flushed (gpointer user_data)
{
  GTask *task = user_data;
  IcsStream *self = g_task_get_source_object (task);
  GError *error = NULL;

  if (ics_quic_stream_is_flushed (self->core, &error))
    g_task_return_boolean (task, TRUE);
  else if (error != NULL || g_cancellable_set_error_if_cancelled (g_task_get_cancellable (task), &error))
    g_task_return_error (task, error);
  else
    return G_SOURCE_CONTINUE;
  return G_SOURCE_REMOVE;
}

void
ics_stream_flush_acked_async (IcsStream *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (GSource) source = NULL;

  g_return_if_fail (ICS_IS_STREAM (self) && self->core != NULL);
  task = g_task_new (self, cancellable, callback, user_data);
  source = ics_quic_stream_create_source (self->core, G_IO_HUP);
  g_task_set_source_tag (task, ics_stream_flush_acked_async);
  ics_stream_source_add_cancellable (source, cancellable);
  g_task_attach_source (task, source, check_flushed);
}

gboolean
ics_stream_flush_acked_finish (IcsStream *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}
