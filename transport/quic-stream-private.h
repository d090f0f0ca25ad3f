/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "transport/quic-stream.h"
#include "transport/stream-source.h"

G_BEGIN_DECLS

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

  IcsChunkQueue rx;
  gsize rx_consumed;
  gboolean rx_news; /* a reader waits for what came; ics_quic_stream_tell() is due */
  IcsStreamEnd rx_end;

  gboolean open, stop, reset;
  guint64 reset_code;
  guint64 sent[ICS_N_PATH_KINDS];
  guint64 received[ICS_N_PATH_KINDS];
};

/* All with the lock held. */
gboolean ics_quic_stream_all_acked (IcsQuicStream *self);
/* Wakes those whose condition has come. */
void ics_quic_stream_changed (IcsQuicStream *self);
void ics_quic_stream_wake_io (IcsQuicStream *self);

G_END_DECLS
