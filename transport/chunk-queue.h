/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "transport/chunk-pool.h"

G_BEGIN_DECLS

/* A piece of the content, up to where the next one begins. */
typedef struct
{
  guint64 start;
  guint8 *data; /* of the pool, ICS_CHUNK_SIZE in all, or @lent's */
  GBytes *lent;
} IcsChunk;

/* The bytes [start, end) of a stream, kept in chunks so that pointers into them stay valid until they are
 * trimmed: QUIC needs sent data in place until it is acknowledged. Memory follows the content. */
typedef struct
{
  IcsChunk *chunks; /* a ring of @capacity places, the first chunk at @head */
  guint capacity, head, n_chunks;
  guint64 start;
  guint64 end;
  gboolean held; /* the last chunk is being written to, see ics_chunk_queue_hold() */
  GSList *spent; /* GBytes that were trimmed, for the owner to let go: that may call anything */
} IcsChunkQueue;

void ics_chunk_queue_init (IcsChunkQueue *self);
void ics_chunk_queue_clear (IcsChunkQueue *self);

gsize ics_chunk_queue_size (const IcsChunkQueue *self);
void ics_chunk_queue_append (IcsChunkQueue *self, const guint8 *data, gsize len);
/* Without a copy. Takes a reference, which is in @spent when all of it was trimmed. */
void ics_chunk_queue_append_bytes (IcsChunkQueue *self, GBytes *bytes);

/* The place behind the end, at least one byte; it can be written to without a lock, whatever else is done
 * with the queue, until ics_chunk_queue_release() says how much of it is content now. */
guint8 *ics_chunk_queue_hold (IcsChunkQueue *self, gsize *room);
void ics_chunk_queue_release (IcsChunkQueue *self, gsize len);

/* The contiguous run at @offset (within [start, end]); *len is 0 at the end. */
const guint8 *ics_chunk_queue_peek (IcsChunkQueue *self, guint64 offset, gsize *len);

/* Forgets everything before @offset. */
void ics_chunk_queue_trim (IcsChunkQueue *self, guint64 offset);

/* Copies at most @len bytes from the start and trims them. */
gsize ics_chunk_queue_take (IcsChunkQueue *self, guint8 *dest, gsize len);

G_END_DECLS
