/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/cpace.h"
#include "base/wire.h"

G_BEGIN_DECLS

/* HKDF-Expand (RFC 5869 §2.3) with HMAC-SHA-512, for at most one block. The PRK is a CPace ISK, which is the
 * output of a hash over everything both sides said, so HKDF-Extract is not needed (RFC 5869 §3.3). info =
 * label (ASCII) || 0x00 || context */
#define ICS_KEY_MAX_SIZE 64
void ics_key_expand (guint8 *key, gsize key_len, const guint8 isk[ICS_CPACE_ISK_SIZE], const char *label,
                     IcsSpan context);

/* One direction of sealed messages: ChaCha20-Poly1305 (RFC 8439) under a key that only this direction uses.
 * The nonce is not sent: it is 4 zero bytes and the number of the message, from 0, in 64 bits big endian. So
 * messages open only once, in the order they were sealed in, and never in the other direction. */
#define ICS_SEAL_KEY_SIZE 32
#define ICS_SEAL_OVERHEAD 16

typedef struct _IcsSeal IcsSeal;

IcsSeal *ics_seal_new (const guint8 key[ICS_SEAL_KEY_SIZE]);
void ics_seal_free (IcsSeal *self);

/* Writes plaintext.len + ICS_SEAL_OVERHEAD bytes to @sealed. @ad is authenticated and not sent. */
void ics_seal_seal (IcsSeal *self, guint8 *sealed, IcsSpan plaintext, IcsSpan ad);

/* Writes sealed.len - ICS_SEAL_OVERHEAD bytes to @plaintext, or returns FALSE. A message that does not open
 * uses up no number: the true one may still come. */
gboolean ics_seal_open (IcsSeal *self, guint8 *plaintext, IcsSpan sealed, IcsSpan ad);

/* Where messages may be lost and the number is sent along: that of the next one to seal, and to open one
 * whose number is @number. Those before it do not open any more. */
guint64 ics_seal_get_next (const IcsSeal *self);
gboolean ics_seal_open_at (IcsSeal *self, guint64 number, guint8 *plaintext, IcsSpan sealed, IcsSpan ad);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsSeal, ics_seal_free)

G_END_DECLS
