/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/ics-link.h"

#include "base/code.h"
#include "base/secret.h"
#include "session/channel-proxy.h"
#include "session/link-thread.h"
#include "session/record.h"
#include "transport/ics-stream-private.h"
#include "transport/quic-conn.h"

struct _IcsLink
{
  GObject parent_instance;

  char *server_uri;
  char *application;
  IcsChannel *channel;
  IcsPathPolicy policy;
  int family;
  char **turn_uris;
  gboolean no_server_turn;
  guint timeout_ms, handshake_timeout_ms;

  IcsLinkThread *thread;
  IcsStreamHub *hub; /* set once, when connected */
  char *code;
  char *peer_fingerprint;
  IcsPathInfo *path;
  GQueue record; /* char *, bounded */
  GTask *connect_task;
  gulong cancel_handler; /* on the cancellable of connect_task */
  GTask *close_task;
  GTask *accept_task;
  GQueue incoming; /* IcsStream nobody took yet */
  gint closed;     /* atomic: streams are opened from any thread */
  gboolean finished;
  GError *close_error;
};

typedef enum
{
  PROP_SERVER_URI = 1,
  PROP_CHANNEL,
  PROP_APPLICATION,
  PROP_POLICY,
  PROP_FAMILY,
  PROP_TURN_URIS,
  PROP_NO_SERVER_TURN,
  PROP_TIMEOUT_MS,
  PROP_HANDSHAKE_TIMEOUT_MS,
  PROP_CODE,
  PROP_PEER_FINGERPRINT,
  PROP_PATH,
  N_PROPS
} Property;

enum
{
  SIGNAL_CODE,
  SIGNAL_PATH_CHANGED,
  SIGNAL_STALL,
  SIGNAL_INCOMING_STREAM,
  SIGNAL_DATAGRAM,
  SIGNAL_RECORD,
  SIGNAL_CLOSED,
  N_SIGNALS
};

static GParamSpec *props[N_PROPS];
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (IcsLink, ics_link, G_TYPE_OBJECT)

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
finish_accept (IcsLink *self)
{
  g_autoptr (GTask) task = NULL;

  if (self->accept_task == NULL || (g_queue_is_empty (&self->incoming) && !g_atomic_int_get (&self->closed)))
    return;
  task = g_steal_pointer (&self->accept_task);
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
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_PEER_FINGERPRINT]);
  finish_connect (self, NULL);
}

static void
on_stream (IcsLink *self, IcsQuicStream *core)
{
  g_autoptr (IcsStream) stream = ics_stream_new (core);

  if (self->accept_task == NULL
      && g_signal_has_handler_pending (self, signals[SIGNAL_INCOMING_STREAM], 0, TRUE))
    {
      ics_link_thread_stream_taken (self->thread);
      g_signal_emit (self, signals[SIGNAL_INCOMING_STREAM], 0, stream);
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
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_PATH]);
  g_signal_emit (self, signals[SIGNAL_PATH_CHANGED], 0, path);
}

static void
on_record (IcsLink *self, IcsLinkEvent *event)
{
  const char *line = event->text;

  g_queue_push_tail (&self->record, g_steal_pointer (&event->text));
  if (g_queue_get_length (&self->record) > ICS_RECORD_MAX_LINES)
    g_free (g_queue_pop_head (&self->record));
  g_signal_emit (self, signals[SIGNAL_RECORD], 0, line);
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
  g_signal_emit (self, signals[SIGNAL_CLOSED], 0, self->close_error);
}

static void
on_finished (IcsLink *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->close_task);

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
      g_signal_emit (self, signals[SIGNAL_CODE], 0, self->code);
      break;
    case ICS_LINK_EVENT_CONNECTED:
      on_connected (self, event);
      break;
    case ICS_LINK_EVENT_PATH:
      on_path (self, event->path);
      break;
    case ICS_LINK_EVENT_STALL:
      g_signal_emit (self, signals[SIGNAL_STALL], 0, event->ms);
      break;
    case ICS_LINK_EVENT_STREAM:
      on_stream (self, event->stream);
      break;
    case ICS_LINK_EVENT_DATAGRAM:
      g_signal_emit (self, signals[SIGNAL_DATAGRAM], 0, event->bytes);
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
start (IcsLink *self, const char *code)
{
  g_autoptr (IcsChannel) proxy = self->channel != NULL ? ics_channel_proxy_new (self->channel) : NULL;
  IcsEngineConfig config = {
    .server_uri = self->server_uri,
    .channel = proxy,
    .code = code,
    .application = self->application,
    .policy = self->policy,
    .family = self->family,
    .turn_uris = (const char *const *)self->turn_uris,
    .no_server_turn = self->no_server_turn,
    .timeout_ms = self->timeout_ms,
    .handshake_timeout_ms = self->handshake_timeout_ms,
  };

  self->thread = ics_link_thread_new (&config, G_OBJECT (self), handle_event);
}

