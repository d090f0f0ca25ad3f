/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signaling/hello.h"
#include "tests/suite.h"
#include <string.h>

START_TEST (hello_is_read_strictly)
{
  guint8 fingerprint[ICS_FINGERPRINT_SIZE] = { 1, 2, 3 }, plain[ICS_HELLO_SIZE], bad[ICS_HELLO_SIZE];
  static const struct
  {
    gsize offset;
    guint8 value;
  } breaks[] = { { 0, 2 },     { 34, 0 },    { 34, 3 }, { 34, 65 }, { 34, 255 }, { 36, ' ' },
                 { 37, 0x1b }, { 37, 0x80 }, { 41, 4 }, { 42, 1 },  { 127, 1 } };
  IcsHello hello, read;

  ck_assert (ics_hello_init (&hello, fingerprint, "file/1"));
  hello.policy = ICS_PATH_POLICY_LAN;
  ics_hello_write (&hello, plain);
  ck_assert (ics_hello_read (&read, plain));
  ck_assert_str_eq (read.application, "file/1");
  ck_assert_int_eq (read.policy, ICS_PATH_POLICY_LAN);
  ck_assert_mem_eq (read.fingerprint, fingerprint, sizeof fingerprint);
  for (gsize i = 0; i < G_N_ELEMENTS (breaks); i++)
    {
      memcpy (bad, plain, sizeof bad);
      bad[breaks[i].offset] = breaks[i].value;
      ck_assert_msg (!ics_hello_read (&read, bad), "break %zu", i);
    }
  ck_assert (!ics_hello_init (&hello, fingerprint, ""));
  ck_assert (!ics_hello_init (&hello, fingerprint, "two words"));
  ck_assert (!ics_hello_init (&hello, fingerprint, "ansi\033[2J"));
}
END_TEST

START_TEST (hosts_without_a_common_version_do_not_match)
{
  guint8 fingerprint[ICS_FINGERPRINT_SIZE] = { 0 };
  g_autofree char *message = NULL;
  IcsHello own, peer;
  IcsError failure;

  ck_assert (ics_hello_init (&own, fingerprint, "file/1") && ics_hello_init (&peer, fingerprint, "file/1"));
  peer.highest_version = 9;
  ck_assert (ics_hello_matches (&own, &peer, &failure, &message));
  peer.lowest_version = 2;
  ck_assert (!ics_hello_matches (&own, &peer, &failure, &message));
  ck_assert_int_eq (failure, ICS_ERROR_PROTOCOL);
}
END_TEST

int
main (void)
{
  const TTest *const tests[] = { hello_is_read_strictly, hosts_without_a_common_version_do_not_match, NULL };

  return run_suite ("hello", tests);
}
