/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/ics-types.h"
#include "transport/chunk-queue.h"
#include "transport/stream-hub.h"
#include <gio/gio.h>

G_BEGIN_DECLS

#define ICS_QUIC_CODE_MAX ((G_GUINT64_CONSTANT (1) << 62) - 1) /* RFC 9000 §16 */

/* What the application's threads and the I/O thread share of one stream: two bounded queues under one lock.
 * The application side reads and writes; the I/O side (transport/quic-conn) feeds and drains. Reference
 * counted. */

typedef struct _IcsQuicStream IcsQuicStream;

/* What a stream keeps for sending: what it has sent and the peer has not acknowledged, and some more, which
 * follows what the path holds, but at least the first of these; and in all, the busy streams together, not
 * more than the second. A writer over this waits. */
#define ICS_STREAM_TX_MIN (256u * 1024)
#define ICS_STREAM_TX_MAX (8u * 1024 * 1024)

/* A writer that can wait is not let further ahead of what is sent than this. */
#define ICS_STREAM_WRITE_AHEAD (128u * 1024)

typedef struct
{
  gsize unsent;
  gsize total;
} IcsStreamRoom;

/* What became of one direction. */
typedef enum
{
  ICS_STREAM_OPEN,
  ICS_STREAM_ENDED,     /* FIN: written by us, or received */
  ICS_STREAM_REFUSED,   /* reset or stopped by the peer */
  ICS_STREAM_CANCELLED, /* reset or stopped by ourselves */
  ICS_STREAM_LOST       /* the link ended */
} IcsStreamEnd;

/* @id -1: a stream of our own that QUIC has not given a number yet; ics_quic_stream_open() asks for one. */
IcsQuicStream *ics_quic_stream_new (gint64 id, IcsStreamHub *hub);
IcsQuicStream *ics_quic_stream_ref (IcsQuicStream *self);
void ics_quic_stream_unref (IcsQuicStream *self);

/* --- the application's side, any thread --- */

/* -1 with G_IO_ERROR_WOULD_BLOCK when nothing can be done now and @blocking is FALSE; 0 from a read is the
 * end. */
gssize ics_quic_stream_read (IcsQuicStream *self, void *buf, gsize len, gboolean blocking,
                             GCancellable *cancellable, GError **error);
gssize ics_quic_stream_write (IcsQuicStream *self, const void *buf, gsize len, gboolean blocking,
                              GCancellable *cancellable, GError **error);
/* All of @bytes, as soon as there is room for a part. They are kept until acknowledged, and let go of on the
 * I/O thread. */
gboolean ics_quic_stream_lend (IcsQuicStream *self, GBytes *bytes, gboolean blocking,
                               GCancellable *cancellable, GError **error);
void ics_quic_stream_finish_write (IcsQuicStream *self);
void ics_quic_stream_stop_read (IcsQuicStream *self);
void ics_quic_stream_reset (IcsQuicStream *self, guint64 code);
/* Asks the I/O thread to open the stream; it ends as lost when the link has ended. */
void ics_quic_stream_open (IcsQuicStream *self);
gint64 ics_quic_stream_get_id (IcsQuicStream *self);
guint64 ics_quic_stream_get_sent (IcsQuicStream *self, IcsPathKind kind);
guint64 ics_quic_stream_get_received (IcsQuicStream *self, IcsPathKind kind);

/* TRUE when everything written (and the FIN, once finished) has been acknowledged; @error when it never will
 * be. */
gboolean ics_quic_stream_is_flushed (IcsQuicStream *self, GError **error);

/* A source that fires when a read (G_IO_IN), a write (G_IO_OUT) or a flush (G_IO_HUP) would not block. */
GSource *ics_quic_stream_create_source (IcsQuicStream *self, GIOCondition condition);
gboolean ics_quic_stream_is_ready (IcsQuicStream *self, GIOCondition condition);

/* --- the I/O side --- */

typedef struct
{
  gint64 id;     /* -1 until QUIC gave one */
  gboolean open; /* to be opened; reported once */
  gsize pending; /* bytes not handed to QUIC yet */
  gboolean fin_pending;
  gboolean keeps_up;    /* the application has read most of what came */
  gsize consumed;       /* bytes the application read since the last call: flow control credit */
  gboolean stop, reset; /* requests of the application, reported once */
  guint64 reset_code;
} IcsStreamWork;

void ics_quic_stream_set_id (IcsQuicStream *self, gint64 id);
void ics_quic_stream_get_work (IcsQuicStream *self, IcsStreamWork *work);

/* The next run to send; *fin tells whether the FIN goes with its last byte. The pointer stays valid until
 * acknowledged. */
const guint8 *ics_quic_stream_peek_tx (IcsQuicStream *self, gsize *len, gboolean *fin);
/* TRUE when there is more. */
gboolean ics_quic_stream_sent (IcsQuicStream *self, gsize len, gboolean fin, IcsPathKind kind);
/* @room: how much may be kept for sending from now on. TRUE when there is something to send. */
gboolean ics_quic_stream_acked (IcsQuicStream *self, guint64 offset, const IcsStreamRoom *room);
void ics_quic_stream_fin_acked (IcsQuicStream *self);
/* TRUE: ics_quic_stream_tell() is due, once for all that is received together. It wakes the reader. */
gboolean ics_quic_stream_received (IcsQuicStream *self, const guint8 *data, gsize len, gboolean fin,
                                   IcsPathKind kind);
void ics_quic_stream_tell (IcsQuicStream *self);
void ics_quic_stream_end_rx (IcsQuicStream *self, IcsStreamEnd how);
void ics_quic_stream_end_tx (IcsQuicStream *self, IcsStreamEnd how);

G_END_DECLS
