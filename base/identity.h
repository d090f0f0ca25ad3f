/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/fingerprint.h"
#include "base/ics-error.h"
#include <gnutls/gnutls.h>

G_BEGIN_DECLS

/* The certificate of this host for one link: self-signed X.509 with a fresh ECDSA P-256 key (which every
 * TLS 1.3 stack speaks, also where a system policy forbids Ed25519). Nobody looks at its names or dates; the
 * peer pins its fingerprint, which the pairing handshake carries. */
typedef struct _IcsIdentity IcsIdentity;

/* Fails with ICS_ERROR_FAILED only. */
IcsIdentity *ics_identity_new (GError **error);
void ics_identity_free (IcsIdentity *self);

/* For TLS client and server. (transfer none): lives as long as @self. */
gnutls_certificate_credentials_t ics_identity_get_credentials (IcsIdentity *self);
const guint8 *ics_identity_get_fingerprint (IcsIdentity *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsIdentity, ics_identity_free)

G_END_DECLS
