/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2_crypto.h>

/* A TLS session for the bare connection. The server makes itself a certificate; the client does not look at
 * it. @credentials is to be freed after the session. */
gnutls_session_t bare_tls_new (int client, gnutls_certificate_credentials_t *credentials,
                               ngtcp2_crypto_conn_ref *ref);
