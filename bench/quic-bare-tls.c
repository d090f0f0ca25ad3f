/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/quic-bare-tls.h"

#include "bench/meter.h"

#include <gnutls/x509.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>
#include <time.h>

#define ALPN "bench"
#define HOUR_S 3600
/* AES-128-GCM: the fastest with the processor's own instructions, and what the library prefers too. */
#define PRIORITY                                                                                             \
  "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:-GROUP-ALL:+GROUP-X25519:%DISABLE_TLS13_COMPAT_"   \
  "MODE"

static void
check (int rv, const char *what)
{
  if (rv < 0)
    bench_fail ("%s: %s", what, gnutls_strerror (rv));
}

static gnutls_certificate_credentials_t
self_signed (void)
{
  gnutls_certificate_credentials_t credentials;
  gnutls_x509_privkey_t key;
  gnutls_x509_crt_t certificate;

  check (gnutls_certificate_allocate_credentials (&credentials), "credentials");
  check (gnutls_x509_privkey_init (&key), "key");
  check (gnutls_x509_privkey_generate (key, GNUTLS_PK_ECDSA,
                                       GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP256R1), 0),
         "key");
  check (gnutls_x509_crt_init (&certificate), "certificate");
  check (gnutls_x509_crt_set_version (certificate, 3), "certificate");
  check (gnutls_x509_crt_set_serial (certificate, "\1", 1), "certificate");
  check (gnutls_x509_crt_set_activation_time (certificate, time (NULL) - HOUR_S), "certificate");
  check (gnutls_x509_crt_set_expiration_time (certificate, time (NULL) + HOUR_S), "certificate");
  check (gnutls_x509_crt_set_key (certificate, key), "certificate");
  check (gnutls_x509_crt_sign2 (certificate, certificate, key, GNUTLS_DIG_SHA256, 0), "certificate");
  check (gnutls_certificate_set_x509_key (credentials, &certificate, 1, key), "credentials");
  gnutls_x509_crt_deinit (certificate);
  gnutls_x509_privkey_deinit (key);
  return credentials;
}

gnutls_session_t
bare_tls_new (int client, gnutls_certificate_credentials_t *credentials, ngtcp2_crypto_conn_ref *ref)
{
  gnutls_datum_t alpn = { (unsigned char *)ALPN, sizeof ALPN - 1 };
  gnutls_session_t session;

  if (client)
    check (gnutls_certificate_allocate_credentials (credentials), "credentials");
  else
    *credentials = self_signed ();
  check (gnutls_init (&session, client ? GNUTLS_CLIENT : GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET),
         "session");
  check (gnutls_priority_set_direct (session, PRIORITY, NULL), "priorities");
  check (gnutls_credentials_set (session, GNUTLS_CRD_CERTIFICATE, *credentials), "session");
  check (gnutls_alpn_set_protocols (session, &alpn, 1, 0), "session");
  gnutls_session_set_ptr (session, ref);
  check (client ? ngtcp2_crypto_gnutls_configure_client_session (session)
                : ngtcp2_crypto_gnutls_configure_server_session (session),
         "session");
  return session;
}
