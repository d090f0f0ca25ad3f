/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/events.h"
#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#define MAX_FDS 2
#define QUEUE_PROGRESS_MAX 16
#define QUEUE_MAX 1000

struct _CliEvents
{
  gint64 start_us;
  int fds[MAX_FDS];
  guint n_fds;
  GThread *writer;

  GMutex lock;
  GCond changed;
  GQueue lines; /* of char * */
  gboolean ending;
  GError *error; /* the reader was lost */
  CliEventsLost lost;
  gpointer lost_data;
  guint lost_source;
};

CliEvents *
cli_events_new (gint64 start_us)
{
  CliEvents *self = g_new0 (CliEvents, 1);

  self->start_us = start_us;
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  g_queue_init (&self->lines);
  return self;
}

void
cli_events_add_fd (CliEvents *self, int fd)
{
  g_return_if_fail (self->n_fds < MAX_FDS && self->writer == NULL);
  self->fds[self->n_fds++] = fd;
}

void
cli_events_set_lost (CliEvents *self, CliEventsLost lost, gpointer user_data)
{
  g_mutex_lock (&self->lock);
  self->lost = lost;
  self->lost_data = user_data;
  g_mutex_unlock (&self->lock);
}

static gboolean
tell_lost (gpointer user_data)
{
  CliEvents *self = user_data;
  CliEventsLost lost;
  gpointer lost_data;

  /* The writer's thread may not have stored the id yet: it does so under the lock. */
  g_mutex_lock (&self->lock);
  self->lost_source = 0;
  lost = self->lost;
  lost_data = self->lost_data;
  g_mutex_unlock (&self->lock);
  if (lost != NULL)
    lost (self->error, lost_data);
  return G_SOURCE_REMOVE;
}

/* Called with the lock held. */
static void
lose (CliEvents *self, int errsv)
{
  if (self->error != NULL)
    return;
  self->error = g_error_new (G_IO_ERROR, g_io_error_from_errno (errsv),
                             "the reader of the events is lost: %s", g_strerror (errsv));
  g_queue_clear_full (&self->lines, g_free);
  self->lost_source = g_idle_add (tell_lost, self);
}

static int
write_fully (int fd, const char *line, gsize length)
{
  while (length > 0)
    {
      ssize_t n = write (fd, line, length);
      GPollFD wait = { .fd = fd, .events = G_IO_OUT };

      if (n < 0 && errno == EAGAIN)
        g_poll (&wait, 1, -1);
      else if (n < 0 && errno != EINTR)
        return errno;
      line += MAX (n, 0);
      length -= (gsize)MAX (n, 0);
    }
  return 0;
}

static char *
next_line (CliEvents *self)
{
  char *line;

  g_mutex_lock (&self->lock);
  while (g_queue_is_empty (&self->lines) && !self->ending)
    g_cond_wait (&self->changed, &self->lock);
  line = g_queue_pop_head (&self->lines);
  g_mutex_unlock (&self->lock);
  return line;
}

static gpointer
write_lines (gpointer user_data)
{
  CliEvents *self = user_data;

  for (char *line = next_line (self); line != NULL; line = next_line (self))
    {
      int errsv = 0;

      for (guint i = 0; i < self->n_fds && errsv == 0; i++)
        errsv = write_fully (self->fds[i], line, strlen (line));
      g_free (line);
      g_mutex_lock (&self->lock);
      if (errsv != 0)
        lose (self, errsv);
      g_mutex_unlock (&self->lock);
    }
  return NULL;
}

JsonObject *
cli_event_new (const char *type)
{
  JsonObject *event = json_object_new ();

  json_object_set_int_member (event, "v", 1);
  json_object_set_string_member (event, "type", type);
  return event;
}

static char *
to_line (JsonObject *event)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL;

  json_node_set_object (node, event);
  text = json_to_string (node, FALSE);
  return g_strconcat (text, "\n", NULL);
}

static void
queue_line (CliEvents *self, char *line, gboolean droppable)
{
  guint queued = g_queue_get_length (&self->lines);

  if (self->writer == NULL)
    self->writer = g_thread_new ("events", write_lines, self);
  if (queued >= QUEUE_MAX)
    lose (self, ETIMEDOUT);
  if (self->error != NULL || (droppable && queued >= QUEUE_PROGRESS_MAX))
    g_free (line);
  else
    g_queue_push_tail (&self->lines, line);
  g_cond_signal (&self->changed);
}

void
cli_events_emit (CliEvents *self, JsonObject *event)
{
  gint64 now = g_get_monotonic_time ();
  gboolean droppable = g_strcmp0 (json_object_get_string_member (event, "type"), "progress") == 0;

  json_object_set_int_member (event, "at_ms", (now - self->start_us) / 1000);
  if (self->n_fds > 0)
    {
      g_mutex_lock (&self->lock);
      queue_line (self, to_line (event), droppable);
      g_mutex_unlock (&self->lock);
    }
  json_object_unref (event);
}

gboolean
cli_events_flush (CliEvents *self, GError **error)
{
  g_mutex_lock (&self->lock);
  self->ending = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&self->writer, g_thread_join);
  self->ending = FALSE;
  if (self->error != NULL && error != NULL)
    *error = g_error_copy (self->error);
  return self->error == NULL;
}

void
cli_events_free (CliEvents *self)
{
  cli_events_flush (self, NULL);
  g_clear_handle_id (&self->lost_source, g_source_remove);
  g_queue_clear_full (&self->lines, g_free);
  g_clear_error (&self->error);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}
