/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/chunk-queue.h"

#include <string.h>

#define FIRST_CAPACITY 8u

void
ics_chunk_queue_init (IcsChunkQueue *self)
{
  memset (self, 0, sizeof *self);
}

static IcsChunk *
nth_chunk (const IcsChunkQueue *self, guint n)
{
  return &self->chunks[(self->head + n) & (self->capacity - 1)];
}

static void
push_chunk (IcsChunkQueue *self, guint8 *data, GBytes *lent)
{
  if (self->n_chunks == self->capacity)
    {
      guint capacity = MAX (2 * self->capacity, FIRST_CAPACITY);
      IcsChunk *chunks = g_new (IcsChunk, capacity);

      for (guint i = 0; i < self->n_chunks; i++)
        chunks[i] = *nth_chunk (self, i);
      g_free (self->chunks);
      self->chunks = chunks;
      self->capacity = capacity;
      self->head = 0;
    }
  *nth_chunk (self, self->n_chunks++) = (IcsChunk){ self->end, data, lent };
}

static void
drop_chunks (IcsChunkQueue *self, guint n)
{
  for (; n > 0; n--, self->n_chunks--)
    {
      IcsChunk *chunk = nth_chunk (self, 0);

      if (chunk->lent != NULL)
        self->spent = g_slist_prepend (self->spent, chunk->lent);
      else
        ics_chunk_free (chunk->data);
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

/* The last chunk that begins at or before @offset. */
static guint
chunk_index (const IcsChunkQueue *self, guint64 offset)
{
  guint first = 0, behind = self->n_chunks;

  while (behind - first > 1)
    {
      guint middle = first + (behind - first) / 2;

      if (nth_chunk (self, middle)->start <= offset)
        first = middle;
      else
        behind = middle;
    }
  return first;
}

guint8 *
ics_chunk_queue_hold (IcsChunkQueue *self, gsize *room)
{
  IcsChunk *last = self->n_chunks > 0 ? nth_chunk (self, self->n_chunks - 1) : NULL;
  gsize len;

  if (last == NULL || last->lent != NULL || self->end - last->start == ICS_CHUNK_SIZE)
    {
      push_chunk (self, ics_chunk_alloc (), NULL);
      last = nth_chunk (self, self->n_chunks - 1);
    }
  self->held = TRUE;
  len = (gsize)(self->end - last->start);
  *room = ICS_CHUNK_SIZE - len;
  return last->data + len;
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

void
ics_chunk_queue_append_bytes (IcsChunkQueue *self, GBytes *bytes)
{
  gsize len;
  const guint8 *data = g_bytes_get_data (bytes, &len);

  if (len == 0)
    return;
  /* It is never written to. */
  push_chunk (self, (guint8 *)data, g_bytes_ref (bytes));
  self->end += len;
}

const guint8 *
ics_chunk_queue_peek (IcsChunkQueue *self, guint64 offset, gsize *len)
{
  guint i;

  *len = 0;
  if (offset >= self->end)
    return NULL;
  i = chunk_index (self, offset);
  *len = (gsize)((i + 1 < self->n_chunks ? nth_chunk (self, i + 1)->start : self->end) - offset);
  return nth_chunk (self, i)->data + (offset - nth_chunk (self, i)->start);
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
