/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Where SYNs cross (RFC 9293 §3.5), Linux takes the time between its own SYN-ACK and the peer's for a round
 * trip: the samples of both ends add up to one, so that of one end is at most half of it. BBR begins with the
 * least round-trip time that the connection has seen, believes it for ten seconds, and sends no more than
 * twice what fits into it: with a third of the true time less than is delivered, and it never grows.
 *
 * @rtt_us: what a check over the open connection has measured. When the system's least time is less than half
 * of it, and BBR is what the system gave, another control takes its place. Returns its name, NULL when all is
 * well. */
const char *ics_tcp_congestion_mend (int fd, gint64 rtt_us);

G_END_DECLS
