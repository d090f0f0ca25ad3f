/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The probe datagram, see docs/protocol.md. A ping asks, a pong repeats its seq and cookie; both have the
 * same size, so that nobody can use a host as an amplifier. */

/* RFC 9443 §2 leaves 4 to 15 to nobody: not STUN, ZRTP, DTLS, TURN channel data, RTP or QUIC. */
#define ICS_PROBE_FIRST_BYTE 0x04
#define ICS_PROBE_LEN 36
#define ICS_PROBE_KEY_LEN 32

typedef enum
{
  ICS_PROBE_PING = 1,
  ICS_PROBE_PONG = 2,
  ICS_PROBE_PING_IN_DOUBT = 3 /* a ping; and on the active path the sender's pings are not answered */
} IcsProbeType;

typedef struct
{
  IcsProbeType type;
  guint64 seq;    /* from 1 */
  guint64 cookie; /* opaque to the peer */
} IcsProbe;

/* Whether a datagram is meant to be a probe; it may still be forged. */
gboolean ics_probe_matches (const guint8 *data, gsize len);

/* @key belongs to the direction: what a host sends it can never take for the peer's. */
void ics_probe_write (guint8 buf[ICS_PROBE_LEN], const IcsProbe *probe, const guint8 key[ICS_PROBE_KEY_LEN]);
gboolean ics_probe_read (const guint8 *data, gsize len, const guint8 key[ICS_PROBE_KEY_LEN], IcsProbe *probe);

G_END_DECLS
