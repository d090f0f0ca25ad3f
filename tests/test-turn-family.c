/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The request for an IPv6 relay that is made of a client's own. */
#include "tests/suite.h"
#include "tests/turn-bytes.h"
#include "turn-fallback/turn-family.h"
#include <string.h>

#define PASSWORD "TheMatrIX"
#define INTEGRITY_SIZE 24

/* RFC 5769 §2.4: a request with long-term authentication. */
static const guint8 rfc5769_request[]
    = { 0x00, 0x01, 0x00, 0x60, 0x21, 0x12, 0xa4, 0x42, 0x78, 0xad, 0x34, 0x33, 0xc6, 0xad, 0x72, 0xc0, 0x29,
        0xda, 0x41, 0x2e,
        /* USERNAME */
        0x00, 0x06, 0x00, 0x12, 0xe3, 0x83, 0x9e, 0xe3, 0x83, 0x88, 0xe3, 0x83, 0xaa, 0xe3, 0x83, 0x83, 0xe3,
        0x82, 0xaf, 0xe3, 0x82, 0xb9, 0x00, 0x00,
        /* NONCE */
        0x00, 0x15, 0x00, 0x1c, 0x66, 0x2f, 0x2f, 0x34, 0x39, 0x39, 0x6b, 0x39, 0x35, 0x34, 0x64, 0x36, 0x4f,
        0x4c, 0x33, 0x34, 0x6f, 0x4c, 0x39, 0x46, 0x53, 0x54, 0x76, 0x79, 0x36, 0x34, 0x73, 0x41,
        /* REALM */
        0x00, 0x14, 0x00, 0x0b, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x2e, 0x6f, 0x72, 0x67, 0x00,
        /* MESSAGE-INTEGRITY */
        0x00, 0x08, 0x00, 0x14, 0xf6, 0x70, 0x24, 0x65, 0x6d, 0xd6, 0x4a, 0x3e, 0x02, 0xb8, 0xe0, 0x71, 0x2e,
        0x85, 0xc9, 0xa2, 0x8c, 0xa8, 0x96, 0x66 };

static const guint8 ipv6_family[] = { 0, 0x17, 0, 4, 2, 0, 0, 0 };

#define UNSIGNED_SIZE (sizeof rfc5769_request - INTEGRITY_SIZE)

static IcsSpan
username (void)
{
  return ICS_SPAN (rfc5769_request + 24, 18);
}

static IcsSpan
realm (void)
{
  return ICS_SPAN (rfc5769_request + UNSIGNED_SIZE - 12, 11);
}

START_TEST (test_vector)
{
  g_autoptr (GByteArray) message = g_byte_array_new ();

  g_byte_array_append (message, rfc5769_request, UNSIGNED_SIZE);
  ics_turn_family_sign (message, username (), realm (), PASSWORD);
  ck_assert_uint_eq (message->len, sizeof rfc5769_request);
  ck_assert_mem_eq (message->data, rfc5769_request, sizeof rfc5769_request);
}
END_TEST

/* The vector as an Allocate request, which has another signature. */
static GByteArray *
allocate_request (void)
{
  GByteArray *message = g_byte_array_new ();

  g_byte_array_append (message, rfc5769_request, UNSIGNED_SIZE);
  message->data[1] = ICS_TURN_ALLOCATE;
  ics_turn_family_sign (message, username (), realm (), PASSWORD);
  return message;
}

START_TEST (test_signed_anew)
{
  /* A fingerprint would be wrong: it goes. */
  static const guint8 fingerprint[] = { 0x80, 0x28, 0, 4, 1, 2, 3, 4 };
  g_autoptr (GByteArray) request = allocate_request ();
  g_autoptr (GByteArray) expected = g_byte_array_new ();
  g_autoptr (GBytes) bare = NULL;
  g_autoptr (GBytes) marked = NULL;

  g_byte_array_append (expected, request->data, UNSIGNED_SIZE);
  g_byte_array_append (expected, ipv6_family, sizeof ipv6_family);
  ics_turn_family_sign (expected, username (), realm (), PASSWORD);
  bare = ics_turn_family_ask_ipv6 (request->data, request->len, PASSWORD);
  ck_assert_uint_eq (g_bytes_get_size (bare), expected->len);
  ck_assert_mem_eq (g_bytes_get_data (bare, NULL), expected->data, expected->len);

  g_byte_array_append (request, fingerprint, sizeof fingerprint);
  request->data[3] = (guint8)(request->data[3] + sizeof fingerprint);
  marked = ics_turn_family_ask_ipv6 (request->data, request->len, PASSWORD);
  ck_assert (g_bytes_equal (bare, marked));
}
END_TEST

START_TEST (test_unsigned)
{
  g_autoptr (GByteArray) request = g_byte_array_new ();
  g_autoptr (GBytes) other = NULL;
  g_autoptr (GBytes) twice = NULL;
  const guint8 *data;
  gsize len;

  turn_append_allocate (request);
  other = ics_turn_family_ask_ipv6 (request->data, request->len, NULL);
  data = g_bytes_get_data (other, &len);
  ck_assert_uint_eq (len, request->len + sizeof ipv6_family);
  ck_assert_uint_eq (data[3], len - 20);
  ck_assert_mem_eq (data + 20, request->data + 20, request->len - 20);
  ck_assert_mem_eq (data + request->len, ipv6_family, sizeof ipv6_family);
  twice = ics_turn_family_ask_ipv6 (data, len, NULL);
  ck_assert_ptr_null (twice);
}
END_TEST

static void
expect_none (const GByteArray *request, const char *password)
{
  ck_assert_ptr_null (ics_turn_family_ask_ipv6 (request->data, request->len, password));
}

START_TEST (test_unfit)
{
  static const guint8 sha256[] = { 0, 0x1c, 0, 0 };
  g_autoptr (GByteArray) request = allocate_request ();
  g_autoptr (GByteArray) nameless = g_byte_array_new ();
  g_autoptr (GByteArray) stronger = g_byte_array_new ();
  g_autoptr (GByteArray) answer = g_byte_array_new ();

  expect_none (request, NULL);
  request->data[1] = ICS_TURN_REFRESH;
  expect_none (request, PASSWORD);
  request->data[1] = ICS_TURN_ALLOCATE;
  for (gsize len = 0; len < request->len; len++)
    ck_assert_ptr_null (ics_turn_family_ask_ipv6 (request->data, len, PASSWORD));
  turn_append_success (answer);
  expect_none (answer, PASSWORD);
  turn_append (stronger, turn_type (ICS_TURN_ALLOCATE, ICS_STUN_REQUEST), sha256, sizeof sha256);
  expect_none (stronger, PASSWORD);
  turn_append (nameless, turn_type (ICS_TURN_ALLOCATE, ICS_STUN_REQUEST), rfc5769_request + UNSIGNED_SIZE,
               INTEGRITY_SIZE);
  expect_none (nameless, PASSWORD);
}
END_TEST

int
main (void)
{
  const TTest *const tests[] = { test_vector, test_signed_anew, test_unsigned, test_unfit, NULL };

  return run_suite ("turn family", tests);
}
