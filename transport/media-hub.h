/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/ics-types.h"
#include "transport/rtp-packet.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* Where the application's threads and the I/O thread hand RTP and RTCP packets to each other, and count them.
 * Both queues are bounded. Reference counted, for any thread; it outlives the link. */
typedef struct _IcsMediaHub IcsMediaHub;

#define ICS_MEDIA_MAX_QUEUED_OUT 512 /* packets */
#define ICS_MEDIA_MAX_QUEUED_IN 1024

/* On every path, protected; with what QUIC looks for as the MTU (RFC 8899) in mind. */
#define ICS_MEDIA_MAX_PACKET 1440
/* Less than that is in no doubt on any path (RFC 9000 §14). */
#define ICS_MEDIA_SAFE_PACKET 1200
#define ICS_MEDIA_OVERHEAD 20 /* the most that protection adds */

/* Why a packet went no further. The public IcsMediaDrop has the same order. */
typedef enum
{
  ICS_MEDIA_HUB_NOT_READY,
  ICS_MEDIA_HUB_MALFORMED,
  ICS_MEDIA_HUB_TOO_LARGE,
  ICS_MEDIA_HUB_QUEUE_FULL,
  ICS_MEDIA_HUB_NO_PATH,
  ICS_MEDIA_HUB_REPEATED,
  ICS_MEDIA_HUB_FORGED,
  ICS_MEDIA_HUB_REPLAYED,
  ICS_MEDIA_HUB_LATE,
  ICS_MEDIA_HUB_SOURCES,
  ICS_MEDIA_HUB_KEY_SPENT,
  ICS_MEDIA_HUB_UNREAD
} IcsMediaHubDrop;

#define ICS_N_MEDIA_DROPS 12

typedef struct
{
  guint64 sent[ICS_N_RTP_KINDS], received[ICS_N_RTP_KINDS];               /* packets */
  guint64 sent_bytes[ICS_N_PATH_KINDS], received_bytes[ICS_N_PATH_KINDS]; /* of them, unprotected */
  guint64 lost;                                                           /* RTP packets */
  guint64 dropped[ICS_N_MEDIA_DROPS];
} IcsMediaCounters;

/* Calls that a side is told of; from any thread, under the hub's lock. */
typedef void (*IcsMediaWake) (gpointer user_data);

IcsMediaHub *ics_media_hub_new (void);
IcsMediaHub *ics_media_hub_ref (IcsMediaHub *self);
void ics_media_hub_unref (IcsMediaHub *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsMediaHub, ics_media_hub_unref)

void ics_media_hub_get_counters (IcsMediaHub *self, IcsMediaCounters *counters);
void ics_media_hub_count_drop (IcsMediaHub *self, IcsMediaHubDrop reason);

/* --- the application's side --- */

/* Told of each packet, of the profile and of the end. NULL: nobody is, once this has returned. */
void ics_media_hub_set_reader (IcsMediaHub *self, IcsMediaWake wake, gpointer user_data);

/* FALSE when it is dropped, which is counted. */
gboolean ics_media_hub_send (IcsMediaHub *self, IcsRtpKind kind, GBytes *packet);

/* The next received packet, (transfer full); NULL when there is none. */
GBytes *ics_media_hub_take (IcsMediaHub *self, IcsRtpKind *kind);
/* Waits for it, until the end, or until @cancellable (nullable) is cancelled and ics_media_hub_interrupt().
 */
GBytes *ics_media_hub_wait (IcsMediaHub *self, IcsRtpKind *kind, GCancellable *cancellable);
void ics_media_hub_interrupt (IcsMediaHub *self);

gboolean ics_media_hub_is_ended (IcsMediaHub *self);
/* What the hosts agreed on; NULL while they have not. */
const char *ics_media_hub_get_profile (IcsMediaHub *self);
/* (transfer full) (nullable) */
char *ics_media_hub_get_key_log (IcsMediaHub *self);

/* --- the I/O thread's side --- */

/* Told of each packet. */
void ics_media_hub_set_carrier (IcsMediaHub *self, IcsMediaWake wake, gpointer user_data);
/* For tests: packets under one key, instead of what the RFC allows. Before ics_link_open_media(). */
void ics_media_hub_set_lifetime (IcsMediaHub *self, const guint64 lifetime[ICS_N_RTP_KINDS]);
const guint64 *ics_media_hub_get_lifetime (IcsMediaHub *self);
/* @profile: static. @key_log: (transfer full) (nullable) */
void ics_media_hub_set_ready (IcsMediaHub *self, const char *profile, char *key_log);
/* The next packet to send that was given until @until (monotonic µs), (transfer full); NULL = none. */
GBytes *ics_media_hub_next (IcsMediaHub *self, gint64 until, IcsRtpKind *kind);
void ics_media_hub_count_sent (IcsMediaHub *self, IcsRtpKind kind, IcsPathKind path, gsize len);
/* @packet: (transfer full). @lost: RTP packets that are missing so far. */
void ics_media_hub_deliver (IcsMediaHub *self, IcsRtpKind kind, IcsPathKind path, GBytes *packet,
                            guint64 lost);
void ics_media_hub_end (IcsMediaHub *self);

G_END_DECLS
