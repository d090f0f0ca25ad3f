/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/stream-source.h"

#include "transport/quic-stream.h"

typedef struct
{
  GSource base;
  IcsQuicStream *stream;
  GIOCondition condition;
  GMutex *lock;
  IcsStreamWaiters *waiters;
  GMainContext *context;
} StreamSource;

void
ics_stream_waiters_init (IcsStreamWaiters *self)
{
  g_queue_init (&self->contexts);
}

void
ics_stream_waiters_clear (IcsStreamWaiters *self)
{
  g_queue_clear_full (&self->contexts, (GDestroyNotify)g_main_context_unref);
}

void
ics_stream_waiters_wake (IcsStreamWaiters *self)
{
  for (GList *l = self->contexts.head; l != NULL; l = l->next)
    g_main_context_wakeup (l->data);
}

/* Registered before the first look, so that no change between the look and the poll is missed. */
static void
register_context (StreamSource *self)
{
  if (self->context != NULL)
    return;
  self->context = g_main_context_ref (g_source_get_context (&self->base));
  g_mutex_lock (self->lock);
  g_queue_push_tail (&self->waiters->contexts, g_main_context_ref (self->context));
  g_mutex_unlock (self->lock);
}

static gboolean
source_prepare (GSource *source, gint *timeout)
{
  StreamSource *self = (StreamSource *)source;

  *timeout = -1;
  register_context (self);
  return ics_quic_stream_is_ready (self->stream, self->condition);
}

static gboolean
source_check (GSource *source)
{
  StreamSource *self = (StreamSource *)source;

  return ics_quic_stream_is_ready (self->stream, self->condition);
}

static gboolean
source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback != NULL ? callback (user_data) : G_SOURCE_REMOVE;
}

static void
source_finalize (GSource *source)
{
  StreamSource *self = (StreamSource *)source;

  if (self->context != NULL)
    {
      g_mutex_lock (self->lock);
      g_queue_remove (&self->waiters->contexts, self->context);
      g_mutex_unlock (self->lock);
      /* one reference was the queue's, one this source's */
      g_main_context_unref (self->context);
      g_main_context_unref (self->context);
    }
  ics_quic_stream_unref (self->stream);
}

static GSourceFuncs source_funcs = {
  .prepare = source_prepare,
  .check = source_check,
  .dispatch = source_dispatch,
  .finalize = source_finalize,
};

/* A child of a pollable source needs a callback, whatever it does. */
static gboolean
stay (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

GSource *
ics_stream_source_new (IcsQuicStream *stream, GIOCondition condition, GMutex *lock, IcsStreamWaiters *waiters)
{
  GSource *source = g_source_new (&source_funcs, sizeof (StreamSource));
  StreamSource *self = (StreamSource *)source;

  self->stream = ics_quic_stream_ref (stream);
  self->condition = condition;
  self->lock = lock;
  self->waiters = waiters;
  g_source_set_callback (source, stay, NULL, NULL);
  g_source_set_static_name (source, "ice-session stream");
  return source;
}

void
ics_stream_source_add_cancellable (GSource *source, GCancellable *cancellable)
{
  g_autoptr (GSource) child = NULL;

  if (cancellable == NULL)
    return;
  child = g_cancellable_source_new (cancellable);
  g_source_set_dummy_callback (child);
  g_source_add_child_source (source, child);
}
