/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/chunk-queue.h"

#include <string.h>

void
ics_chunk_queue_init (IcsChunkQueue *self)
{
  g_queue_init (&self->chunks);
  self->start = 0;
  self->end = 0;
}

void
ics_chunk_queue_clear (IcsChunkQueue *self)
{
  g_queue_clear_full (&self->chunks, g_free);
  self->start = self->end;
}

gsize
ics_chunk_queue_size (const IcsChunkQueue *self)
{
  return (gsize)(self->end - self->start);
}

/* Chunks are aligned in the stream: the n-th one covers [n * size, (n + 1) * size). */
static guint
chunk_index (const IcsChunkQueue *self, guint64 offset)
{
  return (guint)(offset / ICS_CHUNK_SIZE - self->start / ICS_CHUNK_SIZE);
}

void
ics_chunk_queue_append (IcsChunkQueue *self, const guint8 *data, gsize len)
{
  while (len > 0)
    {
      gsize in_chunk = (gsize)(self->end % ICS_CHUNK_SIZE);
      gsize n = MIN (len, ICS_CHUNK_SIZE - in_chunk);

      /* A queue that ran empty in the middle of a chunk has no chunk any more: start one at the same
       * alignment. */
      if (in_chunk == 0 || g_queue_is_empty (&self->chunks))
        g_queue_push_tail (&self->chunks, g_malloc (ICS_CHUNK_SIZE));
      memcpy ((guint8 *)g_queue_peek_tail (&self->chunks) + in_chunk, data, n);
      self->end += n;
      data += n;
      len -= n;
    }
}

const guint8 *
ics_chunk_queue_peek (IcsChunkQueue *self, guint64 offset, gsize *len)
{
  gsize in_chunk = (gsize)(offset % ICS_CHUNK_SIZE);

  if (offset >= self->end)
    {
      *len = 0;
      return NULL;
    }
  *len = (gsize)MIN ((guint64)(ICS_CHUNK_SIZE - in_chunk), self->end - offset);
  return (guint8 *)g_queue_peek_nth (&self->chunks, chunk_index (self, offset)) + in_chunk;
}

void
ics_chunk_queue_trim (IcsChunkQueue *self, guint64 offset)
{
  guint drop;

  offset = MIN (offset, self->end);
  if (offset <= self->start)
    return;
  drop = offset == self->end ? g_queue_get_length (&self->chunks) : chunk_index (self, offset);
  while (drop-- > 0)
    g_free (g_queue_pop_head (&self->chunks));
  self->start = offset;
}

gsize
ics_chunk_queue_take (IcsChunkQueue *self, guint8 *dest, gsize len)
{
  gsize taken = 0;

  while (taken < len)
    {
      gsize run;
      const guint8 *data = ics_chunk_queue_peek (self, self->start, &run);

      if (run == 0)
        break;
      run = MIN (run, len - taken);
      memcpy (dest + taken, data, run);
      ics_chunk_queue_trim (self, self->start + run);
      taken += run;
    }
  return taken;
}
