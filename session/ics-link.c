/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/ics-link-private.h"

#include "base/code.h"
#include "base/secret.h"
#include "session/channel-proxy.h"
#include "session/record.h"
#include "session/turn-ca.h"
#include "transport/ics-stream-private.h"
#include "transport/quic-conn.h"

/* --- what the engine says --- */

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
drop_cancel (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
finish_accept (IcsLink *self)
{
  g_autoptr (GTask) task = NULL;

  if (self->accept_task == NULL || (g_queue_is_empty (&self->incoming) && !g_atomic_int_get (&self->closed)))
    return;
  task = g_steal_pointer (&self->accept_task);
  drop_cancel (&self->accept_cancel);
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
  self->peer_fingerprint = g_steal_pointer (&event->text);
  /* "path-changed" follows; who asks when connect finishes shall know it already. */
  self->path = g_steal_pointer (&event->path);
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
  finish_accept (self);
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
  finish_accept (self);
  g_signal_emit (self, ics_link_signals[ICS_LINK_SIGNAL_CLOSED], 0, self->close_error);
}

static void
on_finished (IcsLink *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->close_task);

  drop_cancel (&self->close_cancel);
  self->finished = TRUE;
  if (task != NULL)
    g_task_return_boolean (task, TRUE);
}

static void
handle_event (GObject *owner, IcsLinkEvent *event)
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

/* --- public functions --- */

IcsLink *
ics_link_new (const char *server_uri, const char *application)
{
  return g_object_new (ICS_TYPE_LINK, "server-uri", server_uri, "application", application, NULL);
}

static void
on_connect_cancelled (GCancellable *cancellable, gpointer user_data)
{
  ics_link_thread_close (user_data, 0, "cancelled");
}

static void
unref_thread (gpointer data)
{
  ics_link_thread_unref (data);
}

static void
start (IcsLink *self, const char *code, GTlsDatabase *turn_ca)
{
  g_autoptr (IcsChannel) proxy
      = self->channel != NULL ? ics_channel_proxy_new (self->channel, self->context) : NULL;
  IcsEngineConfig config = {
    .server_uri = self->server_uri,
    .channel = proxy,
    .code = code,
    .application = self->application,
    .policy = self->policy,
    .family = self->family,
    .turn_uris = (const char *const *)self->turn_uris,
    .no_server_turn = self->no_server_turn,
    .no_port_mapping = self->no_port_mapping,
    .turn_ca = turn_ca,
    .no_port_search = self->no_port_search,
    .timeout_ms = self->timeout_ms,
    .handshake_timeout_ms = self->handshake_timeout_ms,
  };

  self->thread = ics_link_thread_new (&config, self->context, G_OBJECT (self), handle_event);
}

