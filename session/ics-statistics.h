/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <base/ics-types.h>
#include <glib-object.h>

G_BEGIN_DECLS

/**
 * IcsStatistics:
 *
 * What a link has done so far: an immutable boxed value, a snapshot, for any thread. Everything counts from
 * when the link was connected, on this host; nothing begins anew when the traffic moves.
 *
 * Since: 0.1
 */
typedef struct _IcsStatistics IcsStatistics;

#define ICS_TYPE_STATISTICS (ics_statistics_get_type ())
ICS_AVAILABLE_IN_1_0 GType ics_statistics_get_type (void) G_GNUC_CONST;

/**
 * ics_statistics_ref:
 * @self: statistics
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 IcsStatistics *ics_statistics_ref (IcsStatistics *self);

/**
 * ics_statistics_unref:
 * @self: (transfer full): statistics
 *
 * Gives a reference back.
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 void ics_statistics_unref (IcsStatistics *self);

/**
 * ics_statistics_get_sent:
 * @self: statistics
 * @kind: a kind of path
 *
 * How much was sent on paths of @kind: QUIC packets (RFC 9000) with all that is in them, also what was sent
 * again; not what is below them, nor probes and signalling. [method@Stream.get_sent] counts a stream's own
 * bytes.
 *
 * Returns: bytes
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 guint64 ics_statistics_get_sent (IcsStatistics *self, IcsPathKind kind);

/**
 * ics_statistics_get_received:
 * @self: statistics
 * @kind: a kind of path
 *
 * How much came on paths of @kind, counted as [method@Statistics.get_sent] does.
 *
 * Returns: bytes
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 guint64 ics_statistics_get_received (IcsStatistics *self, IcsPathKind kind);

/**
 * ics_statistics_get_time_ms:
 * @self: statistics
 * @kind: a kind of path
 *
 * How long the traffic was on paths of @kind. The sum over all kinds is how long the link has been connected,
 * that over %ICS_PATH_CHANNEL and %ICS_PATH_TURN how long it was relayed.
 *
 * Returns: milliseconds
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 guint64 ics_statistics_get_time_ms (IcsStatistics *self, IcsPathKind kind);

/**
 * ics_statistics_get_rtt_ms:
 * @self: statistics
 *
 * The round-trip time of the path that the traffic is on, as its probes measure it, smoothed (RFC 6298 §2).
 *
 * Returns: milliseconds; 0 = not known yet
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 double ics_statistics_get_rtt_ms (IcsStatistics *self);

/**
 * ics_statistics_get_loss:
 * @self: statistics
 *
 * How much is lost on the path that the traffic is on: the share of its probes that had no answer, smoothed.
 *
 * Returns: 0 to 1
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 double ics_statistics_get_loss (IcsStatistics *self);

/**
 * ics_statistics_get_n_shifts:
 * @self: statistics
 *
 * How often the traffic that this host sends moved to another path.
 *
 * Returns: the number; the first path does not count, nor does a new address of the same one
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 guint ics_statistics_get_n_shifts (IcsStatistics *self);

/**
 * ics_statistics_get_n_stalls:
 * @self: statistics
 *
 * How often a shift held up what the application receives ([signal@Link::stall]).
 *
 * Returns: the number
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 guint ics_statistics_get_n_stalls (IcsStatistics *self);

/**
 * ics_statistics_get_longest_stall_ms:
 * @self: statistics
 *
 * The longest of these pauses.
 *
 * Returns: milliseconds; 0 when there was none
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 guint ics_statistics_get_longest_stall_ms (IcsStatistics *self);

/**
 * ics_statistics_get_datagrams_sent:
 * @self: statistics
 *
 * How many of the application's datagrams (RFC 9221) were given to QUIC.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 guint64 ics_statistics_get_datagrams_sent (IcsStatistics *self);

/**
 * ics_statistics_get_datagrams_unsent:
 * @self: statistics
 *
 * How many of the application's datagrams found no room and were dropped, those included for which
 * [method@Link.send_datagram] said so.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 guint64 ics_statistics_get_datagrams_unsent (IcsStatistics *self);

/**
 * ics_statistics_get_datagrams_received:
 * @self: statistics
 *
 * How many datagrams of the peer's application came.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 guint64 ics_statistics_get_datagrams_received (IcsStatistics *self);

/**
 * ics_statistics_get_datagrams_missed:
 * @self: statistics
 *
 * How many of those that came were dropped because the link's main context was busy for too long.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 guint64 ics_statistics_get_datagrams_missed (IcsStatistics *self);

/**
 * ics_statistics_get_packets_dropped:
 * @self: statistics
 *
 * How many packets came that were not the peer's, or not to be understood, and were dropped.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 guint64 ics_statistics_get_packets_dropped (IcsStatistics *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsStatistics, ics_statistics_unref)

G_END_DECLS
