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
#define ICS_CONTROL_STREAM 0 /* the client's first one */

/* Losses of a stream that were known when it had sent so much: they are mended when all of that is
 * acknowledged. */
typedef struct
{
  guint64 sent, losses;
} IcsLossMark;

#define ICS_LOSS_MARKS 16

/* What is known of the path in use, see quic-guard.c. */
typedef struct
{
  IcsPathTag tag;
  gint64 min_rtt_us;
  guint64 limit;  /* bytes in flight; 0: none is needed */
  guint64 losses; /* of all streams, when last looked at */
  guint64 round_delivered;
  gint64 round_since;
  double rate; /* bytes per microsecond */
  guint rounds;
  guint grown; /* the last one in which it was much higher */
} IcsGuard;

typedef enum
{
  ICS_FRAGMENTS_FEW,
  ICS_FRAGMENTS_MANY,    /* a packet for each acknowledgement */
  ICS_FRAGMENTS_TOO_MANY /* nothing new */
} IcsFragments;

typedef struct
{
  IcsLossMark marks[ICS_LOSS_MARKS];
  guint n;
  guint64 mended;
  gboolean idle; /* too little is under way to count */
} IcsLossMarks;

typedef struct
{
  const guint8 *data;
  gsize len;
  gboolean fin; /* with the last byte */
} IcsStreamRun;

typedef struct
{
  IcsQuicStream *stream;
  gint64 id;
  GList link;       /* in the ready queue */
  gboolean queued;  /* stands there */
  gsize turn;       /* bytes sent since it was queued */
  IcsStreamRun run; /* what comes next, as far as it was looked at */
  gsize unreported; /* bytes of it that were sent, and the stream does not know */
  gboolean news;    /* stands in the connection's list of those; bytes that the reader was not told of */
  gsize untold;
  gboolean acked_news; /* stands in the connection's list of those */
  gboolean trickling;  /* has sent what it may before the next acknowledgement */
  guint64 sent, acked;
  gint64 progress; /* the last acknowledgement, or when the first byte after it was sent */
  gsize window;    /* for what we receive */
  IcsLossMarks losses;
  guint uncounted;  /* packets before the next count of pieces */
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
  guint64 last_cid;       /* one of them, the last that was found */
  gboolean last_cid_known;
  IcsPathTag last_tag; /* of a server's last packet to it */
  gboolean last_tag_known;
  IcsPathTag read_tag; /* of the last packet, and its addresses */
  IcsSyntheticPath read_pair;
  gboolean trickling; /* one of the streams is */
  gint64 paced_until; /* when what was sent has gone out at the pace */
  gint64 not_before;  /* see ics_quic_next_timeout() */
  guint sending_path; /* what MOVED last told */
  guint reading_path;
  IcsPathKind reading_kind;
  gboolean has_read; /* since the last packet was made */
  gboolean moving;   /* a move of our own that has no outcome yet */
  IcsPathTag moving_to;
  IcsPathTag vouched_tag; /* see ics_quic_vouch_for_path() */
  gsize vouched;          /* bytes that may leave there before its validation */

  GHashTable *streams; /* id -> StreamEntry */
  GQueue ready;        /* StreamEntry with something to send */
  GQueue unopened;     /* IcsQuicStream waiting for the peer's stream limit */
  GQueue datagrams;    /* GBytes */
  GQueue events;
  GPtrArray *news;     /* StreamEntry whose readers are to be told */
  gboolean news_fresh; /* a packet was read since that was last looked at */
  gboolean news_urgent;
  gint64 news_since; /* the oldest */
  guint64 news_size;
  gint64 told_at;
  gboolean news_is_bulk;
  GPtrArray *acked_news; /* StreamEntry whose writers are to be told */
  guint64 in_flight;     /* bytes, after the last acknowledgement */
  guint64 sent_since_acks;
  gsize packet_size;              /* of late, on average */
  ngtcp2_path_storage write_pair; /* of the last packet that was made */
  ngtcp2_pkt_info write_info;     /* of no use: there is no ECN below */
  IcsGuard guard;
  guint busy_streams;    /* that wait for acknowledgements */
  IcsStreamRoom tx_room; /* what each stream may keep for sending */
  gsize turn;            /* bytes of a stream before it is the next one's turn */
  guint8 *out;           /* the batch */
  gsize out_len;
  guint ahead_path; /* behind the batch: a packet that begins the next one */
  gsize ahead_len;
  guint64 delivered;
  guint64 dropped;
  guint64 opened;                                /* packets that were authentic */
  gint64 path_since, answers_since, last_answer; /* see ics_quic_path_answered() */
  gboolean small_packets;                        /* on the path @small_tag */
  IcsPathTag small_tag;
  gboolean hold; /* only the control stream is sent */
  gboolean closed;
  int liberr; /* why we close, for the peer */
  IcsStreamHub *hub;
};

