/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/fingerprint.h"
#include "transport/quic-compat.h"
#include <glib.h>
#include <gnutls/gnutls.h>

G_BEGIN_DECLS

/* The TLS 1.3 side of a connection: both certificates are self-signed and pinned by their SHA-256
 * fingerprint. */
typedef struct
{
  ngtcp2_crypto_conn_ref conn_ref; /* what the TLS session points to; ngtcp2's helper asks for it */
  gnutls_session_t session;
  guint8 peer_fingerprint[ICS_FINGERPRINT_SIZE];
  gboolean key_rejected; /* the peer showed another certificate */
} IcsQuicTls;

/* RFC 7301; of our own because nobody else shall take part by mistake. */
#define ICS_QUIC_ALPN "ice-session/1"

/* @self must stay where it is until ics_quic_tls_clear(). FALSE when GnuTLS refuses the set-up. */
gboolean ics_quic_tls_init (IcsQuicTls *self, gboolean client, gnutls_certificate_credentials_t credentials,
                            const guint8 *peer_fingerprint);
void ics_quic_tls_clear (IcsQuicTls *self);

/* RFC 8446 §7.5; only after the handshake. */
gboolean ics_quic_tls_export (IcsQuicTls *self, const char *label, const char *context, guint8 *out,
                              gsize len);

G_END_DECLS
