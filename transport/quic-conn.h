/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/ics-error.h"
#include "base/ics-types.h"
#include "transport/quic-stream.h"
#include "transport/quic-tls.h"

G_BEGIN_DECLS

/* One QUIC connection (RFC 9000) over paths that come and go. Sans-IO: time is an argument (monotonic µs),
 * packets go in by ics_quic_read() and come out of ics_quic_write(), what happened comes out of
 * ics_quic_poll_event(). Used from one thread; only the streams it makes are shared with others. */

typedef struct _IcsQuic IcsQuic;

#define ICS_QUIC_MAX_STREAMS 64              /* bidirectional, at once, opened by each side */
#define ICS_QUIC_STREAM_WINDOW (256u * 1024) /* what an unread stream costs */
/* What a stream that is read grows to. With losses several round trips of data wait for the first byte: 100
 * Mbit/s over 50 ms and a full queue of twice that need it. */
#define ICS_QUIC_STREAM_WINDOW_MAX (8u * 1024 * 1024)
#define ICS_QUIC_CONN_WINDOW (16u * 1024 * 1024)
#define ICS_QUIC_MAX_DATAGRAM 1100 /* fits a 1200 byte packet on every path */
#define ICS_QUIC_MAX_PACKET 1452
#define ICS_QUIC_BATCH_SIZE 65000u /* UDP_SEGMENT takes less than 64 KiB, */
#define ICS_QUIC_BATCH_PACKETS 64  /* and so many segments (UDP_MAX_SEGMENTS) */

typedef struct
{
  gboolean client;
  gnutls_certificate_credentials_t credentials;
  const guint8 *peer_fingerprint;
  guint path; /* the path to start on */
  IcsPathKind kind;
  void (*wake) (gpointer user_data); /* a stream has work for the I/O thread; called from any thread */
  gpointer user_data;
} IcsQuicConfig;

typedef enum
{
  ICS_QUIC_EVENT_READY,     /* both certificates are verified: application data may flow */
  ICS_QUIC_EVENT_CONFIRMED, /* RFC 9001 §4.1.2: moves are possible */
  ICS_QUIC_EVENT_STREAM,    /* the peer opened a stream */
  ICS_QUIC_EVENT_DATAGRAM,
  ICS_QUIC_EVENT_MOVED, /* what this side sends now takes another path */
  ICS_QUIC_EVENT_MOVE_FAILED,
  ICS_QUIC_EVENT_CLOSED
} IcsQuicEventType;

typedef struct
{
  IcsQuicEventType type;
  guint path;
  IcsQuicStream *stream; /* owned by the event */
  GBytes *datagram;      /* owned by the event */
  GError *error;         /* owned; CLOSED by the peer with code 0: NULL */
} IcsQuicEvent;

/* NULL with @error when the TLS library refuses the set-up. */
IcsQuic *ics_quic_new (const IcsQuicConfig *config, gint64 now, GError **error);
void ics_quic_free (IcsQuic *self);

void ics_quic_set_path_kind (IcsQuic *self, guint path, IcsPathKind kind);

/* Takes one packet. FALSE when it is not authentic (then it says nothing about the path). */
gboolean ics_quic_read (IcsQuic *self, gint64 now, guint path, const guint8 *data, gsize len);

/* Packets for one path, one after the other: each has @segment bytes, the last one may be shorter. */
typedef struct
{
  guint path;
  const guint8 *data;
  gsize len;
  gsize segment;
} IcsQuicBatch;

/* Makes the next packets, as many as may go at once, and at most @max bytes (of ICS_QUIC_MAX_PACKET or more);
 * FALSE when there are none now. @batch is valid until the next call. */
gboolean ics_quic_write (IcsQuic *self, gint64 now, gsize max, IcsQuicBatch *batch);

/* The length of the packet at offset @at. */
static inline gsize
ics_quic_batch_packet (const IcsQuicBatch *batch, gsize at)
{
  return MIN (batch->segment, batch->len - at);
}

/* The peer answered a probe on @path. When QUIC's own packets have vanished there for long meanwhile, they
 * are too large for it (an MTU black hole, RFC 8899 §4.4): TRUE, and from now on they are small there. */
gboolean ics_quic_path_answered (IcsQuic *self, gint64 now, guint path);

/* The largest datagram that is to be tried on the path in use: what discovery found out (RFC 8899), and
 * before it is through ICS_QUIC_MAX_PACKET. */
gsize ics_quic_get_path_mtu (IcsQuic *self, gint64 now);

gint64 ics_quic_next_timeout (IcsQuic *self);
void ics_quic_handle_timeout (IcsQuic *self, gint64 now);

gboolean ics_quic_poll_event (IcsQuic *self, IcsQuicEvent *event);
void ics_quic_event_clear (IcsQuicEvent *event);

/* Serves what the applications' threads asked for since the last call. */
void ics_quic_serve_streams (IcsQuic *self);
/* Received bytes become visible to readers with tell_readers(). It may wait if can_wait() says so, which is
 * to be asked again when anything comes, and at @until at the latest. */
gboolean ics_quic_news_can_wait (IcsQuic *self, gint64 now, gint64 *until);
void ics_quic_tell_readers (IcsQuic *self);

/* A stream of our own; may wait for the peer's limit. The caller gets a reference. The very first one of the
 * client goes before all others: it carries the control messages. Other threads open theirs on the hub
 * (ics_quic_stream_open()). */
IcsQuicStream *ics_quic_open_stream (IcsQuic *self);
IcsStreamHub *ics_quic_get_hub (IcsQuic *self);

/* While held, only the control stream is sent. */
void ics_quic_set_hold (IcsQuic *self, gboolean hold);

gboolean ics_quic_send_datagram (IcsQuic *self, GBytes *payload);

typedef enum
{
  ICS_QUIC_MOVE_STARTED,
  ICS_QUIC_MOVE_LATER, /* not confirmed yet, or no connection id left: try again */
  ICS_QUIC_MOVE_REFUSED
} IcsQuicMove;

/* Client only (RFC 9000 §9): validate @path and move there, or move at once and validate afterwards. Once
 * STARTED it ends in MOVED, also to the path in use, or in MOVE_FAILED, unless another move replaces it. */
IcsQuicMove ics_quic_move (IcsQuic *self, gint64 now, guint path, gboolean immediate);

/* Where a move of our own that has no outcome yet leads; 0 = there is none. */
guint ics_quic_get_move (IcsQuic *self);

guint ics_quic_get_path (IcsQuic *self);
gint64 ics_quic_get_rtt (IcsQuic *self);        /* smoothed, µs; 0 = no sample */
guint64 ics_quic_get_delivered (IcsQuic *self); /* received in order, without the control stream */
guint64 ics_quic_get_dropped (IcsQuic *self);   /* packets that were not authentic */

/* Keying material for others (RFC 5705, RFC 8446 §7.5). */
gboolean ics_quic_export (IcsQuic *self, const char *label, const char *context, guint8 *out, gsize len);

/* The last packet of the connection, to be sent on every path that may live; 0 when nothing can be said any
 * more. */
gsize ics_quic_write_close (IcsQuic *self, gint64 now, guint64 code, const char *reason, guint8 *buf,
                            gsize cap);
/* The packet that tells the peer of an error which this side found (CLOSED event); 0 when none is due. */
gsize ics_quic_write_error (IcsQuic *self, gint64 now, guint8 *buf, gsize cap);
/* Ends all streams as lost. */
void ics_quic_abandon (IcsQuic *self);

G_END_DECLS
