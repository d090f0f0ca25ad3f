/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tests/lab/impair-settings.h"

/* What becomes of the packets of one direction, without I/O: frames go in, and come out at their time or
 * never. Times are monotonic nanoseconds; never is G_MAXINT64. First the losses, then the queue in front of
 * the rate, then the way. */

typedef struct _ImpairQueue ImpairQueue;
typedef struct _ImpairPacket ImpairPacket;

struct _ImpairPacket
{
  ImpairPacket *next;
  gint64 at;
  gsize len;
  guint8 data[];
};

typedef enum
{
  IMPAIR_IN,
  IMPAIR_OUT,
  IMPAIR_LOST,
  IMPAIR_BLACKHOLED,
  IMPAIR_TOO_BIG,
  IMPAIR_QUEUE_FULL,
  IMPAIR_REORDERED,
  IMPAIR_DUPLICATED,
  IMPAIR_CORRUPTED,
  IMPAIR_N_COUNTS
} ImpairCount;

/* No more than this waits, whatever the settings say. */
#define IMPAIR_QUEUE_MAX_BYTES (64 << 20)

ImpairQueue *impair_queue_new (guint32 seed);
void impair_queue_free (ImpairQueue *self);
/* For what comes from now on. */
void impair_queue_set (ImpairQueue *self, const ImpairSettings *settings);
const ImpairSettings *impair_queue_settings (ImpairQueue *self);

/* TRUE: it is dropped for its size, and the sender is to be told. */
gboolean impair_queue_push (ImpairQueue *self, gint64 now, const guint8 *frame, gsize len);
gint64 impair_queue_next (ImpairQueue *self);
/* (transfer full) with g_free(); NULL: none is due. */
ImpairPacket *impair_queue_pop (ImpairQueue *self, gint64 now);

guint64 impair_queue_count (ImpairQueue *self, ImpairCount which);
guint64 impair_queue_bytes_out (ImpairQueue *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImpairQueue, impair_queue_free)