void
ics_link_connect_async (IcsLink *self, const char *code, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  g_autoptr (GTlsDatabase) turn_ca = NULL;
  GError *error = NULL;
  char *canonical = NULL, *nameplate = NULL;

  g_task_set_source_tag (task, ics_link_connect_async);
  if (self->thread != NULL)
    {
      g_task_return_new_error (task, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT, "a link connects only once");
      return;
    }
  if ((self->server_uri == NULL && self->channel == NULL) || self->application == NULL)
    {
      g_task_return_new_error (task, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
                               "a link needs a server (or a channel) and an application name");
      return;
    }
  if (!ics_turn_ca_load (self->turn_ca_file, &turn_ca, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  if (code != NULL && !ics_code_parse (code, &canonical, &nameplate, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  g_free (nameplate);
  start (self, canonical, turn_ca);
  ics_secret_free (canonical);
  self->connect_task = g_steal_pointer (&task);
  if (cancellable != NULL)
    {
      IcsLinkThread *thread = ics_link_thread_ref (self->thread);

      self->cancel_handler
          = g_cancellable_connect (cancellable, G_CALLBACK (on_connect_cancelled), thread, unref_thread);
    }
}

gboolean
ics_link_connect_finish (IcsLink *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

IcsStream *
ics_link_open_stream (IcsLink *self, GError **error)
{
  IcsQuicStream *core;
  IcsStream *stream;

  g_return_val_if_fail (ICS_IS_LINK (self), NULL);
  if (self->hub == NULL || g_atomic_int_get (&self->closed))
    {
      g_set_error_literal (error, ICS_ERROR, ICS_ERROR_CLOSED,
                           self->hub == NULL ? "the link is not connected" : "the link is closed");
      return NULL;
    }
  core = ics_quic_stream_new (-1, self->hub);
  stream = ics_stream_new (core);
  ics_quic_stream_open (core);
  ics_quic_stream_unref (core);
  return stream;
}

/* Ends a wait early; what it waited for goes on. */
static GSource *
watch_cancel (IcsLink *self, GCancellable *cancellable, GCancellableSourceFunc on_cancelled)
{
  GSource *source;

  if (cancellable == NULL)
    return NULL;
  source = g_cancellable_source_new (cancellable);
  g_source_set_callback (source, G_SOURCE_FUNC (on_cancelled), self, NULL);
  g_source_attach (source, self->context);
  return source;
}

static gboolean
on_accept_cancelled (GCancellable *cancellable, gpointer user_data)
{
  IcsLink *self = user_data;
  g_autoptr (GTask) task = g_steal_pointer (&self->accept_task);

  drop_cancel (&self->accept_cancel);
  g_task_return_error_if_cancelled (task);
  return G_SOURCE_REMOVE;
}

static gboolean
on_close_cancelled (GCancellable *cancellable, gpointer user_data)
{
  IcsLink *self = user_data;
  g_autoptr (GTask) task = g_steal_pointer (&self->close_task);

  drop_cancel (&self->close_cancel);
  g_task_return_error_if_cancelled (task);
  return G_SOURCE_REMOVE;
}

void
ics_link_accept_stream_async (IcsLink *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, ics_link_accept_stream_async);
  g_task_set_check_cancellable (task, FALSE);
  if (self->accept_task != NULL)
    {
      g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_PENDING, "an accept is under way");
      return;
    }
  self->accept_task = g_steal_pointer (&task);
  self->accept_cancel = watch_cancel (self, cancellable, on_accept_cancelled);
  finish_accept (self);
}

IcsStream *
ics_link_accept_stream_finish (IcsLink *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

gboolean
ics_link_send_datagram (IcsLink *self, GBytes *payload)
{
  g_return_val_if_fail (ICS_IS_LINK (self), FALSE);
  g_return_val_if_fail (payload != NULL, FALSE);
  if (self->hub == NULL || g_atomic_int_get (&self->closed)
      || g_bytes_get_size (payload) > ICS_QUIC_MAX_DATAGRAM)
    return FALSE;
  return ics_link_thread_send_datagram (self->thread, payload);
}

gsize
ics_link_get_max_datagram (IcsLink *self)
{
  g_return_val_if_fail (ICS_IS_LINK (self), 0);
  return ICS_QUIC_MAX_DATAGRAM;
}

void
ics_link_close_async (IcsLink *self, guint64 application_code, const char *reason, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, ics_link_close_async);
  g_task_set_check_cancellable (task, FALSE);
  if (self->thread == NULL || self->finished)
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  if (self->close_task != NULL)
    {
      g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_PENDING, "a close is under way");
      return;
    }
  self->close_task = g_steal_pointer (&task);
  self->close_cancel = watch_cancel (self, cancellable, on_close_cancelled);
  ics_link_thread_close (self->thread, application_code, reason != NULL ? reason : "");
}

gboolean
ics_link_close_finish (IcsLink *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

const char *
ics_link_get_code (IcsLink *self)
{
  g_return_val_if_fail (ICS_IS_LINK (self), NULL);
  return self->code;
}

const char *
ics_link_get_peer_fingerprint (IcsLink *self)
{
  g_return_val_if_fail (ICS_IS_LINK (self), NULL);
  return self->peer_fingerprint;
}

IcsPathInfo *
ics_link_get_path (IcsLink *self)
{
  g_return_val_if_fail (ICS_IS_LINK (self), NULL);
  return self->path != NULL ? ics_path_info_ref (self->path) : NULL;
}

IcsPathPolicy
ics_link_get_policy (IcsLink *self)
{
  g_return_val_if_fail (ICS_IS_LINK (self), ICS_PATH_POLICY_AUTO);
  return self->policy;
}

void
ics_link_set_policy (IcsLink *self, IcsPathPolicy policy)
{
  g_return_if_fail (ICS_IS_LINK (self));
  g_return_if_fail ((guint)policy <= ICS_PATH_POLICY_LAN);
  if (self->policy == policy)
    return;
  self->policy = policy;
  if (self->thread != NULL)
    ics_link_thread_set_policy (self->thread, policy);
  g_object_notify (G_OBJECT (self), "policy");
}

const char *
ics_link_get_why_not_direct (IcsLink *self)
{
  g_return_val_if_fail (ICS_IS_LINK (self), NULL);
  return self->why_not_direct;
}

char **
ics_link_get_record (IcsLink *self)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (GList *l = self->record.head; l != NULL; l = l->next)
    g_strv_builder_add (builder, l->data);
  return g_strv_builder_end (builder);
}
