/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/identity.h"
#include "base/secret.h"
#include <gnutls/x509.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

#define COMMON_NAME "ice-session"
#define ONE_DAY_S ((gint64)86400) /* into the past: the peer's clock may be behind */
#define ONE_YEAR_S (365 * ONE_DAY_S)
#define LIFETIME_S (100 * ONE_YEAR_S) /* for ever in practice */
#define SERIAL_SIZE 16                /* RFC 5280 §4.1.2.2 allows up to 20 */

struct _IcsIdentity
{
  gnutls_x509_privkey_t key;
  gnutls_x509_crt_t certificate;
  gnutls_certificate_credentials_t credentials;
  guint8 fingerprint[ICS_FINGERPRINT_SIZE];
};

static int
make_key (IcsIdentity *self)
{
  int rc = gnutls_x509_privkey_init (&self->key);

  if (rc < 0)
    return rc;
  return gnutls_x509_privkey_generate (self->key, GNUTLS_PK_ECDSA,
                                       GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP256R1), 0);
}

/* The number must be positive and its encoding minimal, hence the fixed first byte. */
static int
set_serial (gnutls_x509_crt_t certificate)
{
  guint8 serial[SERIAL_SIZE];

  randombytes_buf (serial, sizeof serial);
  serial[0] = 0x01;
  return gnutls_x509_crt_set_serial (certificate, serial, sizeof serial);
}

static int
set_dates (gnutls_x509_crt_t certificate)
{
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  /* Some 32-bit machines know no later time. Nobody judges a pinned certificate by it. */
  gint64 end = sizeof (time_t) < sizeof (gint64) ? MIN (now + LIFETIME_S, G_MAXINT32) : now + LIFETIME_S;
  int rc = gnutls_x509_crt_set_activation_time (certificate, (time_t)(now - ONE_DAY_S));

  if (rc < 0)
    return rc;
  return gnutls_x509_crt_set_expiration_time (certificate, (time_t)end);
}

static int
make_certificate (IcsIdentity *self)
{
  int rc = gnutls_x509_crt_init (&self->certificate);

  if (rc >= 0)
    rc = gnutls_x509_crt_set_version (self->certificate, 3);
  if (rc >= 0)
    rc = set_serial (self->certificate);
  if (rc >= 0)
    rc = set_dates (self->certificate);
  if (rc >= 0)
    rc = gnutls_x509_crt_set_dn_by_oid (self->certificate, GNUTLS_OID_X520_COMMON_NAME, 0, COMMON_NAME,
                                        strlen (COMMON_NAME));
  if (rc >= 0)
    rc = gnutls_x509_crt_set_key_usage (self->certificate, GNUTLS_KEY_DIGITAL_SIGNATURE);
  if (rc >= 0)
    rc = gnutls_x509_crt_set_key (self->certificate, self->key);
  if (rc >= 0)
    rc = gnutls_x509_crt_sign2 (self->certificate, self->certificate, self->key, GNUTLS_DIG_SHA256, 0);
  return rc;
}

static int
make_fingerprint (IcsIdentity *self)
{
  gnutls_datum_t der = { NULL, 0 };
  int rc = gnutls_x509_crt_export2 (self->certificate, GNUTLS_X509_FMT_DER, &der);

  if (rc < 0)
    return rc;
  ics_fingerprint_from_der (self->fingerprint, der.data, der.size);
  gnutls_free (der.data);
  return rc;
}

static int
make_credentials (IcsIdentity *self)
{
  int rc = gnutls_certificate_allocate_credentials (&self->credentials);

  if (rc < 0)
    return rc;
  return gnutls_certificate_set_x509_key (self->credentials, &self->certificate, 1, self->key);
}

IcsIdentity *
ics_identity_new (GError **error)
{
  g_autoptr (IcsIdentity) self = g_new0 (IcsIdentity, 1);
  int rc;

  ics_secret_init ();
  rc = make_key (self);
  if (rc >= 0)
    rc = make_certificate (self);
  if (rc >= 0)
    rc = make_fingerprint (self);
  if (rc >= 0)
    rc = make_credentials (self);
  if (rc < 0)
    {
      g_set_error (error, ICS_ERROR, ICS_ERROR_FAILED, "cannot make a certificate: %s", gnutls_strerror (rc));
      return NULL;
    }
  return g_steal_pointer (&self);
}

void
ics_identity_free (IcsIdentity *self)
{
  if (self == NULL)
    return;
  if (self->credentials != NULL)
    gnutls_certificate_free_credentials (self->credentials);
  if (self->certificate != NULL)
    gnutls_x509_crt_deinit (self->certificate);
  if (self->key != NULL)
    gnutls_x509_privkey_deinit (self->key);
  g_free (self);
}

gnutls_certificate_credentials_t
ics_identity_get_credentials (IcsIdentity *self)
{
  return self->credentials;
}

const guint8 *
ics_identity_get_fingerprint (IcsIdentity *self)
{
  return self->fingerprint;
}