void
ics_link_connect_async (IcsLink *self, const char *code, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
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
  if (code != NULL && !ics_code_parse (code, &canonical, &nameplate, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  g_free (nameplate);
  start (self, canonical);
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

void
ics_link_accept_stream_async (IcsLink *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, ics_link_accept_stream_async);
  if (self->accept_task != NULL)
    {
      g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_PENDING, "an accept is under way");
      return;
    }
  self->accept_task = g_steal_pointer (&task);
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
  if (self->hub == NULL || g_atomic_int_get (&self->closed)
      || g_bytes_get_size (payload) > ICS_QUIC_MAX_DATAGRAM)
    return FALSE;
  return ics_link_thread_send_datagram (self->thread, payload);
}

gsize
ics_link_get_max_datagram (IcsLink *self)
{
  return ICS_QUIC_MAX_DATAGRAM;
}

void
ics_link_close_async (IcsLink *self, guint64 application_code, const char *reason, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, ics_link_close_async);
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
  return self->code;
}

const char *
ics_link_get_peer_fingerprint (IcsLink *self)
{
  return self->peer_fingerprint;
}

IcsPathInfo *
ics_link_get_path (IcsLink *self)
{
  return self->path != NULL ? ics_path_info_ref (self->path) : NULL;
}

char **
ics_link_get_record (IcsLink *self)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (GList *l = self->record.head; l != NULL; l = l->next)
    g_strv_builder_add (builder, l->data);
  return g_strv_builder_end (builder);
}

/* --- GObject --- */

static void
ics_link_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  IcsLink *self = ICS_LINK (object);

  g_return_if_fail (self->thread == NULL || id == PROP_POLICY);
  switch ((Property)id)
    {
    case PROP_SERVER_URI:
      g_free (self->server_uri);
      self->server_uri = g_value_dup_string (value);
      break;
    case PROP_CHANNEL:
      g_clear_object (&self->channel);
      self->channel = g_value_dup_object (value);
      break;
    case PROP_APPLICATION:
      g_free (self->application);
      self->application = g_value_dup_string (value);
      break;
    case PROP_POLICY:
      self->policy = (IcsPathPolicy)g_value_get_uint (value);
      if (self->thread != NULL)
        ics_link_thread_set_policy (self->thread, self->policy);
      break;
    case PROP_FAMILY:
      self->family = g_value_get_int (value);
      break;
    case PROP_TURN_URIS:
      g_strfreev (self->turn_uris);
      self->turn_uris = g_value_dup_boxed (value);
      break;
    case PROP_NO_SERVER_TURN:
      self->no_server_turn = g_value_get_boolean (value);
      break;
    case PROP_TIMEOUT_MS:
      self->timeout_ms = g_value_get_uint (value);
      break;
    case PROP_HANDSHAKE_TIMEOUT_MS:
      self->handshake_timeout_ms = g_value_get_uint (value);
      break;
    case PROP_CODE:
    case PROP_PEER_FINGERPRINT:
    case PROP_PATH:
    case N_PROPS:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
    }
}

static void
ics_link_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  IcsLink *self = ICS_LINK (object);

  switch ((Property)id)
    {
    case PROP_SERVER_URI:
      g_value_set_string (value, self->server_uri);
      break;
    case PROP_CHANNEL:
      g_value_set_object (value, self->channel);
      break;
    case PROP_APPLICATION:
      g_value_set_string (value, self->application);
      break;
    case PROP_POLICY:
      g_value_set_uint (value, self->policy);
      break;
    case PROP_FAMILY:
      g_value_set_int (value, self->family);
      break;
    case PROP_TURN_URIS:
      g_value_set_boxed (value, self->turn_uris);
      break;
    case PROP_NO_SERVER_TURN:
      g_value_set_boolean (value, self->no_server_turn);
      break;
    case PROP_TIMEOUT_MS:
      g_value_set_uint (value, self->timeout_ms);
      break;
    case PROP_HANDSHAKE_TIMEOUT_MS:
      g_value_set_uint (value, self->handshake_timeout_ms);
      break;
    case PROP_CODE:
      g_value_set_string (value, self->code);
      break;
    case PROP_PEER_FINGERPRINT:
      g_value_set_string (value, self->peer_fingerprint);
      break;
    case PROP_PATH:
      g_value_set_boxed (value, self->path);
      break;
    case N_PROPS:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
    }
}

