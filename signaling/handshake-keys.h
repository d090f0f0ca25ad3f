/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/cpace.h"
#include "base/seal.h"

G_BEGIN_DECLS

/* The key schedule of the pairing handshake (docs/protocol.md). Pure functions over secrets; the owner wipes
 * them. */

typedef enum
{
  ICS_ROLE_JOINER,
  ICS_ROLE_LISTENER
} IcsRole;

#define ICS_N_ROLES 2

static inline IcsRole
ics_role_other (IcsRole role)
{
  return role == ICS_ROLE_JOINER ? ICS_ROLE_LISTENER : ICS_ROLE_JOINER;
}

#define ICS_HASH_SIZE 64 /* SHA-512 */
#define ICS_TAG_SIZE 32  /* HMAC-SHA-512, its first half */

typedef struct
{
  guint8 confirm[ICS_KEY_MAX_SIZE];
  guint8 reject[ICS_KEY_MAX_SIZE];
  guint8 seal[ICS_SEAL_KEY_SIZE];
} IcsRoleKeys;

/* By the role of the sender. */
typedef struct
{
  IcsRoleKeys role[ICS_N_ROLES];
} IcsHandshakeKeys;

void ics_handshake_keys_derive (IcsHandshakeKeys *self, const guint8 isk[ICS_CPACE_ISK_SIZE],
                                const guint8 transcript[ICS_HASH_SIZE]);

/* Leaves only the listener's key for rejecting, see ics_handshake_handle_message(). */
void ics_handshake_keys_forget (IcsHandshakeKeys *self);

void ics_tag_make (guint8 tag[ICS_TAG_SIZE], const guint8 key[ICS_KEY_MAX_SIZE], IcsSpan covered);

/* Compares in constant time. */
gboolean ics_tag_verify (const guint8 tag[ICS_TAG_SIZE], const guint8 key[ICS_KEY_MAX_SIZE], IcsSpan covered);

G_END_DECLS
