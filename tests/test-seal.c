/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/seal.h"
#include "tests/suite.h"
#include <gnutls/crypto.h>
#include <string.h>

/* GnuTLS is the second opinion: another implementation of HKDF and of ChaCha20-Poly1305. */

static const guint8 isk[ICS_CPACE_ISK_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8 };
static const guint8 key[ICS_SEAL_KEY_SIZE] = { 9, 8, 7, 6, 5, 4, 3, 2, 1 };
static const guint8 text[] = "a bird in the hand";
static const guint8 head[] = "head";

#define TEXT ICS_SPAN (text, sizeof text)
#define HEAD ICS_SPAN (head, sizeof head)

START_TEST (expand_is_hkdf)
{
  static const guint8 info[] = { 'l', 'a', 'b', 'e', 'l', 0x00, 'c', 't', 'x' };
  gnutls_datum_t prk = { (guint8 *)isk, sizeof isk };
  gnutls_datum_t info_datum = { (guint8 *)info, sizeof info };
  guint8 expected[ICS_KEY_MAX_SIZE], got[ICS_KEY_MAX_SIZE];

  ck_assert_int_eq (gnutls_hkdf_expand (GNUTLS_MAC_SHA512, &prk, &info_datum, expected, sizeof expected), 0);
  ics_key_expand (got, sizeof got, isk, "label", ICS_SPAN (info + 6, 3));
  ck_assert_mem_eq (got, expected, sizeof got);
  memset (got, 0, sizeof got);
  ics_key_expand (got, ICS_SEAL_KEY_SIZE, isk, "label", ICS_SPAN (info + 6, 3));
  ck_assert_mem_eq (got, expected, ICS_SEAL_KEY_SIZE);
  ck_assert_uint_eq (got[ICS_SEAL_KEY_SIZE], 0);
}
END_TEST

START_TEST (seal_is_chacha20_poly1305)
{
  static const guint8 second_nonce[12] = { [11] = 1 };
  gnutls_datum_t key_datum = { (guint8 *)key, sizeof key };
  g_autoptr (IcsSeal) seal = ics_seal_new (key);
  gnutls_aead_cipher_hd_t cipher;
  guint8 sealed[sizeof text + ICS_SEAL_OVERHEAD], expected[sizeof sealed];
  gsize len = sizeof expected;

  ck_assert_int_eq (gnutls_aead_cipher_init (&cipher, GNUTLS_CIPHER_CHACHA20_POLY1305, &key_datum), 0);
  ck_assert_int_eq (gnutls_aead_cipher_encrypt (cipher, second_nonce, sizeof second_nonce, head, sizeof head,
                                                ICS_SEAL_OVERHEAD, text, sizeof text, expected, &len),
                    0);
  gnutls_aead_cipher_deinit (cipher);
  ics_seal_seal (seal, sealed, TEXT, HEAD);
  ck_assert_mem_ne (sealed, expected, sizeof sealed);
  ics_seal_seal (seal, sealed, TEXT, HEAD);
  ck_assert_mem_eq (sealed, expected, sizeof sealed);
}
END_TEST

START_TEST (opens_once_and_in_order)
{
  g_autoptr (IcsSeal) sender = ics_seal_new (key);
  g_autoptr (IcsSeal) receiver = ics_seal_new (key);
  guint8 first[sizeof text + ICS_SEAL_OVERHEAD], second[sizeof first], out[sizeof text];

  ics_seal_seal (sender, first, TEXT, HEAD);
  ics_seal_seal (sender, second, TEXT, HEAD);
  ck_assert (!ics_seal_open (receiver, out, ICS_SPAN (second, sizeof second), HEAD));
  ck_assert (ics_seal_open (receiver, out, ICS_SPAN (first, sizeof first), HEAD));
  ck_assert_mem_eq (out, text, sizeof text);
  ck_assert (!ics_seal_open (receiver, out, ICS_SPAN (first, sizeof first), HEAD));
  ck_assert (ics_seal_open (receiver, out, ICS_SPAN (second, sizeof second), HEAD));
}
END_TEST

START_TEST (every_flip_and_cut_is_seen)
{
  g_autoptr (IcsSeal) sender = ics_seal_new (key);
  g_autoptr (IcsSeal) receiver = ics_seal_new (key);
  guint8 sealed[sizeof text + ICS_SEAL_OVERHEAD], out[sizeof text];

  ics_seal_seal (sender, sealed, TEXT, HEAD);
  for (gsize i = 0; i < sizeof sealed; i++)
    {
      sealed[i] ^= 0x40;
      ck_assert (!ics_seal_open (receiver, out, ICS_SPAN (sealed, sizeof sealed), HEAD));
      sealed[i] ^= 0x40;
      ck_assert (!ics_seal_open (receiver, out, ICS_SPAN (sealed, i), HEAD));
    }
  ck_assert (!ics_seal_open (receiver, out, ICS_SPAN (sealed, sizeof sealed), TEXT));
  ck_assert (ics_seal_open (receiver, out, ICS_SPAN (sealed, sizeof sealed), HEAD));
}
END_TEST

int
main (void)
{
  const TTest *const tests[] = { expand_is_hkdf, seal_is_chacha20_poly1305, opens_once_and_in_order,
                                 every_flip_and_cut_is_seen, NULL };

  return run_suite ("seal", tests);
}
