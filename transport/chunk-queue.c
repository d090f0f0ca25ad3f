/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/chunk-queue.h"

#include <string.h>

#define FIRST_CAPACITY 8u

void
ics_chunk_queue_init (IcsChunkQueue *self)
{
  memset (self, 0, sizeof *self);
}

static guint8 *
nth_chunk (const IcsChunkQueue *self, guint n)
{
  return self->chunks[(self->head + n) & (self->capacity - 1)];
}

static void
push_chunk (IcsChunkQueue *self)
{
  if (self->n_chunks == self->capacity)
    {
      guint capacity = MAX (2 * self->capacity, FIRST_CAPACITY);
      guint8 **chunks = g_new (guint8 *, capacity);

      for (guint i = 0; i < self->n_chunks; i++)
        chunks[i] = nth_chunk (self, i);
      g_free (self->chunks);
      self->chunks = chunks;
      self->capacity = capacity;
      self->head = 0;
    }
  self->chunks[(self->head + self->n_chunks++) & (self->capacity - 1)] = ics_chunk_alloc ();
}

static void
drop_chunks (IcsChunkQueue *self, guint n)
{
  for (; n > 0; n--, self->n_chunks--)
    {
      ics_chunk_free (nth_chunk (self, 0));
      self->head = (self->head + 1) & (self->capacity - 1);
    }
}

static void
drop_all (IcsChunkQueue *self)
{
  drop_chunks (self, self->n_chunks - self->held);
  self->start = self->end;
}

void
ics_chunk_queue_clear (IcsChunkQueue *self)
{
  drop_all (self);
  if (self->held)
    return;
  g_clear_pointer (&self->chunks, g_free);
  self->capacity = 0;
  self->head = 0;
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

guint8 *
ics_chunk_queue_hold (IcsChunkQueue *self, gsize *room)
{
  gsize in_chunk = (gsize)(self->end % ICS_CHUNK_SIZE);

  /* A queue that ran empty in the middle of a chunk has no chunk any more: start one at the same alignment.
   */
  if (in_chunk == 0 || self->n_chunks == 0)
    push_chunk (self);
  self->held = TRUE;
  *room = ICS_CHUNK_SIZE - in_chunk;
  return nth_chunk (self, self->n_chunks - 1) + in_chunk;
}

void
ics_chunk_queue_release (IcsChunkQueue *self, gsize len)
{
  self->held = FALSE;
  self->end += len;
  if (self->start == self->end)
    drop_all (self);
}

void
ics_chunk_queue_append (IcsChunkQueue *self, const guint8 *data, gsize len)
{
  while (len > 0)
    {
      gsize room, n;
      guint8 *place = ics_chunk_queue_hold (self, &room);

      n = MIN (len, room);
      memcpy (place, data, n);
      ics_chunk_queue_release (self, n);
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
  return nth_chunk (self, chunk_index (self, offset)) + in_chunk;
}

void
ics_chunk_queue_trim (IcsChunkQueue *self, guint64 offset)
{
  offset = MIN (offset, self->end);
  if (offset <= self->start)
    return;
  if (offset == self->end)
    drop_all (self);
  else
    drop_chunks (self, chunk_index (self, offset));
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
