/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/deadline.h"

struct _CliDeadline
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
parent_cancelled (GCancellable *parent, gpointer user_data)
{
  g_cancellable_cancel (user_data);
}

CliDeadline *
cli_deadline_new (GCancellable *parent, guint ms)
{
  CliDeadline *self = g_new0 (CliDeadline, 1);

  self->cancellable = g_cancellable_new ();
  self->timer = g_timeout_source_new (ms);
  g_source_set_callback (self->timer, time_is_up, g_object_ref (self->cancellable), g_object_unref);
  g_source_attach (self->timer, NULL);
  if (parent != NULL)
    {
      self->parent = g_object_ref (parent);
      self->handler = g_cancellable_connect (parent, G_CALLBACK (parent_cancelled),
                                             g_object_ref (self->cancellable), g_object_unref);
    }
  return self;
}

GCancellable *
cli_deadline_get_cancellable (CliDeadline *self)
{
  return self->cancellable;
}

void
cli_deadline_free (CliDeadline *self)
{
  if (self->parent != NULL)
    g_cancellable_disconnect (self->parent, self->handler);
  g_clear_object (&self->parent);
  g_source_destroy (self->timer);
  g_source_unref (self->timer);
  g_object_unref (self->cancellable);
  g_free (self);
}
