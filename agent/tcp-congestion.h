/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Where SYNs cross (RFC 9293 §3.5), the least round-trip time that Linux knows of a connection may be a third
 * of the true one: it seems to count from its own SYN-ACK to the peer's. BBR believes the least one for ten
 * seconds, and has no more under way than some multiple of what fits into it: it hardly grows.
 *
 * @rtt_us: what a check over the open connection has measured. When the system's least time is less than half
 * of it, and BBR is what the system gave, another control takes its place. Returns its name, NULL when all is
 * well. */
const char *ics_tcp_congestion_mend (int fd, gint64 rtt_us);

G_END_DECLS
