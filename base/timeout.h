/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A time-out on the thread-default context. (transfer full) */
static inline GSource *
ics_timeout_new (guint ms, GSourceFunc callback, gpointer user_data)
{
  GSource *source = g_timeout_source_new (ms);

  g_source_set_callback (source, callback, user_data, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  return source;
}

/* Ends a source, if there is one. */
static inline void
ics_timeout_clear (GSource **source)
{
  if (*source != NULL)
    g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static inline gboolean
ics_timer_dispatch (G_GNUC_UNUSED GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

/* One that goes off when ics_timer_set() says, as often as it says. (transfer full) */
static inline GSource *
ics_timer_new (GMainContext *context, GSourceFunc callback, gpointer user_data)
{
  static GSourceFuncs funcs = { .dispatch = ics_timer_dispatch };
  GSource *source = g_source_new (&funcs, sizeof (GSource));

  g_source_set_callback (source, callback, user_data, NULL);
  g_source_attach (source, context);
  return source;
}

/* @at: monotonic µs; G_MAXINT64 = never. */
static inline void
ics_timer_set (GSource *timer, gint64 at)
{
  g_source_set_ready_time (timer, at == G_MAXINT64 ? -1 : at);
}

G_END_DECLS
