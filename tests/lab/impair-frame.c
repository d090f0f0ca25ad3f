/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/lab/impair-frame.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#define ETHERTYPE_AT 12
#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define IPV6_MIN_MTU 1280 /* RFC 8200 §5 */
#define ICMP_HEADER 8
#define UDP_HEADER 8
#define UDP_CHECKSUM_AT 6

static guint16
get16 (const guint8 *p)
{
  return (guint16)(p[0] << 8 | p[1]);
}

static void
put16 (guint8 *p, guint16 value)
{
  p[0] = (guint8)(value >> 8);
  p[1] = (guint8)value;
}

/* RFC 1071. */
static guint32
sum_words (guint32 sum, const guint8 *p, gsize len)
{
  for (; len > 1; p += 2, len -= 2)
    sum += get16 (p);
  return len > 0 ? sum + (guint32)(*p << 8) : sum;
}

static guint16
fold (guint32 sum)
{
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  return (guint16)sum;
}

typedef struct
{
  guint16 type;
  guint8 protocol;
  gsize payload; /* where it begins in the frame; 0: not IP, or cut off */
} Parsed;

static Parsed
parse (const guint8 *frame, gsize len)
{
  Parsed parsed = { 0 };
  const guint8 *ip = frame + IMPAIR_ETHERNET;
  gsize header = 0;

  if (len < IMPAIR_ETHERNET)
    return parsed;
  parsed.type = get16 (frame + ETHERTYPE_AT);
  if (parsed.type == ETHERTYPE_IPV4 && len >= IMPAIR_ETHERNET + IPV4_HEADER)
    {
      header = 4 * (gsize)(ip[0] & 0xf);
      parsed.protocol = ip[9];
    }
  else if (parsed.type == ETHERTYPE_IPV6 && len >= IMPAIR_ETHERNET + IPV6_HEADER)
    {
      header = IPV6_HEADER;
      parsed.protocol = ip[6];
    }
  if (header >= IPV4_HEADER && len >= IMPAIR_ETHERNET + header)
    parsed.payload = IMPAIR_ETHERNET + header;
  return parsed;
}

gboolean
impair_frame_is_local (const guint8 *frame, gsize len)
{
  Parsed parsed = parse (frame, len);

  if (parsed.type != ETHERTYPE_IPV4 && parsed.type != ETHERTYPE_IPV6)
    return TRUE;
  return parsed.payload != 0 && parsed.payload < len && parsed.type == ETHERTYPE_IPV6
         && parsed.protocol == IPPROTO_ICMPV6 && frame[parsed.payload] >= ND_ROUTER_SOLICIT
         && frame[parsed.payload] <= ND_REDIRECT;
}

void
impair_frame_corrupt (guint8 *frame, gsize len, guint32 random)
{
  Parsed parsed = parse (frame, len);
  gboolean udp = parsed.protocol == IPPROTO_UDP;
  gsize from = parsed.payload + (udp ? UDP_HEADER : 0);
  guint8 *checksum = frame + parsed.payload + UDP_CHECKSUM_AT;
  guint16 old, sum;
  gsize at, word;

  if (parsed.payload == 0 || from >= len)
    return;
  at = from + (random >> 3) % (len - from);
  word = at - ((at - parsed.payload) & 1);
  /* A last odd byte is summed with a zero behind it, which never changes. */
  old = (guint16)(frame[word] << 8 | (word + 1 < len ? frame[word + 1] : 0));
  frame[at] ^= (guint8)(1 << (random & 7));
  if (!udp || get16 (checksum) == 0)
    return;
  /* RFC 1624 §3, eqn. 3; a sum of zero is sent as all ones (RFC 768). */
  sum = (guint16)~fold ((guint32)(guint16)~get16 (checksum) + (guint16)~old
                        + (guint32)(frame[word] << 8 | (word + 1 < len ? frame[word + 1] : 0)));
  put16 (checksum, sum != 0 ? sum : 0xffff);
}

static gsize
answer_ipv4 (const guint8 *ip, gsize len, guint16 mtu, guint8 *out)
{
  gsize quoted = MIN (len, 576 - IPV4_HEADER - ICMP_HEADER); /* RFC 1812 §4.3.2.3 */
  gsize total = IPV4_HEADER + ICMP_HEADER + quoted;
  guint8 *icmp = out + IPV4_HEADER;

  memset (out, 0, IPV4_HEADER + ICMP_HEADER);
  out[0] = 0x45;
  put16 (out + 2, (guint16)total);
  out[8] = 64;
  out[9] = IPPROTO_ICMP;
  memcpy (out + 12, ip + 16, 4);
  memcpy (out + 16, ip + 12, 4);
  put16 (out + 10, (guint16)~fold (sum_words (0, out, IPV4_HEADER)));
  icmp[0] = ICMP_DEST_UNREACH;
  icmp[1] = ICMP_FRAG_NEEDED;
  put16 (icmp + 6, mtu);
  memcpy (icmp + ICMP_HEADER, ip, quoted);
  put16 (icmp + 2, (guint16)~fold (sum_words (0, icmp, ICMP_HEADER + quoted)));
  return total;
}

static gsize
answer_ipv6 (const guint8 *ip, gsize len, guint16 mtu, guint8 *out)
{
  gsize quoted = MIN (len, IPV6_MIN_MTU - IPV6_HEADER - ICMP_HEADER);
  gsize icmp_len = ICMP_HEADER + quoted;
  guint8 *icmp = out + IPV6_HEADER;

  memset (out, 0, IPV6_HEADER + ICMP_HEADER);
  out[0] = 0x60;
  put16 (out + 4, (guint16)icmp_len);
  out[6] = IPPROTO_ICMPV6;
  out[7] = 64;
  memcpy (out + 8, ip + 24, 16);
  memcpy (out + 24, ip + 8, 16);
  icmp[0] = ICMP6_PACKET_TOO_BIG;
  put16 (icmp + 6, mtu);
  memcpy (icmp + ICMP_HEADER, ip, quoted);
  /* The pseudo-header: both addresses, the length, the protocol (RFC 8200 §8.1). */
  put16 (icmp + 2, (guint16)~fold (sum_words (sum_words ((guint32)icmp_len + IPPROTO_ICMPV6, out + 8, 32),
                                              icmp, icmp_len)));
  return IPV6_HEADER + icmp_len;
}

gsize
impair_frame_too_big (const guint8 *frame, gsize len, guint16 mtu, guint8 *answer)
{
  Parsed parsed = parse (frame, len);
  const guint8 *ip = frame + IMPAIR_ETHERNET;
  gsize ip_len = len - IMPAIR_ETHERNET;

  if (parsed.payload == 0)
    return 0;
  memcpy (answer, frame + 6, 6);
  memcpy (answer + 6, frame, 6);
  put16 (answer + ETHERTYPE_AT, parsed.type);
  return IMPAIR_ETHERNET
         + (parsed.type == ETHERTYPE_IPV4 ? answer_ipv4 : answer_ipv6) (ip, ip_len, mtu,
                                                                        answer + IMPAIR_ETHERNET);
}
