/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/nat64.h"
#include <string.h>

/* RFC 6052 §2.2: bits 64 to 71, the "u" octet, are zero, and an IPv4 address steps over them. */
#define U_OCTET 8

/* RFC 7050 §8.2: 192.0.0.170 and 192.0.0.171. */
static const guint8 known_addresses[][ICS_NAT64_IPV4_LEN] = { { 192, 0, 0, 170 }, { 192, 0, 0, 171 } };

static const guint lengths[] = { 32, 40, 48, 56, 64, 96 };

static gboolean
is_length (guint length)
{
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    if (lengths[i] == length)
      return TRUE;
  return FALSE;
}

gboolean
ics_nat64_prefix_init (IcsNat64Prefix *self, const guint8 bytes[ICS_NAT64_IPV6_LEN], guint length)
{
  memset (self, 0, sizeof *self);
  if (!is_length (length) || (length > 8 * U_OCTET && bytes[U_OCTET] != 0))
    return FALSE;
  memcpy (self->bytes, bytes, length / 8);
  self->length = length;
  return TRUE;
}

gboolean
ics_nat64_prefix_equal (const IcsNat64Prefix *self, const IcsNat64Prefix *other)
{
  return self->length == other->length && memcmp (self->bytes, other->bytes, sizeof self->bytes) == 0;
}

/* Where byte @i of the IPv4 address stands. */
static guint
place (guint length, guint i)
{
  guint at = length / 8 + i;

  return length <= 8 * U_OCTET && at >= U_OCTET ? at + 1 : at;
}

static void
take (const guint8 ipv6[ICS_NAT64_IPV6_LEN], guint length, guint8 ipv4[ICS_NAT64_IPV4_LEN])
{
  for (guint i = 0; i < ICS_NAT64_IPV4_LEN; i++)
    ipv4[i] = ipv6[place (length, i)];
}

static gboolean
is_known (const guint8 ipv4[ICS_NAT64_IPV4_LEN])
{
  for (guint i = 0; i < G_N_ELEMENTS (known_addresses); i++)
    if (memcmp (ipv4, known_addresses[i], ICS_NAT64_IPV4_LEN) == 0)
      return TRUE;
  return FALSE;
}

gboolean
ics_nat64_prefix_find (IcsNat64Prefix *self, const guint8 answer[ICS_NAT64_IPV6_LEN])
{
  guint8 ipv4[ICS_NAT64_IPV4_LEN];
  guint found = 0;

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      take (answer, lengths[i], ipv4);
      if (!is_known (ipv4))
        continue;
      if (found != 0)
        return FALSE;
      found = lengths[i];
    }
  return found != 0 && ics_nat64_prefix_init (self, answer, found);
}

void
ics_nat64_embed (const IcsNat64Prefix *self, const guint8 ipv4[ICS_NAT64_IPV4_LEN],
                 guint8 ipv6[ICS_NAT64_IPV6_LEN])
{
  memcpy (ipv6, self->bytes, ICS_NAT64_IPV6_LEN);
  for (guint i = 0; i < ICS_NAT64_IPV4_LEN; i++)
    ipv6[place (self->length, i)] = ipv4[i];
}

gboolean
ics_nat64_extract (const IcsNat64Prefix *self, const guint8 ipv6[ICS_NAT64_IPV6_LEN],
                   guint8 ipv4[ICS_NAT64_IPV4_LEN])
{
  if (self->length == 0 || memcmp (ipv6, self->bytes, self->length / 8) != 0)
    return FALSE;
  take (ipv6, self->length, ipv4);
  return TRUE;
}

gboolean
ics_nat64_is_worth_it (const guint8 ipv4[ICS_NAT64_IPV4_LEN])
{
  /* RFC 6890's registry, but for the ranges for documentation (RFC 5737), which laboratories route. */
  static const struct
  {
    guint8 net[2], mask[2];
  } local[] = {
    { { 0, 0 }, { 255, 0 } },       { { 10, 0 }, { 255, 0 } },      { { 100, 64 }, { 255, 192 } },
    { { 127, 0 }, { 255, 0 } },     { { 169, 254 }, { 255, 255 } }, { { 172, 16 }, { 255, 240 } },
    { { 192, 168 }, { 255, 255 } }, { { 224, 0 }, { 224, 0 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (local); i++)
    if ((ipv4[0] & local[i].mask[0]) == local[i].net[0] && (ipv4[1] & local[i].mask[1]) == local[i].net[1])
      return FALSE;
  return !(ipv4[0] == 192 && ipv4[1] == 0 && ipv4[2] == 0); /* RFC 6890 §2.1, and 464XLAT's (RFC 7335) */
}
