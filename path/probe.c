/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path/probe.h"
#include <sodium.h>
#include <string.h>

#define OFFSET_TYPE 1
#define OFFSET_GUARD 2
#define OFFSET_SEQ 4
#define OFFSET_COOKIE 12
#define OFFSET_MAC 20
#define MAC_LEN 16

G_STATIC_ASSERT (OFFSET_MAC + MAC_LEN == ICS_PROBE_LEN);
G_STATIC_ASSERT (MAC_LEN >= crypto_generichash_BYTES_MIN && ICS_PROBE_KEY_LEN == crypto_generichash_KEYBYTES);

/* In the place of STUN's message length (RFC 8489 §5): no datagram is that long and it is no multiple of
 * four. */
static const guint8 guard[2] = { 0xff, 0xff };

static void
put_u64 (guint8 *to, guint64 value)
{
  value = GUINT64_TO_BE (value);
  memcpy (to, &value, sizeof value);
}

static guint64
get_u64 (const guint8 *from)
{
  guint64 value;

  memcpy (&value, from, sizeof value);
  return GUINT64_FROM_BE (value);
}

static void
compute_mac (guint8 mac[MAC_LEN], const guint8 *data, const guint8 key[ICS_PROBE_KEY_LEN])
{
  crypto_generichash (mac, MAC_LEN, data, OFFSET_MAC, key, ICS_PROBE_KEY_LEN);
}

gboolean
ics_probe_matches (const guint8 *data, gsize len)
{
  return len == ICS_PROBE_LEN && data[0] == ICS_PROBE_FIRST_BYTE && data[OFFSET_TYPE] >= ICS_PROBE_PING
         && data[OFFSET_TYPE] <= ICS_PROBE_PING_IN_DOUBT
         && memcmp (data + OFFSET_GUARD, guard, sizeof guard) == 0;
}

void
ics_probe_write (guint8 buf[ICS_PROBE_LEN], const IcsProbe *probe, const guint8 key[ICS_PROBE_KEY_LEN])
{
  buf[0] = ICS_PROBE_FIRST_BYTE;
  buf[OFFSET_TYPE] = (guint8)probe->type;
  memcpy (buf + OFFSET_GUARD, guard, sizeof guard);
  put_u64 (buf + OFFSET_SEQ, probe->seq);
  put_u64 (buf + OFFSET_COOKIE, probe->cookie);
  compute_mac (buf + OFFSET_MAC, buf, key);
}

gboolean
ics_probe_read (const guint8 *data, gsize len, const guint8 key[ICS_PROBE_KEY_LEN], IcsProbe *probe)
{
  guint8 mac[MAC_LEN];

  if (!ics_probe_matches (data, len))
    return FALSE;
  compute_mac (mac, data, key);
  if (sodium_memcmp (mac, data + OFFSET_MAC, MAC_LEN) != 0)
    return FALSE;
  probe->type = (IcsProbeType)data[OFFSET_TYPE];
  probe->seq = get_u64 (data + OFFSET_SEQ);
  probe->cookie = get_u64 (data + OFFSET_COOKIE);
  return TRUE;
}
