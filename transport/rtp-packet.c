/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/rtp-packet.h"

#include "base/wire.h"

/* RFC 5761 §4: payload types 64 to 95, with the marker bit where RTP has it, are the packet types 192 to 223.
 */
#define RTCP_FIRST 192
#define RTCP_LAST 223
#define EXTENSION 0x10
#define CSRC_COUNT 0x0f

/* The header with its contributing sources and its extension is there (RFC 3550 §5.3.1). */
static gboolean
has_rtp_header (const guint8 *data, gsize len)
{
  gsize header = ICS_RTP_HEADER + 4 * (gsize)(data[0] & CSRC_COUNT);

  if ((data[0] & EXTENSION) == 0)
    return len >= header;
  if (len < header + 4)
    return FALSE;
  return len >= header + 4 + 4 * (gsize)(data[header + 2] << 8 | data[header + 3]);
}

gboolean
ics_rtp_classify (const guint8 *data, gsize len, IcsRtpKind *kind)
{
  if (len < ICS_RTCP_HEADER || !ics_rtp_matches (data[0]))
    return FALSE;
  *kind = data[1] >= RTCP_FIRST && data[1] <= RTCP_LAST ? ICS_RTP_RTCP : ICS_RTP_RTP;
  return *kind == ICS_RTP_RTCP || (len >= ICS_RTP_HEADER && has_rtp_header (data, len));
}

guint32
ics_rtp_get_ssrc (const guint8 *data, IcsRtpKind kind)
{
  IcsReader reader;

  ics_reader_init (&reader, data + (kind == ICS_RTP_RTCP ? 4 : 8), 4);
  return ics_reader_u32 (&reader);
}

guint16
ics_rtp_get_sequence (const guint8 *data)
{
  return (guint16)(data[2] << 8 | data[3]);
}