/* The one that is being made. */
typedef struct
{
  guint8 *buf;
  gsize cap;
  gboolean begun; /* ngtcp2 has to finish it */
} IcsQuicPacket;

guint64 ics_quic_get_opened (void); /* packets decrypted on this thread */
void ics_quic_set_callbacks (ngtcp2_callbacks *callbacks, gboolean client);
int ics_quic_make_conn (IcsQuic *self, const ngtcp2_pkt_hd *initial, gint64 now);
void ics_quic_push_event (IcsQuic *self, IcsQuicEventType type, guint path);
void ics_quic_fail (IcsQuic *self, int liberr);
void ics_quic_notice_move (IcsQuic *self);
void ics_quic_vouch_for_path (IcsQuic *self);
void ics_quic_path_is_valid (IcsQuic *self, IcsPathTag tag);
void ics_quic_closed_by_peer (IcsQuic *self);
StreamEntry *ics_quic_add_stream (IcsQuic *self, gint64 id, IcsQuicStream *stream);
void ics_quic_remove_stream (IcsQuic *self, StreamEntry *entry, gboolean lost);
void ics_quic_queue_stream (IcsQuic *self, StreamEntry *entry);
void ics_quic_unqueue_stream (IcsQuic *self, StreamEntry *entry);
/* Tells the stream what was sent of it; TRUE when there is more. Only the first of the queue can have
 * something that is not told yet. */
gboolean ics_quic_report_sent (IcsQuic *self, StreamEntry *entry, gboolean fin);
void ics_quic_report_head (IcsQuic *self);
void ics_quic_set_pace (IcsQuic *self, double bytes_per_us);
/* One call of ngtcp2 for the stream at the head of the queue, or for none. */
ngtcp2_ssize ics_quic_write_stream (IcsQuic *self, IcsQuicPacket *packet);
void ics_quic_open_waiting (IcsQuic *self);
void ics_quic_retry_blocked (IcsQuic *self);
void ics_quic_guard_acks (IcsQuic *self, const ngtcp2_conn_info *info);
/* Bytes per microsecond, or 0: ngtcp2's own pace. */
double ics_quic_guard_pace (IcsQuic *self);
/* Whether new data has to wait for acknowledgements. */
gboolean ics_quic_guard_holds (IcsQuic *self);
IcsFragments ics_quic_count_fragments (IcsQuic *self, StreamEntry *entry);
void ics_quic_stream_progress (IcsQuic *self, StreamEntry *entry, guint64 sent, guint64 acked);
gsize ics_quic_packet_limit (IcsQuic *self);
IcsPathKind ics_quic_kind_of (IcsQuic *self, guint path);

static inline ngtcp2_tstamp
ics_quic_ts (gint64 now)
{
  return (ngtcp2_tstamp)now * NGTCP2_MICROSECONDS;
}

/* Who read the clock before may call after who read it later; ngtcp2 1.x aborts when its time goes back. */
static inline gint64
ics_quic_advance (IcsQuic *self, gint64 now)
{
  self->now = MAX (self->now, now);
  return self->now;
}

G_END_DECLS
