/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/ics-link-private.h"

#include "base/code.h"
#include "base/secret.h"
#include "base/turn-uri.h"
#include "session/channel-proxy.h"
#include "session/turn-ca.h"
#include "transport/ics-stream-private.h"
#include "transport/quic-conn.h"

char *
ics_code_get_nameplate (const char *code, GError **error)
{
  char *canonical = NULL, *nameplate = NULL;

  g_return_val_if_fail (code != NULL, NULL);
  if (ics_code_parse (code, &canonical, &nameplate, error))
    ics_secret_free (canonical);
  return nameplate;
}

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
    .nameplate = self->nameplate,
    .code = code,
    .application = self->application,
    .policy = self->policy,
    .family = self->family,
    .turn_uris = (const char *const *)self->turn_uris,
    .no_server_turn = self->no_server_turn,
    .no_port_mapping = self->no_port_mapping,
    .turn_ca = turn_ca,
    .no_port_search = self->no_port_search,
    .tally = self->tally,
    .timeout_ms = self->timeout_ms,
    .handshake_timeout_ms = self->handshake_timeout_ms,
  };

  self->thread = ics_link_thread_new (&config, self->context, G_OBJECT (self), ics_link_handle_event);
}

static gboolean
check_turn_uris (const char *const *uris, GError **error)
{
  for (guint i = 0; uris != NULL && uris[i] != NULL; i++)
    {
      g_autoptr (IcsTurnServer) server = ics_turn_server_parse (uris[i], error);

      if (server == NULL)
        return FALSE;
    }
  return TRUE;
}

static gboolean
check (IcsLink *self, const char *code, GTlsDatabase **turn_ca, char **canonical, GError **error)
{
  if (self->application != NULL && (self->server_uri != NULL || self->channel != NULL))
    return check_turn_uris ((const char *const *)self->turn_uris, error)
           && ics_turn_ca_load (self->turn_ca_file, turn_ca, error)
           && (code == NULL || ics_code_parse (code, canonical, NULL, error));
  g_set_error_literal (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
                       "a link needs a server (or a channel) and an application name");
  return FALSE;
}

static gboolean
tell_refused (gpointer link)
{
  IcsLink *self = link;

  g_signal_emit (self, ics_link_signals[ICS_LINK_SIGNAL_CLOSED], 0, self->close_error);
  return G_SOURCE_REMOVE;
}

/* Nothing was begun: the link has ended all the same, as it is told in every other case. Takes @error. */
static void
refuse (IcsLink *self, GTask *task, GError *error)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_atomic_int_set (&self->closed, TRUE);
  self->close_error = error;
  g_task_return_error (task, g_error_copy (error));
  ics_link_finish_accept (self);
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, tell_refused, g_object_ref (self), g_object_unref);
  g_source_attach (source, self->context);
}

void
ics_link_connect_async (IcsLink *self, const char *code, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (GTlsDatabase) turn_ca = NULL;
  GError *error = NULL;
  char *canonical = NULL;

  g_return_if_fail (ICS_IS_LINK (self));
  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, ics_link_connect_async);
  if (self->thread != NULL || g_atomic_int_get (&self->closed))
    {
      g_task_return_new_error (task, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT, "a link connects only once");
      return;
    }
  if (!check (self, code, &turn_ca, &canonical, &error))
    {
      refuse (self, task, error);
      return;
    }
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

static gboolean
on_accept_cancelled (GCancellable *cancellable, gpointer user_data)
{
  IcsLink *self = g_task_get_source_object (user_data);
  g_autoptr (GTask) task = g_steal_pointer (&self->accept_task);

  ics_link_unwatch_cancel (task);
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
  ics_link_watch_cancel (self, self->accept_task, on_accept_cancelled);
  ics_link_finish_accept (self);
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

static gboolean
on_close_cancelled (GCancellable *cancellable, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  IcsLink *self = g_task_get_source_object (task);

  g_queue_remove (&self->close_tasks, task);
  ics_link_unwatch_cancel (task);
  g_task_return_error_if_cancelled (task);
  return G_SOURCE_REMOVE;
}

void
ics_link_close_async (IcsLink *self, guint64 application_code, const char *reason, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (ICS_IS_LINK (self));
  g_return_if_fail (application_code <= ICS_QUIC_CODE_MAX);
  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, ics_link_close_async);
  g_task_set_check_cancellable (task, FALSE);
  if (self->thread == NULL || self->finished)
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  ics_link_watch_cancel (self, task, on_close_cancelled);
  g_queue_push_tail (&self->close_tasks, g_steal_pointer (&task));
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
ics_link_get_fingerprint (IcsLink *self)
{
  g_return_val_if_fail (ICS_IS_LINK (self), NULL);
  return self->fingerprint;
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

IcsStatistics *
ics_link_get_statistics (IcsLink *self)
{
  g_return_val_if_fail (ICS_IS_LINK (self), NULL);
  return ics_tally_get (self->tally, g_get_monotonic_time ());
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
