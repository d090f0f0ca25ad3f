/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What RTP and RTCP packets look like (RFC 3550 §5.1, §6.4), protected ones as well. */

typedef enum
{
  ICS_RTP_RTP,
  ICS_RTP_RTCP
} IcsRtpKind;

#define ICS_N_RTP_KINDS 2
#define ICS_RTP_HEADER 12 /* bytes, at least */
#define ICS_RTCP_HEADER 8

/* RFC 7983 §7, RFC 9443 §3: the first byte of what is RTP or RTCP. */
static inline gboolean
ics_rtp_matches (guint8 first)
{
  return first >= 128 && first <= 191;
}

/* RFC 5761 §4 tells the two apart by the second byte. FALSE when it is neither, or is cut off. */
gboolean ics_rtp_classify (const guint8 *data, gsize len, IcsRtpKind *kind);

/* Of a packet that was classified: its sender, and the sequence number (RTP only). */
guint32 ics_rtp_get_ssrc (const guint8 *data, IcsRtpKind kind);
guint16 ics_rtp_get_sequence (const guint8 *data);

G_END_DECLS
