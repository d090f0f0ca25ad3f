/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/seal.h"
#include <sodium.h>
#include <string.h>

#define NONCE_PREFIX_SIZE 4

G_STATIC_ASSERT (ICS_SEAL_KEY_SIZE == crypto_aead_chacha20poly1305_IETF_KEYBYTES);
G_STATIC_ASSERT (ICS_SEAL_OVERHEAD == crypto_aead_chacha20poly1305_IETF_ABYTES);
G_STATIC_ASSERT (ICS_KEY_MAX_SIZE == crypto_auth_hmacsha512_BYTES);

struct _IcsSeal
{
  guint8 key[ICS_SEAL_KEY_SIZE];
  guint64 next; /* number of the next message */
};

void
ics_key_expand (guint8 *key, gsize key_len, const guint8 isk[ICS_CPACE_ISK_SIZE], const char *label,
                IcsSpan context)
{
  static const guint8 first_block = 0x01;
  crypto_auth_hmacsha512_state hmac;
  guint8 block[crypto_auth_hmacsha512_BYTES];

  g_return_if_fail (key_len <= ICS_KEY_MAX_SIZE);
  crypto_auth_hmacsha512_init (&hmac, isk, ICS_CPACE_ISK_SIZE);
  crypto_auth_hmacsha512_update (&hmac, (const guint8 *)label, strlen (label) + 1);
  if (context.len > 0)
    crypto_auth_hmacsha512_update (&hmac, context.data, context.len);
  crypto_auth_hmacsha512_update (&hmac, &first_block, 1);
  crypto_auth_hmacsha512_final (&hmac, block);
  memcpy (key, block, key_len);
  sodium_memzero (&hmac, sizeof hmac);
  sodium_memzero (block, sizeof block);
}

IcsSeal *
ics_seal_new (const guint8 key[ICS_SEAL_KEY_SIZE])
{
  IcsSeal *self = g_new0 (IcsSeal, 1);

  memcpy (self->key, key, ICS_SEAL_KEY_SIZE);
  return self;
}

void
ics_seal_free (IcsSeal *self)
{
  if (self == NULL)
    return;
  sodium_memzero (self, sizeof *self);
  g_free (self);
}

static void
make_nonce (const IcsSeal *self, guint8 nonce[crypto_aead_chacha20poly1305_IETF_NPUBBYTES])
{
  IcsWriter writer;

  ics_writer_init (&writer, nonce, crypto_aead_chacha20poly1305_IETF_NPUBBYTES);
  ics_writer_zeros (&writer, NONCE_PREFIX_SIZE);
  ics_writer_u64 (&writer, self->next);
}

void
ics_seal_seal (IcsSeal *self, guint8 *sealed, IcsSpan plaintext, IcsSpan ad)
{
  guint8 nonce[crypto_aead_chacha20poly1305_IETF_NPUBBYTES];

  make_nonce (self, nonce);
  crypto_aead_chacha20poly1305_ietf_encrypt (sealed, NULL, plaintext.data, plaintext.len, ad.data, ad.len,
                                             NULL, nonce, self->key);
  self->next++;
}

gboolean
ics_seal_open (IcsSeal *self, guint8 *plaintext, IcsSpan sealed, IcsSpan ad)
{
  guint8 nonce[crypto_aead_chacha20poly1305_IETF_NPUBBYTES];

  make_nonce (self, nonce);
  if (crypto_aead_chacha20poly1305_ietf_decrypt (plaintext, NULL, NULL, sealed.data, sealed.len, ad.data,
                                                 ad.len, nonce, self->key)
      != 0)
    return FALSE;
  self->next++;
  return TRUE;
}

guint64
ics_seal_get_next (const IcsSeal *self)
{
  return self->next;
}

gboolean
ics_seal_open_at (IcsSeal *self, guint64 number, guint8 *plaintext, IcsSpan sealed, IcsSpan ad)
{
  guint64 expected = self->next;

  if (number < expected)
    return FALSE;
  self->next = number;
  if (ics_seal_open (self, plaintext, sealed, ad))
    return TRUE;
  self->next = expected;
  return FALSE;
}
