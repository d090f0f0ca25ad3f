/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/secret.h"
#include "signaling/handshake-private.h"
#include <string.h>

#define CHANNEL_IDENTIFIER "ice-session v1" /* CI of CPace */

void
ics_handshake_make_share (IcsHandshake *self)
{
  guint8 g[ICS_CPACE_POINT_SIZE], seed[ICS_CPACE_SEED_SIZE];
  gboolean ok;

  ics_cpace_generator (g, ICS_SPAN ((const guint8 *)self->code, strlen (self->code)),
                       ICS_SPAN ((const guint8 *)CHANNEL_IDENTIFIER, strlen (CHANNEL_IDENTIFIER)),
                       ICS_SPAN (self->sid, SID_SIZE));
  self->random (seed, sizeof seed, self->random_data);
  ics_cpace_scalar (self->y, seed);
  ok = ics_cpace_scalar_mult (self->share, self->y, g);
  sodium_memzero (g, sizeof g);
  sodium_memzero (seed, sizeof seed);
  g_clear_pointer (&self->code, ics_secret_free);
  if (!ok)
    g_error ("the random source yields only zeros");
}

static void
current_transcript (const IcsHandshake *self, guint8 hash[ICS_HASH_SIZE])
{
  crypto_hash_sha512_state copy = self->transcript;

  crypto_hash_sha512_final (&copy, hash);
}

gboolean
ics_handshake_derive_keys (IcsHandshake *self, const guint8 *peer_share, const guint8 answer[SHARE_SIZE])
{
  gboolean joiner = self->role == ICS_ROLE_JOINER;
  IcsCpaceTranscript cpace = {
    .ya = ICS_SPAN (joiner ? self->share : peer_share, ICS_CPACE_POINT_SIZE),
    .ada = ICS_SPAN (start_header, HEADER_SIZE),
    .yb = ICS_SPAN (joiner ? peer_share : self->share, ICS_CPACE_POINT_SIZE),
    .adb = ICS_SPAN (answer_header, HEADER_SIZE),
  };
  guint8 k[ICS_CPACE_POINT_SIZE], isk[ICS_CPACE_ISK_SIZE], hash[ICS_HASH_SIZE];
  gboolean ok = ics_cpace_scalar_mult (k, self->y, peer_share);

  sodium_memzero (self->y, sizeof self->y);
  if (ok)
    {
      ics_cpace_isk_ir (isk, ICS_SPAN (self->sid, SID_SIZE), k, &cpace);
      crypto_hash_sha512_update (&self->transcript, answer, SHARE_SIZE);
      current_transcript (self, hash);
      ics_handshake_keys_derive (&self->keys, isk, hash);
    }
  sodium_memzero (k, sizeof k);
  sodium_memzero (isk, sizeof isk);
  return ok;
}

void
ics_handshake_write_proof (IcsHandshake *self, IcsWriter *writer)
{
  const IcsRoleKeys *keys = &self->keys.role[self->role];
  g_autoptr (IcsSeal) seal = ics_seal_new (keys->seal);
  guint8 hash[ICS_HASH_SIZE], hello[ICS_HELLO_SIZE];
  IcsSpan head;

  current_transcript (self, hash);
  ics_tag_make (ics_writer_reserve (writer, ICS_TAG_SIZE), keys->confirm, ICS_SPAN (hash, ICS_HASH_SIZE));
  head = ICS_SPAN (writer->data, writer->len);
  ics_hello_write (&self->own, hello);
  ics_seal_seal (seal, ics_writer_reserve (writer, SEALED_SIZE), ICS_SPAN (hello, ICS_HELLO_SIZE), head);
}

gboolean
ics_handshake_verify_tag (const IcsHandshake *self, const guint8 *tag)
{
  guint8 hash[ICS_HASH_SIZE];

  current_transcript (self, hash);
  return ics_tag_verify (tag, self->keys.role[ics_role_other (self->role)].confirm,
                         ICS_SPAN (hash, ICS_HASH_SIZE));
}

gboolean
ics_handshake_open_hello (IcsHandshake *self, IcsSpan message, IcsSpan sealed)
{
  g_autoptr (IcsSeal) seal = ics_seal_new (self->keys.role[ics_role_other (self->role)].seal);
  guint8 hello[ICS_HELLO_SIZE];

  return ics_seal_open (seal, hello, sealed, ICS_SPAN (message.data, message.len - sealed.len))
         && ics_hello_read (&self->peer, hello);
}

gboolean
ics_handshake_verify_reject (const IcsHandshake *self, IcsSpan message, const guint8 *tag)
{
  return self->have_keys
         && ics_tag_verify (tag, self->keys.role[ics_role_other (self->role)].reject,
                            ICS_SPAN (message.data, REJECT_COVERED_SIZE));
}