static void
ics_link_finalize (GObject *object)
{
  IcsLink *self = ICS_LINK (object);

  if (self->thread != NULL && !self->finished)
    ics_link_thread_close (self->thread, 0, "");
  g_clear_pointer (&self->thread, ics_link_thread_unref);
  g_clear_pointer (&self->hub, ics_stream_hub_unref);
  g_clear_pointer (&self->path, ics_path_info_unref);
  g_queue_clear_full (&self->record, g_free);
  g_queue_clear_full (&self->incoming, g_object_unref);
  g_clear_object (&self->channel);
  g_clear_error (&self->close_error);
  g_strfreev (self->turn_uris);
  g_free (self->server_uri);
  g_free (self->application);
  ics_secret_free (self->code);
  g_free (self->peer_fingerprint);
  G_OBJECT_CLASS (ics_link_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags settable = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
  const GParamFlags readable = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  props[PROP_SERVER_URI] = g_param_spec_string ("server-uri", NULL, NULL, NULL, settable);
  props[PROP_CHANNEL] = g_param_spec_object ("channel", NULL, NULL, ICS_TYPE_CHANNEL, settable);
  props[PROP_APPLICATION] = g_param_spec_string ("application", NULL, NULL, NULL, settable);
  props[PROP_POLICY]
      = g_param_spec_uint ("policy", NULL, NULL, 0, ICS_PATH_POLICY_LAN, ICS_PATH_POLICY_AUTO, settable);
  props[PROP_FAMILY] = g_param_spec_int ("family", NULL, NULL, 0, 6, 0, settable);
  props[PROP_TURN_URIS] = g_param_spec_boxed ("turn-uris", NULL, NULL, G_TYPE_STRV, settable);
  props[PROP_NO_SERVER_TURN] = g_param_spec_boolean ("no-server-turn", NULL, NULL, FALSE, settable);
  props[PROP_TIMEOUT_MS] = g_param_spec_uint ("timeout-ms", NULL, NULL, 0, G_MAXUINT, 0, settable);
  props[PROP_HANDSHAKE_TIMEOUT_MS]
      = g_param_spec_uint ("handshake-timeout-ms", NULL, NULL, 0, G_MAXUINT, 0, settable);
  props[PROP_CODE] = g_param_spec_string ("code", NULL, NULL, NULL, readable);
  props[PROP_PEER_FINGERPRINT] = g_param_spec_string ("peer-fingerprint", NULL, NULL, NULL, readable);
  props[PROP_PATH] = g_param_spec_boxed ("path", NULL, NULL, ICS_TYPE_PATH_INFO, readable);
  g_object_class_install_properties (klass, N_PROPS, props);
}

static guint
new_signal (const char *name, GType type)
{
  return g_signal_new (name, ICS_TYPE_LINK, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, type);
}

static void
ics_link_class_init (IcsLinkClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = ics_link_set_property;
  object_class->get_property = ics_link_get_property;
  object_class->finalize = ics_link_finalize;
  install_properties (object_class);
  signals[SIGNAL_CODE] = new_signal ("code", G_TYPE_STRING);
  signals[SIGNAL_PATH_CHANGED] = new_signal ("path-changed", ICS_TYPE_PATH_INFO);
  signals[SIGNAL_STALL] = new_signal ("stall", G_TYPE_UINT);
  signals[SIGNAL_INCOMING_STREAM] = new_signal ("incoming-stream", ICS_TYPE_STREAM);
  signals[SIGNAL_DATAGRAM] = new_signal ("datagram", G_TYPE_BYTES);
  signals[SIGNAL_RECORD] = new_signal ("record", G_TYPE_STRING);
  signals[SIGNAL_CLOSED] = new_signal ("closed", G_TYPE_ERROR);
}

static void
ics_link_init (IcsLink *self)
{
}
