/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/cpace.h"
#include <sodium.h>
#include <string.h>

#define DSI "CPaceRistretto255"
#define DSI_ISK "CPaceRistretto255_ISK"
#define SHA512_BLOCK_SIZE 128 /* s_in_bytes of the draft */
#define LEB128_MAX_SIZE 10    /* of a 64-bit length */

G_STATIC_ASSERT (ICS_CPACE_POINT_SIZE == crypto_core_ristretto255_BYTES);
G_STATIC_ASSERT (ICS_CPACE_SCALAR_SIZE == crypto_core_ristretto255_SCALARBYTES);
G_STATIC_ASSERT (ICS_CPACE_SEED_SIZE == crypto_core_ristretto255_NONREDUCEDSCALARBYTES);
G_STATIC_ASSERT (ICS_CPACE_ISK_SIZE == crypto_hash_sha512_BYTES);
G_STATIC_ASSERT (crypto_core_ristretto255_HASHBYTES == crypto_hash_sha512_BYTES);

static gsize
leb128 (guint8 out[LEB128_MAX_SIZE], gsize value)
{
  gsize n = 0;

  do
    {
      out[n] = value & 0x7f;
      value >>= 7;
      if (value != 0)
        out[n] |= 0x80;
      n++;
    }
  while (value != 0);
  return n;
}

/* lv(): a length in LEB128, then the bytes. Returns how many bytes that was. */
static gsize
hash_lv (crypto_hash_sha512_state *hash, IcsSpan span)
{
  guint8 length[LEB128_MAX_SIZE];
  gsize n = leb128 (length, span.len);

  crypto_hash_sha512_update (hash, length, n);
  if (span.len > 0)
    crypto_hash_sha512_update (hash, span.data, span.len);
  return n + span.len;
}

static IcsSpan
text_span (const char *text)
{
  return ICS_SPAN ((const guint8 *)text, strlen (text));
}

/* generator_string() of the draft. The zeros fill the first hash block, so that the time of hashing the
 * password does not depend on what follows it. */
void
ics_cpace_generator (guint8 g[ICS_CPACE_POINT_SIZE], IcsSpan prs, IcsSpan ci, IcsSpan sid)
{
  static const guint8 zeros[SHA512_BLOCK_SIZE];
  crypto_hash_sha512_state hash;
  guint8 digest[crypto_hash_sha512_BYTES];
  gsize used;

  crypto_hash_sha512_init (&hash);
  used = hash_lv (&hash, text_span (DSI));
  used += hash_lv (&hash, prs);
  hash_lv (&hash, ICS_SPAN (zeros, used + 1 < SHA512_BLOCK_SIZE ? SHA512_BLOCK_SIZE - 1 - used : 0));
  hash_lv (&hash, ci);
  hash_lv (&hash, sid);
  crypto_hash_sha512_final (&hash, digest);
  crypto_core_ristretto255_from_hash (g, digest);
  sodium_memzero (&hash, sizeof hash);
  sodium_memzero (digest, sizeof digest);
}

void
ics_cpace_scalar (guint8 y[ICS_CPACE_SCALAR_SIZE], const guint8 seed[ICS_CPACE_SEED_SIZE])
{
  crypto_core_ristretto255_scalar_reduce (y, seed);
}

gboolean
ics_cpace_scalar_mult (guint8 product[ICS_CPACE_POINT_SIZE], const guint8 y[ICS_CPACE_SCALAR_SIZE],
                       const guint8 point[ICS_CPACE_POINT_SIZE])
{
  return crypto_scalarmult_ristretto255 (product, y, point) == 0;
}

void
ics_cpace_isk_ir (guint8 isk[ICS_CPACE_ISK_SIZE], IcsSpan sid, const guint8 k[ICS_CPACE_POINT_SIZE],
                  const IcsCpaceTranscript *transcript)
{
  crypto_hash_sha512_state hash;

  crypto_hash_sha512_init (&hash);
  hash_lv (&hash, text_span (DSI_ISK));
  hash_lv (&hash, sid);
  hash_lv (&hash, ICS_SPAN (k, ICS_CPACE_POINT_SIZE));
  hash_lv (&hash, transcript->ya);
  hash_lv (&hash, transcript->ada);
  hash_lv (&hash, transcript->yb);
  hash_lv (&hash, transcript->adb);
  crypto_hash_sha512_final (&hash, isk);
  sodium_memzero (&hash, sizeof hash);
}
