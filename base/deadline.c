/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/deadline.h"

struct _IcsDeadline
{
  GCancellable *cancellable; /* the timer, which may fire meanwhile, holds a reference of its own */
  GCancellable *parent;
  gulong handler;
  GSource *timer;
};

static gboolean
time_is_up (gpointer user_data)
{
  g_cancellable_cancel (user_data);
  return G_SOURCE_REMOVE;
}

static void
parent_cancelled (G_GNUC_UNUSED GCancellable *parent, gpointer user_data)
{
  g_cancellable_cancel (user_data);
}

IcsDeadline *
ics_deadline_new (GCancellable *parent, guint ms)
{
  IcsDeadline *self = g_new0 (IcsDeadline, 1);

  self->cancellable = g_cancellable_new ();
  self->timer = g_timeout_source_new (ms);
  g_source_set_callback (self->timer, time_is_up, g_object_ref (self->cancellable), g_object_unref);
  g_source_attach (self->timer, g_main_context_get_thread_default ());
  if (parent != NULL)
    {
      self->parent = g_object_ref (parent);
      self->handler = g_cancellable_connect (parent, G_CALLBACK (parent_cancelled),
                                             g_object_ref (self->cancellable), g_object_unref);
    }
  return self;
}

GCancellable *
ics_deadline_get_cancellable (IcsDeadline *self)
{
  return self->cancellable;
}

gboolean
ics_deadline_has_passed (IcsDeadline *self)
{
  return g_cancellable_is_cancelled (self->cancellable)
         && (self->parent == NULL || !g_cancellable_is_cancelled (self->parent));
}

void
ics_deadline_free (IcsDeadline *self)
{
  if (self->parent != NULL)
    g_cancellable_disconnect (self->parent, self->handler);
  g_clear_object (&self->parent);
  g_source_destroy (self->timer);
  g_source_unref (self->timer);
  g_object_unref (self->cancellable);
  g_free (self);
}
