/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/identity.h"
#include "tests/suite.h"
#include <gnutls/x509.h>
#include <string.h>

/* SHA-256 of "abc", FIPS 180-4. */
static const char abc_hex[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

START_TEST (fingerprint_is_sha256)
{
  guint8 fingerprint[ICS_FINGERPRINT_SIZE], changed[ICS_FINGERPRINT_SIZE];
  g_autofree char *hex = NULL;

  ics_fingerprint_from_der (fingerprint, (const guint8 *)"abc", 3);
  hex = ics_fingerprint_to_hex (fingerprint);
  ck_assert_str_eq (hex, abc_hex);
  memcpy (changed, fingerprint, sizeof changed);
  ck_assert (ics_fingerprint_equal (fingerprint, changed));
  changed[ICS_FINGERPRINT_SIZE - 1] ^= 1;
  ck_assert (!ics_fingerprint_equal (fingerprint, changed));
}
END_TEST

static gnutls_x509_crt_t
get_certificate (IcsIdentity *identity)
{
  gnutls_x509_crt_t *list, certificate;
  unsigned int n;

  ck_assert_int_eq (gnutls_certificate_get_x509_crt (ics_identity_get_credentials (identity), 0, &list, &n),
                    0);
  ck_assert_uint_eq (n, 1);
  certificate = list[0];
  gnutls_free (list);
  return certificate;
}

START_TEST (certificate_is_what_it_says)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (IcsIdentity) identity = ics_identity_new (&error);
  gnutls_x509_crt_t certificate;
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  guint8 fingerprint[ICS_FINGERPRINT_SIZE];
  size_t len = sizeof fingerprint;
  unsigned int status, bits;
  char name[64];
  size_t name_len = sizeof name;

  ck_assert_ptr_nonnull (identity);
  certificate = get_certificate (identity);
  ck_assert_int_eq (gnutls_x509_crt_get_fingerprint (certificate, GNUTLS_DIG_SHA256, fingerprint, &len), 0);
  ck_assert (ics_fingerprint_equal (fingerprint, ics_identity_get_fingerprint (identity)));
  ck_assert_int_eq (gnutls_x509_crt_get_version (certificate), 3);
  ck_assert_int_eq (gnutls_x509_crt_get_pk_algorithm (certificate, &bits), GNUTLS_PK_ECDSA);
  ck_assert_int_eq (
      gnutls_x509_crt_get_dn_by_oid (certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &name_len), 0);
  ck_assert_str_eq (name, "ice-session");
  ck_assert_int_lt (gnutls_x509_crt_get_activation_time (certificate), now - 23 * 3600);
  ck_assert_int_gt (gnutls_x509_crt_get_expiration_time (certificate),
                    sizeof (time_t) < sizeof (gint64) ? G_MAXINT32 - 365 * 86400
                                                      : now + G_GINT64_CONSTANT (99) * 365 * 86400);
  ck_assert_int_eq (
      gnutls_x509_crt_verify (certificate, &certificate, 1, GNUTLS_VERIFY_DISABLE_CA_SIGN, &status), 0);
  ck_assert_uint_eq (status & GNUTLS_CERT_SIGNATURE_FAILURE, 0);
  gnutls_x509_crt_deinit (certificate);
}
END_TEST

START_TEST (every_identity_is_another)
{
  g_autoptr (IcsIdentity) a = ics_identity_new (NULL);
  g_autoptr (IcsIdentity) b = ics_identity_new (NULL);

  ck_assert (!ics_fingerprint_equal (ics_identity_get_fingerprint (a), ics_identity_get_fingerprint (b)));
}
END_TEST

/* One direction of an in-memory TLS connection. */
typedef struct
{
  GByteArray *in;
  GByteArray *out;
  gnutls_session_t session;
} End;

static ssize_t
push (gnutls_transport_ptr_t ptr, const void *data, size_t len)
{
  g_byte_array_append (((End *)ptr)->out, data, (guint)len);
  return (ssize_t)len;
}

static ssize_t
pull (gnutls_transport_ptr_t ptr, void *data, size_t len)
{
  End *end = ptr;
  guint n = (guint)MIN (len, end->in->len);

  if (n == 0)
    {
      gnutls_transport_set_errno (end->session, EAGAIN);
      return -1;
    }
  memcpy (data, end->in->data, n);
  g_byte_array_remove_range (end->in, 0, n);
  return n;
}

static int
pull_timeout (gnutls_transport_ptr_t ptr, unsigned int ms)
{
  return ((End *)ptr)->in->len > 0;
}

static void
open_end (End *end, guint role, IcsIdentity *identity)
{
  ck_assert_int_eq (gnutls_init (&end->session, role | GNUTLS_NONBLOCK), 0);
  ck_assert_int_eq (gnutls_priority_set_direct (end->session, "NORMAL:-VERS-ALL:+VERS-TLS1.3", NULL), 0);
  gnutls_credentials_set (end->session, GNUTLS_CRD_CERTIFICATE, ics_identity_get_credentials (identity));
  if (role == GNUTLS_SERVER)
    gnutls_certificate_server_set_request (end->session, GNUTLS_CERT_REQUIRE);
  gnutls_transport_set_ptr (end->session, end);
  gnutls_transport_set_push_function (end->session, push);
  gnutls_transport_set_pull_function (end->session, pull);
  gnutls_transport_set_pull_timeout_function (end->session, pull_timeout);
}

static void
expect_peer (End *end, IcsIdentity *peer)
{
  guint8 fingerprint[ICS_FINGERPRINT_SIZE];
  unsigned int n;
  const gnutls_datum_t *der = gnutls_certificate_get_peers (end->session, &n);

  ck_assert_uint_eq (n, 1);
  ics_fingerprint_from_der (fingerprint, der->data, der->size);
  ck_assert (ics_fingerprint_equal (fingerprint, ics_identity_get_fingerprint (peer)));
}

START_TEST (serves_both_ends_of_mutual_tls)
{
  g_autoptr (IcsIdentity) a = ics_identity_new (NULL);
  g_autoptr (IcsIdentity) b = ics_identity_new (NULL);
  g_autoptr (GByteArray) ab = g_byte_array_new ();
  g_autoptr (GByteArray) ba = g_byte_array_new ();
  End client = { .in = ba, .out = ab }, server = { .in = ab, .out = ba };
  int client_rc = GNUTLS_E_AGAIN, server_rc = GNUTLS_E_AGAIN;

  open_end (&client, GNUTLS_CLIENT, a);
  open_end (&server, GNUTLS_SERVER, b);
  for (guint i = 0; i < 20 && (client_rc != 0 || server_rc != 0); i++)
    {
      if (client_rc != 0)
        client_rc = gnutls_handshake (client.session);
      if (server_rc != 0)
        server_rc = gnutls_handshake (server.session);
    }
  ck_assert_int_eq (client_rc, 0);
  ck_assert_int_eq (server_rc, 0);
  expect_peer (&client, b);
  expect_peer (&server, a);
  gnutls_deinit (client.session);
  gnutls_deinit (server.session);
}
END_TEST

int
main (void)
{
  const TTest *const tests[] = { fingerprint_is_sha256, certificate_is_what_it_says,
                                 every_identity_is_another, serves_both_ends_of_mutual_tls, NULL };

  return run_suite ("identity", tests);
}
