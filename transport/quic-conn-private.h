/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "transport/quic-conn.h"
#include "transport/synthetic-path.h"

G_BEGIN_DECLS

#define ICS_CID_SIZE 8
/* RFC 9000 §18.2. 2, the default, leaves one spare, too few for moves in a row; ngtcp2 0.12 asserts above 8.
 */
#define ICS_ACTIVE_CID_LIMIT 8
#define ICS_MAX_QUEUED_DATAGRAMS 64

typedef struct
{
  IcsQuicStream *stream;
  gint64 id;
  gboolean queued;  /* stands in the ready queue */
  gboolean blocked; /* by the peer's window, when it was last tried */
} StreamEntry;

struct _IcsQuic
{
  IcsQuicConfig config;
  IcsQuicTls tls;
  guint8 stateless_reset_secret[32];
  ngtcp2_conn *conn; /* NULL on a server before the first Initial */
  gboolean making;   /* within ngtcp2's constructor */
  gint64 now;
  IcsPathMap *paths;
  GHashTable *path_kinds; /* path -> IcsPathKind */
  GHashTable *cids;       /* our connection ids, as 64 bit numbers */
  gint64 not_before;      /* see ics_quic_next_timeout() */
  guint sending_path;     /* what MOVED last told */
  guint reading_path;
  gboolean has_read; /* since the last packet was made */
  gboolean moving; /* a move of our own that has no outcome yet */
  IcsPathTag moving_to;

  GHashTable *streams; /* id -> StreamEntry */
  GQueue ready;        /* StreamEntry with something to send */
  GQueue unopened;     /* IcsQuicStream waiting for the peer's stream limit */
  GQueue datagrams;    /* GBytes */
  GQueue events;
  guint64 delivered;
  guint64 dropped;
  gboolean hold; /* only the control stream is sent */
  gboolean closed;
  int liberr; /* why we close, for the peer */
  IcsStreamHub *hub;
};

void ics_quic_set_callbacks (ngtcp2_callbacks *callbacks, gboolean client);
void ics_quic_push_event (IcsQuic *self, IcsQuicEventType type, guint path);
void ics_quic_fail (IcsQuic *self, int liberr);
void ics_quic_closed_by_peer (IcsQuic *self);
StreamEntry *ics_quic_add_stream (IcsQuic *self, gint64 id, IcsQuicStream *stream);
void ics_quic_remove_stream (IcsQuic *self, StreamEntry *entry, gboolean lost);
void ics_quic_queue_stream (IcsQuic *self, StreamEntry *entry);
void ics_quic_open_waiting (IcsQuic *self);
void ics_quic_retry_blocked (IcsQuic *self);
IcsPathKind ics_quic_kind_of (IcsQuic *self, guint path);

static inline ngtcp2_tstamp
ics_quic_ts (gint64 now)
{
  return (ngtcp2_tstamp)now * NGTCP2_MICROSECONDS;
}

G_END_DECLS
