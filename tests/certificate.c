/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/certificate.h"
#include <check.h>
#include <gnutls/x509.h>
#include <time.h>

#define HOUR_S 3600

static void
describe (gnutls_x509_crt_t certificate, const char *address)
{
  g_autoptr (GInetAddress) inet = g_inet_address_new_from_string (address);
  time_t now = time (NULL);

  ck_assert_int_eq (gnutls_x509_crt_set_version (certificate, 3), 0);
  ck_assert_int_eq (gnutls_x509_crt_set_serial (certificate, "\1", 1), 0);
  ck_assert_int_eq (gnutls_x509_crt_set_activation_time (certificate, now - HOUR_S), 0);
  ck_assert_int_eq (gnutls_x509_crt_set_expiration_time (certificate, now + HOUR_S), 0);
  ck_assert_int_eq (gnutls_x509_crt_set_dn_by_oid (certificate, GNUTLS_OID_X520_COMMON_NAME, 0, "test", 4),
                    0);
  ck_assert_int_eq (
      gnutls_x509_crt_set_subject_alt_name (certificate, GNUTLS_SAN_IPADDRESS, g_inet_address_to_bytes (inet),
                                            (unsigned)g_inet_address_get_native_size (inet), GNUTLS_FSAN_SET),
      0);
}

char *
certificate_write (const char *dir, const char *name, const char *address)
{
  gnutls_datum_t key_pem, certificate_pem;
  gnutls_x509_privkey_t key;
  gnutls_x509_crt_t certificate;
  g_autofree char *pem = NULL;
  char *file = g_build_filename (dir, name, NULL);

  gnutls_x509_privkey_init (&key);
  gnutls_x509_crt_init (&certificate);
  ck_assert_int_eq (gnutls_x509_privkey_generate (key, GNUTLS_PK_ECDSA,
                                                  GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP256R1), 0),
                    0);
  describe (certificate, address);
  ck_assert_int_eq (gnutls_x509_crt_set_key (certificate, key), 0);
  ck_assert_int_eq (gnutls_x509_crt_sign2 (certificate, certificate, key, GNUTLS_DIG_SHA256, 0), 0);
  ck_assert_int_eq (
      gnutls_x509_privkey_export2_pkcs8 (key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &key_pem), 0);
  ck_assert_int_eq (gnutls_x509_crt_export2 (certificate, GNUTLS_X509_FMT_PEM, &certificate_pem), 0);
  pem = g_strdup_printf ("%s%s", key_pem.data, certificate_pem.data);
  gnutls_free (key_pem.data);
  gnutls_free (certificate_pem.data);
  gnutls_x509_crt_deinit (certificate);
  gnutls_x509_privkey_deinit (key);
  ck_assert (g_file_set_contents (file, pem, -1, NULL));
  return file;
}

void
certificate_trust (const char *file)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsDatabase) database = g_tls_file_database_new (file, &error);

  ck_assert_msg (database != NULL, "%s", error != NULL ? error->message : "");
  g_tls_backend_set_default_database (g_tls_backend_get_default (), database);
}
