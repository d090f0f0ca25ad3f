/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What was received of one source (RFC 3550 A.1, A.3), from authentic packets that came once. */
typedef struct
{
  guint32 ssrc;
  gboolean begun;
  guint16 base;
  guint64 highest; /* sequence number, counted on through its wraps */
  guint64 received;
} IcsRtpSource;

/* @wraps: how many times the sequence numbers began anew since the latest one beyond what these tell, after a
 * long outage. */
void ics_rtp_source_received (IcsRtpSource *self, guint16 sequence, guint wraps);

/* Packets that are missing, counted from the first one that came to the latest. One that is only late counts
 * until it comes. */
guint64 ics_rtp_source_lost (const IcsRtpSource *self);

G_END_DECLS
