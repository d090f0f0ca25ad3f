/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/suite.h"
#include "turn-fallback/turn-rest.h"
#include <stdlib.h>
#include <string.h>

/* Computed with: printf 1433895918:alice | openssl dgst -sha1 -hmac north -binary | base64 */
START_TEST (test_known_vector)
{
  g_autofree char *password = ics_turn_rest_password ("north", "1433895918:alice");

  ck_assert_str_eq (password, "RqMvcGPYTJMGThVLSi4amT4zFtI=");
}
END_TEST

START_TEST (test_issue)
{
  g_autoptr (IcsTurnServer) a = ics_turn_server_parse ("turn:192.0.2.1", NULL);
  g_autoptr (IcsTurnServer) b = ics_turn_server_copy (a);
  g_autofree char *expected = NULL;

  ics_turn_rest_issue (a, "s", 1000, 600);
  ics_turn_rest_issue (b, "s", 1000, 600);
  ck_assert_int_eq (a->expires_unix, 1600);
  ck_assert (g_str_has_prefix (a->username, "1600:"));
  ck_assert_uint_eq (strlen (a->username), 5 + 16);
  ck_assert_str_ne (a->username, b->username);
  expected = ics_turn_rest_password ("s", a->username);
  ck_assert_str_eq (a->password, expected);
  ck_assert_str_ne (a->password, b->password);
}
END_TEST

int
main (void)
{
  const TTest *const tests[] = { test_known_vector, test_issue, NULL };

  return run_suite ("turn-rest", tests);
}
