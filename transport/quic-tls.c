/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/quic-tls.h"

#include <string.h>

/* AES-GCM first: with the processor's own instructions it is three times as fast as ChaCha20. */
#define PRIORITY                                                                                             \
  "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:-GROUP-ALL:+"      \
  "GROUP-X25519:"                                                                                            \
  "+GROUP-SECP256R1:%DISABLE_TLS13_COMPAT_MODE"

static int
verify_peer (gnutls_session_t session)
{
  ngtcp2_crypto_conn_ref *ref = gnutls_session_get_ptr (session);
  IcsQuicTls *self = (IcsQuicTls *)ref;
  guint8 fingerprint[ICS_FINGERPRINT_SIZE];
  unsigned n = 0;
  const gnutls_datum_t *chain = gnutls_certificate_get_peers (session, &n);

  if (chain != NULL && n == 1)
    {
      ics_fingerprint_from_der (fingerprint, chain[0].data, chain[0].size);
      if (ics_fingerprint_equal (fingerprint, self->peer_fingerprint))
        return 0;
    }
  self->key_rejected = TRUE;
  return GNUTLS_E_CERTIFICATE_ERROR;
}

static int
configure (IcsQuicTls *self, gboolean client, gnutls_certificate_credentials_t credentials)
{
  gnutls_datum_t alpn = { (unsigned char *)ICS_QUIC_ALPN, sizeof ICS_QUIC_ALPN - 1 };
  unsigned flags
      = client ? GNUTLS_CLIENT | GNUTLS_FORCE_CLIENT_CERT : GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET;

  if (gnutls_init (&self->session, flags | GNUTLS_NO_TICKETS) != 0)
    return -1;
  if (gnutls_priority_set_direct (self->session, PRIORITY, NULL) != 0
      || gnutls_credentials_set (self->session, GNUTLS_CRD_CERTIFICATE, credentials) != 0
      || gnutls_alpn_set_protocols (self->session, &alpn, 1, GNUTLS_ALPN_MANDATORY) != 0)
    return -1;
  gnutls_session_set_ptr (self->session, &self->conn_ref);
  gnutls_session_set_verify_function (self->session, verify_peer);
  if (client)
    return ngtcp2_crypto_gnutls_configure_client_session (self->session);
  gnutls_certificate_server_set_request (self->session, GNUTLS_CERT_REQUIRE);
  return ngtcp2_crypto_gnutls_configure_server_session (self->session);
}

gboolean
ics_quic_tls_init (IcsQuicTls *self, gboolean client, gnutls_certificate_credentials_t credentials,
                   const guint8 *peer_fingerprint)
{
  memcpy (self->peer_fingerprint, peer_fingerprint, sizeof self->peer_fingerprint);
  return configure (self, client, credentials) == 0;
}

void
ics_quic_tls_clear (IcsQuicTls *self)
{
  g_clear_pointer (&self->session, gnutls_deinit);
}

gboolean
ics_quic_tls_export (IcsQuicTls *self, const char *label, const char *context, guint8 *out, gsize len)
{
  return gnutls_prf_rfc5705 (self->session, strlen (label), label, strlen (context), context, len,
                             (char *)out)
         == 0;
}
