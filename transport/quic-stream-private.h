/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "transport/quic-stream.h"
#include "transport/stream-source.h"

G_BEGIN_DECLS

/* A reader that found nothing and blocks: what comes may go straight into its buffer. */
typedef struct
{
  guint8 *buf; /* NULL: none */
  gsize len, filled;
  gboolean claimed; /* the I/O thread is writing there */
  gboolean leaving; /* it shall not begin to any more */
} IcsWaitingReader;

/* A writer that found no room and blocks: the I/O thread takes from its buffer what it is about to send, so
 * that the copy is still in the cache when it is encrypted, and the writer is woken once. */
typedef struct
{
  const guint8 *buf; /* NULL: none */
  gsize len, taken;
} IcsWaitingWriter;

/* Where the I/O thread puts what it receives, without the lock, until it tells: the end of the rx queue or
 * the waiting reader's buffer. Only the I/O thread looks at this. */
typedef struct
{
  gboolean due; /* ics_quic_stream_tell() is */
  gboolean direct;
  guint8 *space; /* NULL: none taken */
  gsize room, len;
  guint64 by_kind[ICS_N_PATH_KINDS];
} IcsStreamIntake;

struct _IcsQuicStream
{
  gatomicrefcount refs;
  GMutex lock;
  GCond changed;
  IcsStreamWaiters waiters;
  GIOCondition wanted; /* what somebody found not ready, and waits for */
  IcsStreamHub *hub;
  gint64 id;

  IcsChunkQueue tx;
  IcsStreamRoom tx_room;
  gsize tx_max; /* a writer that finds more than this waits */
  guint64 tx_sent;
  gboolean fin_sent;
  gboolean fin_with_data; /* in one frame with the last byte */
  gboolean fin_acked;
  IcsStreamEnd tx_end;
  IcsWaitingWriter writer;

  IcsChunkQueue rx;
  gsize rx_consumed;
  IcsStreamEnd rx_end;
  IcsWaitingReader reader;
  IcsStreamIntake intake;

  gboolean open, stop, reset;
  guint64 reset_code;
  guint64 sent[ICS_N_PATH_KINDS];
  guint64 received[ICS_N_PATH_KINDS];
};

/* All with the lock held. */
gboolean ics_quic_stream_all_acked (IcsQuicStream *self);
/* Bytes that QUIC has not got yet. */
gsize ics_quic_stream_unsent (IcsQuicStream *self);
/* Wakes those whose condition has come. */
void ics_quic_stream_changed (IcsQuicStream *self);
void ics_quic_stream_wake_io (IcsQuicStream *self);
/* Nothing more comes. */
void ics_quic_stream_end_rx_locked (IcsQuicStream *self, IcsStreamEnd how);

G_END_DECLS
