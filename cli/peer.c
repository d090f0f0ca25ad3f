/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/peer.h"
#include "base/ics-error.h"
#include "cli/deadline.h"

static const char stream_magic[2] = { 'I', 'S' };

void
cli_peer_translate_error (GError **error)
{
  g_autoptr (GError) old = NULL;

  if (error == NULL || *error == NULL || (*error)->domain == ICS_ERROR
      || g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  old = g_steal_pointer (error);
  g_set_error (error, ICS_ERROR, ICS_ERROR_LINK_LOST, "the link broke: %s", old->message);
}

gboolean
cli_peer_read_all (GInputStream *in, void *buffer, gsize length, GCancellable *cancellable, GError **error)
{
  gsize n = 0;

  if (!g_input_stream_read_all (in, buffer, length, &n, cancellable, error))
    {
      cli_peer_translate_error (error);
      return FALSE;
    }
  if (n == length)
    return TRUE;
  g_set_error (error, ICS_ERROR, ICS_ERROR_CLOSED, "the other side ended before it was done");
  return FALSE;
}

gboolean
cli_peer_write_all (GOutputStream *out, const void *buffer, gsize length, GCancellable *cancellable,
                    GError **error)
{
  gboolean good = g_output_stream_write_all (out, buffer, length, NULL, cancellable, error);

  if (!good)
    cli_peer_translate_error (error);
  return good;
}

gboolean
cli_peer_half_close (GIOStream *stream, GError **error)
{
  gboolean good;

  /* The output stream of a socket ends with the whole connection only. */
  if (G_IS_SOCKET_CONNECTION (stream))
    good = g_socket_shutdown (g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream)), FALSE, TRUE,
                              error);
  else
    good = g_output_stream_close (g_io_stream_get_output_stream (stream), NULL, error);
  if (!good)
    cli_peer_translate_error (error);
  return good;
}

void
cli_peer_reset (CliPeer *self, GIOStream *stream)
{
  self->vtable->reset (self, stream);
}

GIOStream *
cli_peer_open (CliPeer *self, CliStreamKind kind, guint8 index, GCancellable *cancellable, GError **error)
{
  const guint8 header[CLI_STREAM_HEADER_LENGTH] = { stream_magic[0], stream_magic[1], (guint8)kind, index };
  g_autoptr (GIOStream) stream = self->vtable->open (self, error);

  if (stream == NULL
      || !cli_peer_write_all (g_io_stream_get_output_stream (stream), header, sizeof header, cancellable,
                              error))
    return NULL;
  return g_steal_pointer (&stream);
}

static gboolean
read_header (GIOStream *stream, guint8 *header, GCancellable *cancellable, GError **error)
{
  g_autoptr (CliDeadline) deadline = cli_deadline_new (cancellable, CLI_HEADER_TIMEOUT_MS);
  gboolean good = cli_peer_read_all (g_io_stream_get_input_stream (stream), header, CLI_STREAM_HEADER_LENGTH,
                                     cli_deadline_get_cancellable (deadline), error);

  if (good && header[0] == stream_magic[0] && header[1] == stream_magic[1])
    return TRUE;
  if (good || !g_cancellable_is_cancelled (cancellable))
    {
      g_clear_error (error);
      g_set_error (error, ICS_ERROR, ICS_ERROR_PROTOCOL,
                   "the other side opened a stream that does not say what it is");
    }
  return FALSE;
}

GIOStream *
cli_peer_accept (CliPeer *self, CliStreamKind *kind, guint8 *index, GCancellable *cancellable, GError **error)
{
  g_autoptr (GIOStream) stream = self->vtable->accept (self, cancellable, error);
  guint8 header[CLI_STREAM_HEADER_LENGTH];

  if (stream == NULL)
    return NULL;
  if (!read_header (stream, header, cancellable, error))
    {
      self->vtable->reset (self, stream);
      return NULL;
    }
  *kind = (CliStreamKind)header[2];
  *index = header[3];
  return g_steal_pointer (&stream);
}

struct _CliStreamQueue
{
  GMutex lock;
  GCond changed;
  GQueue streams;
  GError *end;
};

CliStreamQueue *
cli_stream_queue_new (void)
{
  CliStreamQueue *self = g_new0 (CliStreamQueue, 1);

  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  g_queue_init (&self->streams);
  return self;
}

void
cli_stream_queue_push (CliStreamQueue *self, GIOStream *stream)
{
  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->streams, stream);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

void
cli_stream_queue_end (CliStreamQueue *self, const GError *error)
{
  g_mutex_lock (&self->lock);
  if (self->end == NULL)
    self->end = error != NULL ? g_error_copy (error)
                              : g_error_new_literal (ICS_ERROR, ICS_ERROR_CLOSED, "the other side left");
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

static void
wake (GCancellable *cancellable, gpointer user_data)
{
  CliStreamQueue *self = user_data;

  g_mutex_lock (&self->lock);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

GIOStream *
cli_stream_queue_pop (CliStreamQueue *self, GCancellable *cancellable, GError **error)
{
  gulong handler
      = cancellable != NULL ? g_cancellable_connect (cancellable, G_CALLBACK (wake), self, NULL) : 0;
  GIOStream *stream;

  g_mutex_lock (&self->lock);
  while (g_queue_is_empty (&self->streams) && self->end == NULL && !g_cancellable_is_cancelled (cancellable))
    g_cond_wait (&self->changed, &self->lock);
  stream = g_queue_pop_head (&self->streams);
  if (stream == NULL && !g_cancellable_set_error_if_cancelled (cancellable, error))
    g_propagate_error (error, g_error_copy (self->end));
  g_mutex_unlock (&self->lock);
  if (cancellable != NULL)
    g_cancellable_disconnect (cancellable, handler);
  return stream;
}

void
cli_stream_queue_free (CliStreamQueue *self)
{
  g_queue_clear_full (&self->streams, g_object_unref);
  g_clear_error (&self->end);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}
