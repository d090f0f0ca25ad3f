/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <base/ics-types.h>
#include <glib-object.h>

G_BEGIN_DECLS

/**
 * IcsMediaKind:
 * @ICS_MEDIA_RTP: media packets (RFC 3550 section 5)
 * @ICS_MEDIA_RTCP: control packets (RFC 3550 section 6)
 *
 * What a packet of a media channel is.
 *
 * Since: 0.1
 */
typedef enum
{
  ICS_MEDIA_RTP,
  ICS_MEDIA_RTCP
} IcsMediaKind;

/**
 * ICS_N_MEDIA_KINDS:
 *
 * How many kinds of packets there are; they are numbered from 0.
 *
 * Since: 0.1
 */
#define ICS_N_MEDIA_KINDS 2

#define ICS_TYPE_MEDIA_KIND (ics_media_kind_get_type ())
ICS_AVAILABLE_IN_1_0 GType ics_media_kind_get_type (void) G_GNUC_CONST;

/**
 * IcsMediaDrop:
 * @ICS_MEDIA_DROP_NOT_READY: the other host has opened no media channel (yet), or the link has ended; either
 *   direction
 * @ICS_MEDIA_DROP_MALFORMED: neither RTP nor RTCP, or not what it was given as; either direction
 * @ICS_MEDIA_DROP_TOO_LARGE: larger than the path carries; either direction
 * @ICS_MEDIA_DROP_QUEUE_FULL: to be sent, but 512 packets waited already
 * @ICS_MEDIA_DROP_NO_PATH: to be sent, but there was no path that may carry it, or it took nothing for 0.2 s
 * @ICS_MEDIA_DROP_REPEATED: to be sent, but its sequence number was used before by this source, or is 1,024
 *   behind
 * @ICS_MEDIA_DROP_FORGED: received, and not authentic
 * @ICS_MEDIA_DROP_REPLAYED: received, and not for the first time: the network doubled it, or somebody played
 *   it back
 * @ICS_MEDIA_DROP_LATE: received, 1,024 packets or more behind its source's latest (128 for RTCP)
 * @ICS_MEDIA_DROP_TOO_MANY_SOURCES: of a source beyond the 256th of its direction
 * @ICS_MEDIA_DROP_KEY_LIMIT: the key of its direction is spent (RFC 3711 section 9.2); either direction
 * @ICS_MEDIA_DROP_UNREAD: received, but the application had left 1,024 packets unread; the oldest are dropped
 *
 * Why a media channel dropped a packet.
 *
 * Since: 0.1
 */
typedef enum
{
  ICS_MEDIA_DROP_NOT_READY,
  ICS_MEDIA_DROP_MALFORMED,
  ICS_MEDIA_DROP_TOO_LARGE,
  ICS_MEDIA_DROP_QUEUE_FULL,
  ICS_MEDIA_DROP_NO_PATH,
  ICS_MEDIA_DROP_REPEATED,
  ICS_MEDIA_DROP_FORGED,
  ICS_MEDIA_DROP_REPLAYED,
  ICS_MEDIA_DROP_LATE,
  ICS_MEDIA_DROP_TOO_MANY_SOURCES,
  ICS_MEDIA_DROP_KEY_LIMIT,
  ICS_MEDIA_DROP_UNREAD
} IcsMediaDrop;

/**
 * ICS_N_MEDIA_DROP_REASONS:
 *
 * How many reasons there are; they are numbered from 0.
 *
 * Since: 0.1
 */
#define ICS_N_MEDIA_DROP_REASONS 12

#define ICS_TYPE_MEDIA_DROP (ics_media_drop_get_type ())
ICS_AVAILABLE_IN_1_0 GType ics_media_drop_get_type (void) G_GNUC_CONST;

/**
 * ics_media_drop_to_string:
 * @reason: the reason
 *
 * The stable text name of a reason ("not-ready"), as events carry it.
 *
 * Returns: (transfer none): the name
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_media_drop_to_string (IcsMediaDrop reason);

/**
 * IcsMediaStatistics:
 *
 * What a media channel has done so far: an immutable boxed value, taken with
 * ics_media_channel_get_statistics(). All numbers but the lost packets only grow. A packet that was given to
 * the channel, or came from the network as one of its own, is in exactly one of: sent or received, dropped
 * for one reason, or waiting; one that was received and left unread too long is in two.
 *
 * Since: 0.1
 */
#define ICS_TYPE_MEDIA_STATISTICS (ics_media_statistics_get_type ())
typedef struct _IcsMediaStatistics IcsMediaStatistics;
ICS_AVAILABLE_IN_1_0 GType ics_media_statistics_get_type (void) G_GNUC_CONST;

/**
 * ics_media_statistics_ref:
 * @self: the statistics
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 IcsMediaStatistics *ics_media_statistics_ref (IcsMediaStatistics *self);

/**
 * ics_media_statistics_unref:
 * @self: (transfer full): the statistics
 *
 * Gives a reference back.
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 void ics_media_statistics_unref (IcsMediaStatistics *self);

/**
 * ics_media_statistics_get_sent:
 * @self: the statistics
 * @kind: RTP or RTCP
 *
 * How many packets were handed to a path; what becomes of them there nobody knows.
 *
 * Returns: packets
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 guint64 ics_media_statistics_get_sent (IcsMediaStatistics *self, IcsMediaKind kind);

/**
 * ics_media_statistics_get_received:
 * @self: the statistics
 * @kind: RTP or RTCP
 *
 * How many authentic packets came, each counted once.
 *
 * Returns: packets
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 guint64 ics_media_statistics_get_received (IcsMediaStatistics *self, IcsMediaKind kind);

/**
 * ics_media_statistics_get_sent_bytes:
 * @self: the statistics
 * @path: the kind of path
 *
 * How much was sent over paths of this kind: packets with their headers, before protection.
 *
 * Returns: bytes
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 guint64 ics_media_statistics_get_sent_bytes (IcsMediaStatistics *self, IcsPathKind path);

/**
 * ics_media_statistics_get_received_bytes:
 * @self: the statistics
 * @path: the kind of path
 *
 * How much was received over paths of this kind: packets with their headers, without protection.
 *
 * Returns: bytes
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 guint64 ics_media_statistics_get_received_bytes (IcsMediaStatistics *self,
                                                                      IcsPathKind path);

/**
 * ics_media_statistics_get_lost:
 * @self: the statistics
 *
 * RTP packets that are missing between the first and the latest one received of each source, all sources
 * together (RFC 3550 A.3). One that is under way on a slower path counts until it comes, so this is the only
 * number that also falls.
 *
 * Returns: packets
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 guint64 ics_media_statistics_get_lost (IcsMediaStatistics *self);

/**
 * ics_media_statistics_get_dropped:
 * @self: the statistics
 * @reason: the reason
 *
 * How many packets were dropped for this reason.
 *
 * Returns: packets
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 guint64 ics_media_statistics_get_dropped (IcsMediaStatistics *self, IcsMediaDrop reason);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsMediaStatistics, ics_media_statistics_unref)

G_END_DECLS
