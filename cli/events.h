/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* The event stream: one JSON object a line, on one descriptor or two. Lines are written by a thread, so that
 * a slow reader delays nobody; while it lags, "progress" lines are dropped first, and a reader more than a
 * fixed number of lines behind is given up. */
typedef struct _CliEvents CliEvents;

/* Called once, on the default main context, when a reader is lost. */
typedef void (*CliEventsLost) (const GError *error, gpointer user_data);

CliEvents *cli_events_new (gint64 start_us);
/* Adds a descriptor, which stays the caller's. At most two. */
void cli_events_add_fd (CliEvents *self, int fd);
void cli_events_set_lost (CliEvents *self, CliEventsLost lost, gpointer user_data);

/* A new object with "v" and "type". (transfer full) */
JsonObject *cli_event_new (const char *type);
/* Adds "at_ms" and queues the line. (transfer full) @event. */
void cli_events_emit (CliEvents *self, JsonObject *event);

/* Waits until everything is written. FALSE when a reader was lost. */
gboolean cli_events_flush (CliEvents *self, GError **error);
void cli_events_free (CliEvents *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliEvents, cli_events_free)

G_END_DECLS
