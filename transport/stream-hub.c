/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/stream-hub.h"

#include "transport/quic-stream.h"

struct _IcsStreamHub
{
  gatomicrefcount refs;
  GMutex lock;
  GQueue woken;        /* IcsQuicStream, owned */
  GHashTable *members; /* the same, to find them */
  void (*wake) (gpointer user_data);
  gpointer user_data;
};

IcsStreamHub *
ics_stream_hub_new (void (*wake) (gpointer user_data), gpointer user_data)
{
  IcsStreamHub *self = g_new0 (IcsStreamHub, 1);

  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  g_queue_init (&self->woken);
  self->members = g_hash_table_new (NULL, NULL);
  self->wake = wake;
  self->user_data = user_data;
  return self;
}

IcsStreamHub *
ics_stream_hub_ref (IcsStreamHub *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
ics_stream_hub_unref (IcsStreamHub *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_hash_table_unref (self->members);
  g_mutex_clear (&self->lock);
  g_free (self);
}

gboolean
ics_stream_hub_push (IcsStreamHub *self, IcsQuicStream *stream)
{
  gboolean attached;

  g_mutex_lock (&self->lock);
  attached = self->wake != NULL;
  if (attached && g_hash_table_add (self->members, stream))
    {
      gboolean first = g_queue_is_empty (&self->woken);

      g_queue_push_tail (&self->woken, ics_quic_stream_ref (stream));
      /* Under the lock, so that nobody is woken after detach returned. */
      if (first)
        self->wake (self->user_data);
    }
  g_mutex_unlock (&self->lock);
  return attached;
}

IcsQuicStream *
ics_stream_hub_pop (IcsStreamHub *self)
{
  IcsQuicStream *stream;

  g_mutex_lock (&self->lock);
  stream = g_queue_pop_head (&self->woken);
  if (stream != NULL)
    g_hash_table_remove (self->members, stream);
  g_mutex_unlock (&self->lock);
  return stream;
}

void
ics_stream_hub_detach (IcsStreamHub *self)
{
  IcsQuicStream *stream;

  g_mutex_lock (&self->lock);
  self->wake = NULL;
  g_mutex_unlock (&self->lock);
  while ((stream = ics_stream_hub_pop (self)) != NULL)
    {
      ics_quic_stream_end_tx (stream, ICS_STREAM_LOST);
      ics_quic_stream_end_rx (stream, ICS_STREAM_LOST);
      ics_quic_stream_unref (stream);
    }
}
