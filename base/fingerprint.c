/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fingerprint.h"
#include <sodium.h>

G_STATIC_ASSERT (ICS_FINGERPRINT_SIZE == crypto_hash_sha256_BYTES);

void
ics_fingerprint_from_der (guint8 fingerprint[ICS_FINGERPRINT_SIZE], const guint8 *der, gsize len)
{
  crypto_hash_sha256 (fingerprint, der, len);
}

gboolean
ics_fingerprint_equal (const guint8 a[ICS_FINGERPRINT_SIZE], const guint8 b[ICS_FINGERPRINT_SIZE])
{
  return sodium_memcmp (a, b, ICS_FINGERPRINT_SIZE) == 0;
}

char *
ics_fingerprint_to_hex (const guint8 fingerprint[ICS_FINGERPRINT_SIZE])
{
  char *hex = g_malloc (2 * ICS_FINGERPRINT_SIZE + 1);

  return sodium_bin2hex (hex, 2 * ICS_FINGERPRINT_SIZE + 1, fingerprint, ICS_FINGERPRINT_SIZE);
}
