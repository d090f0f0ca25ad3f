/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signaling/handshake-keys.h"
#include <sodium.h>

G_STATIC_ASSERT (ICS_HASH_SIZE == crypto_hash_sha512_BYTES);

void
ics_handshake_keys_derive (IcsHandshakeKeys *self, const guint8 isk[ICS_CPACE_ISK_SIZE],
                           const guint8 transcript[ICS_HASH_SIZE])
{
  IcsSpan context = ICS_SPAN (transcript, ICS_HASH_SIZE);
  IcsRoleKeys *joiner = &self->role[ICS_ROLE_JOINER], *listener = &self->role[ICS_ROLE_LISTENER];

  ics_key_expand (joiner->confirm, ICS_KEY_MAX_SIZE, isk, "ice-session v1 joiner confirm", context);
  ics_key_expand (joiner->reject, ICS_KEY_MAX_SIZE, isk, "ice-session v1 joiner reject", context);
  ics_key_expand (joiner->seal, ICS_SEAL_KEY_SIZE, isk, "ice-session v1 joiner seal", context);
  ics_key_expand (listener->confirm, ICS_KEY_MAX_SIZE, isk, "ice-session v1 listener confirm", context);
  ics_key_expand (listener->reject, ICS_KEY_MAX_SIZE, isk, "ice-session v1 listener reject", context);
  ics_key_expand (listener->seal, ICS_SEAL_KEY_SIZE, isk, "ice-session v1 listener seal", context);
}

void
ics_handshake_keys_forget (IcsHandshakeKeys *self)
{
  IcsRoleKeys *listener = &self->role[ICS_ROLE_LISTENER];

  sodium_memzero (&self->role[ICS_ROLE_JOINER], sizeof (IcsRoleKeys));
  sodium_memzero (listener->confirm, sizeof listener->confirm);
  sodium_memzero (listener->seal, sizeof listener->seal);
}

void
ics_tag_make (guint8 tag[ICS_TAG_SIZE], const guint8 key[ICS_KEY_MAX_SIZE], IcsSpan covered)
{
  crypto_auth_hmacsha512256_state hmac;

  crypto_auth_hmacsha512256_init (&hmac, key, ICS_KEY_MAX_SIZE);
  crypto_auth_hmacsha512256_update (&hmac, covered.data, covered.len);
  crypto_auth_hmacsha512256_final (&hmac, tag);
  sodium_memzero (&hmac, sizeof hmac);
}

gboolean
ics_tag_verify (const guint8 tag[ICS_TAG_SIZE], const guint8 key[ICS_KEY_MAX_SIZE], IcsSpan covered)
{
  guint8 expected[ICS_TAG_SIZE];
  gboolean equal;

  ics_tag_make (expected, key, covered);
  equal = sodium_memcmp (tag, expected, ICS_TAG_SIZE) == 0;
  sodium_memzero (expected, sizeof expected);
  return equal;
}
