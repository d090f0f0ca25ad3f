/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/ics-link-private.h"

#include "session/record.h"
#include "transport/ics-stream-private.h"

/* What the engine says, on the link's context. */

static void
finish_connect (IcsLink *self, GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->connect_task);

  if (task == NULL)
    {
      g_clear_error (&error);
      return;
    }
  if (self->cancel_handler != 0)
    g_cancellable_disconnect (g_task_get_cancellable (task), self->cancel_handler);
  self->cancel_handler = 0;
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
}

static void
drop_source (gpointer data)
{
  GSource *source = data;

  g_source_destroy (source);
  g_source_unref (source);
}

void
ics_link_watch_cancel (IcsLink *self, GTask *task, GCancellableSourceFunc on_cancelled)
{
  GSource *source;

  if (g_task_get_cancellable (task) == NULL)
    return;
  source = g_cancellable_source_new (g_task_get_cancellable (task));
  g_source_set_callback (source, G_SOURCE_FUNC (on_cancelled), task, NULL);
  g_source_attach (source, self->context);
  g_task_set_task_data (task, source, drop_source);
}

void
ics_link_unwatch_cancel (GTask *task)
{
  g_task_set_task_data (task, NULL, NULL);
}

void
ics_link_finish_accept (IcsLink *self)
{
  g_autoptr (GTask) task = NULL;

  if (self->accept_task == NULL || (g_queue_is_empty (&self->incoming) && !g_atomic_int_get (&self->closed)))
    return;
  task = g_steal_pointer (&self->accept_task);
  ics_link_unwatch_cancel (task);
  if (!g_queue_is_empty (&self->incoming))
    {
      ics_link_thread_stream_taken (self->thread);
      g_task_return_pointer (task, g_queue_pop_head (&self->incoming), g_object_unref);
    }
  else if (self->close_error != NULL)
    g_task_return_error (task, g_error_copy (self->close_error));
  else
    g_task_return_pointer (task, NULL, NULL);
}

static void
on_connected (IcsLink *self, IcsLinkEvent *event)
{
  self->hub = g_steal_pointer (&event->hub);
  self->fingerprint = g_steal_pointer (&event->own);
  self->peer_fingerprint = g_steal_pointer (&event->text);
  /* "path-changed" follows; who asks when connect finishes shall know it already. */
  self->path = g_steal_pointer (&event->path);
  g_object_notify (G_OBJECT (self), "fingerprint");
  g_object_notify (G_OBJECT (self), "peer-fingerprint");
  finish_connect (self, NULL);
}

static void
on_stream (IcsLink *self, IcsQuicStream *core)
{
  g_autoptr (IcsStream) stream = ics_stream_new (core);

  if (self->accept_task == NULL
      && g_signal_has_handler_pending (self, ics_link_signals[ICS_LINK_SIGNAL_INCOMING_STREAM], 0, TRUE))
    {
      ics_link_thread_stream_taken (self->thread);
      g_signal_emit (self, ics_link_signals[ICS_LINK_SIGNAL_INCOMING_STREAM], 0, stream);
      return;
    }
  g_queue_push_tail (&self->incoming, g_steal_pointer (&stream));
  ics_link_finish_accept (self);
}

static void
on_path (IcsLink *self, IcsPathInfo *path)
{
  g_clear_pointer (&self->path, ics_path_info_unref);
  self->path = ics_path_info_ref (path);
  g_object_notify (G_OBJECT (self), "path");
  g_signal_emit (self, ics_link_signals[ICS_LINK_SIGNAL_PATH_CHANGED], 0, path);
}

static void
on_record (IcsLink *self, IcsLinkEvent *event)
{
  const char *line = event->text;

  g_queue_push_tail (&self->record, g_steal_pointer (&event->text));
  if (g_queue_get_length (&self->record) > ICS_RECORD_MAX_LINES)
    g_free (g_queue_pop_head (&self->record));
  g_signal_emit (self, ics_link_signals[ICS_LINK_SIGNAL_RECORD], 0, line);
}

static void
on_closed (IcsLink *self, IcsLinkEvent *event)
{
  g_atomic_int_set (&self->closed, TRUE);
  self->close_error = g_steal_pointer (&event->error);
  finish_connect (self, self->close_error != NULL
                            ? g_error_copy (self->close_error)
                            : g_error_new_literal (ICS_ERROR, ICS_ERROR_CLOSED, "the link was closed"));
  ics_link_finish_accept (self);
  g_signal_emit (self, ics_link_signals[ICS_LINK_SIGNAL_CLOSED], 0, self->close_error);
}

static void
on_finished (IcsLink *self)
{
  GTask *task;

  self->finished = TRUE;
  /* An application's channel that knows its link would keep it, and is kept by it. */
  g_clear_object (&self->channel);
  while ((task = g_queue_pop_head (&self->close_tasks)) != NULL)
    {
      ics_link_unwatch_cancel (task);
      g_task_return_boolean (task, TRUE);
      g_object_unref (task);
    }
}

void
ics_link_handle_event (GObject *owner, IcsLinkEvent *event)
{
  IcsLink *self = ICS_LINK (owner);

  switch (event->type)
    {
    case ICS_LINK_EVENT_CODE:
      self->code = g_steal_pointer (&event->text);
      g_object_notify (G_OBJECT (self), "code");
      g_signal_emit (self, ics_link_signals[ICS_LINK_SIGNAL_CODE], 0, self->code);
      break;
    case ICS_LINK_EVENT_CONNECTED:
      on_connected (self, event);
      break;
    case ICS_LINK_EVENT_PATH:
      on_path (self, event->path);
      break;
    case ICS_LINK_EVENT_STALL:
      g_signal_emit (self, ics_link_signals[ICS_LINK_SIGNAL_STALL], 0, event->ms);
      break;
    case ICS_LINK_EVENT_WHY:
      g_free (self->why_not_direct);
      self->why_not_direct = g_steal_pointer (&event->text);
      g_object_notify (G_OBJECT (self), "why-not-direct");
      break;
    case ICS_LINK_EVENT_STREAM:
      on_stream (self, event->stream);
      break;
    case ICS_LINK_EVENT_DATAGRAM:
      g_signal_emit (self, ics_link_signals[ICS_LINK_SIGNAL_DATAGRAM], 0, event->bytes);
      break;
    case ICS_LINK_EVENT_RECORD:
      on_record (self, event);
      break;
    case ICS_LINK_EVENT_CLOSED:
      on_closed (self, event);
      break;
    case ICS_LINK_EVENT_FINISHED:
      on_finished (self);
      break;
    }
}
