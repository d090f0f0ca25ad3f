/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/remote-candidate.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

static const IcsCandidateRules direct_rules = { 0 };
static const IcsCandidateRules lan_rules = { .host_only = TRUE };
static const IcsCandidateRules relay_rules = { .relay_only = TRUE };
static const IcsCandidateRules v4_rules = { .family = 4 };
static const IcsCandidateRules v6_rules = { .family = 6 };
static const IcsCandidateRules relay_v6_rules = { .relay_only = TRUE, .family = 6 };
static const IcsCandidateRules tcp_rules = { .tcp = TRUE };
static const IcsCandidateRules loopback_rules = { .allow_loopback = TRUE };

static const struct
{
  const char *line;
  const IcsCandidateRules *rules;
  IcsCandidateVerdict verdict;
} cases[] = {
  /* RFC 8839 §5.1's own examples */
  { "candidate:1 1 UDP 2130706431 203.0.113.141 8998 typ host", &direct_rules, ICS_CANDIDATE_OK },
  { "candidate:2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998", &direct_rules,
    ICS_CANDIDATE_OK },
  { "candidate:1 1 udp 1 2001:db8::1 1 typ host", &direct_rules, ICS_CANDIDATE_OK },
  { "candidate:1 1 UDP 1 192.0.2.1 65535 typ host generation 0 ufrag abcd", &direct_rules, ICS_CANDIDATE_OK },
  { "candidate:abcdefghijklmnopqrstuvwxyz012345 1 UDP 1 192.0.2.1 1 typ host", &direct_rules,
    ICS_CANDIDATE_OK },
  { "candidate:+/ 1 UDP 2147483647 10.0.0.1 1 typ host", &direct_rules, ICS_CANDIDATE_OK },

  { "", &direct_rules, ICS_CANDIDATE_MALFORMED },
  { "candidate:", &direct_rules, ICS_CANDIDATE_MALFORMED },
  { "a=candidate:1 1 UDP 1 192.0.2.1 1 typ host", &direct_rules, ICS_CANDIDATE_MALFORMED },
  { "candidate:1 1 UDP 1 192.0.2.1 1 typ", &direct_rules, ICS_CANDIDATE_MALFORMED },
  { "candidate:1 1 UDP 1 192.0.2.1 1 type host", &direct_rules, ICS_CANDIDATE_MALFORMED },
  { "candidate:1 1 UDP 1 192.0.2.1 1 typ hosts", &direct_rules, ICS_CANDIDATE_MALFORMED },
  { "candidate:1 1 UDP 1 192.0.2.1 1 typ host raddr", &direct_rules, ICS_CANDIDATE_MALFORMED },
  { "candidate:1 1  UDP 1 192.0.2.1 1 typ host", &direct_rules, ICS_CANDIDATE_MALFORMED },
  { "candidate:1 1 UDP 1 192.0.2.1 1 typ host ", &direct_rules, ICS_CANDIDATE_MALFORMED },
  { "candidate:1 1 UDP 0 192.0.2.1 1 typ host", &direct_rules, ICS_CANDIDATE_MALFORMED },
  { "candidate:1 1 UDP 2147483648 192.0.2.1 1 typ host", &direct_rules, ICS_CANDIDATE_MALFORMED },
  { "candidate:1 1 UDP -1 192.0.2.1 1 typ host", &direct_rules, ICS_CANDIDATE_MALFORMED },
  { "candidate:1 1 UDP +1 192.0.2.1 1 typ host", &direct_rules, ICS_CANDIDATE_MALFORMED },
  { "candidate:1 1 UDP 1 192.0.2.1 65536 typ host", &direct_rules, ICS_CANDIDATE_MALFORMED },
  { "candidate:1 1 UDP 1 192.0.2.1 0x50 typ host", &direct_rules, ICS_CANDIDATE_MALFORMED },
  { "candidate:1 0 UDP 1 192.0.2.1 1 typ host", &direct_rules, ICS_CANDIDATE_MALFORMED },
  { "candidate:1- 1 UDP 1 192.0.2.1 1 typ host", &direct_rules, ICS_CANDIDATE_MALFORMED },
  { "candidate:abcdefghijklmnopqrstuvwxyz0123456 1 UDP 1 192.0.2.1 1 typ host", &direct_rules,
    ICS_CANDIDATE_MALFORMED },
  { "candidate:1 1 UDP 1 192.0.2.1 1 typ host\r\na=x", &direct_rules, ICS_CANDIDATE_MALFORMED },
  { "candidate:1 1 UDP 1 192.0.2.1 1 typ host x \xc3\xa4", &direct_rules, ICS_CANDIDATE_MALFORMED },

  { "candidate:1 1 TCP 1 192.0.2.1 1 typ host tcptype passive", &direct_rules, ICS_CANDIDATE_NOT_UDP },
  /* RFC 6544 §4.5 and appendix A */
  { "candidate:1 1 TCP 2128609279 192.0.2.1 9 typ host tcptype active", &tcp_rules, ICS_CANDIDATE_OK },
  { "candidate:2 1 TCP 2124414975 192.0.2.1 8998 typ host tcptype passive", &tcp_rules, ICS_CANDIDATE_OK },
  { "candidate:3 1 tcp 2120220671 192.0.2.1 8999 typ host tcptype so", &tcp_rules, ICS_CANDIDATE_OK },
  { "candidate:4 1 TCP 1688207359 192.0.2.3 9 typ srflx raddr 192.0.2.1 rport 9 tcptype active", &tcp_rules,
    ICS_CANDIDATE_OK },
  { "candidate:1 1 UDP 1 192.0.2.1 1 typ host", &tcp_rules, ICS_CANDIDATE_NOT_TCP },
  { "candidate:1 1 TCP 1 192.0.2.1 1 typ host", &tcp_rules, ICS_CANDIDATE_MALFORMED },
  { "candidate:1 1 TCP 1 192.0.2.1 1 typ host tcptype", &tcp_rules, ICS_CANDIDATE_MALFORMED },
  { "candidate:1 1 TCP 1 192.0.2.1 1 typ host tcptype none", &tcp_rules, ICS_CANDIDATE_MALFORMED },
  { "candidate:1 1 TCP 1 192.0.2.1 1 typ host raddr tcptype", &tcp_rules, ICS_CANDIDATE_MALFORMED },
  { "candidate:1 2 TCP 1 192.0.2.1 1 typ host tcptype so", &tcp_rules, ICS_CANDIDATE_WRONG_COMPONENT },
  { "candidate:1 1 TCP 1 192.0.2.1 0 typ host tcptype so", &tcp_rules, ICS_CANDIDATE_BAD_ADDRESS },
  { "candidate:1 1 TCP 1 192.0.2.1 1 typ relay tcptype so", &tcp_rules, ICS_CANDIDATE_WRONG_TYPE },
  { "candidate:1 2 UDP 1 192.0.2.1 1 typ host", &direct_rules, ICS_CANDIDATE_WRONG_COMPONENT },

  { "candidate:1 1 UDP 1 4a2b.local 1 typ host", &direct_rules, ICS_CANDIDATE_NOT_A_LITERAL },
  { "candidate:1 1 UDP 1 example.org 1 typ host", &direct_rules, ICS_CANDIDATE_NOT_A_LITERAL },
  { "candidate:1 1 UDP 1 192.0.2 1 typ host", &direct_rules, ICS_CANDIDATE_NOT_A_LITERAL },
  { "candidate:1 1 UDP 1 0x7f000001 1 typ host", &direct_rules, ICS_CANDIDATE_NOT_A_LITERAL },
  { "candidate:1 1 UDP 1 [2001:db8::1] 1 typ host", &direct_rules, ICS_CANDIDATE_NOT_A_LITERAL },
  { "candidate:1 1 UDP 1 fe80::1%eth0 1 typ host", &direct_rules, ICS_CANDIDATE_NOT_A_LITERAL },

  { "candidate:1 1 UDP 1 192.0.2.1 0 typ host", &direct_rules, ICS_CANDIDATE_BAD_ADDRESS },
  { "candidate:1 1 UDP 1 0.0.0.0 1 typ host", &direct_rules, ICS_CANDIDATE_BAD_ADDRESS },
  { "candidate:1 1 UDP 1 224.0.0.251 1 typ host", &direct_rules, ICS_CANDIDATE_BAD_ADDRESS },
  { "candidate:1 1 UDP 1 255.255.255.255 1 typ host", &direct_rules, ICS_CANDIDATE_BAD_ADDRESS },
  { "candidate:1 1 UDP 1 127.0.0.1 1 typ host", &direct_rules, ICS_CANDIDATE_BAD_ADDRESS },
  { "candidate:1 1 UDP 1 :: 1 typ host", &direct_rules, ICS_CANDIDATE_BAD_ADDRESS },
  { "candidate:1 1 UDP 1 ::1 1 typ host", &direct_rules, ICS_CANDIDATE_BAD_ADDRESS },
  { "candidate:1 1 UDP 1 ff02::1 1 typ host", &direct_rules, ICS_CANDIDATE_BAD_ADDRESS },
  { "candidate:1 1 UDP 1 fe80::1 1 typ host", &direct_rules, ICS_CANDIDATE_BAD_ADDRESS },
  { "candidate:1 1 UDP 1 fec0::1 1 typ host", &direct_rules, ICS_CANDIDATE_BAD_ADDRESS },
  { "candidate:1 1 UDP 1 ::ffff:192.0.2.1 1 typ host", &direct_rules, ICS_CANDIDATE_BAD_ADDRESS },
  { "candidate:1 1 UDP 1 ::192.0.2.1 1 typ host", &direct_rules, ICS_CANDIDATE_BAD_ADDRESS },
  { "candidate:1 1 UDP 1 127.0.0.1 1 typ host", &loopback_rules, ICS_CANDIDATE_OK },
  { "candidate:1 1 UDP 1 ::1 1 typ host", &loopback_rules, ICS_CANDIDATE_OK },

  { "candidate:1 1 UDP 1 192.0.2.1 1 typ relay raddr 0.0.0.0 rport 0", &direct_rules,
    ICS_CANDIDATE_WRONG_TYPE },
  { "candidate:1 1 UDP 1 192.0.2.1 1 typ prflx", &direct_rules, ICS_CANDIDATE_WRONG_TYPE },
  { "candidate:1 1 UDP 1 192.0.2.1 1 typ srflx", &lan_rules, ICS_CANDIDATE_WRONG_TYPE },
  { "candidate:1 1 UDP 1 192.0.2.1 1 typ host", &lan_rules, ICS_CANDIDATE_OK },
  { "candidate:1 1 UDP 1 192.0.2.1 1 typ host", &relay_rules, ICS_CANDIDATE_WRONG_TYPE },
  { "candidate:1 1 UDP 1 192.0.2.1 1 typ srflx", &relay_rules, ICS_CANDIDATE_WRONG_TYPE },
  { "candidate:1 1 UDP 1 192.0.2.1 1 typ relay", &relay_rules, ICS_CANDIDATE_OK },

  { "candidate:1 1 UDP 1 192.0.2.1 1 typ host", &v6_rules, ICS_CANDIDATE_WRONG_FAMILY },
  { "candidate:1 1 UDP 1 2001:db8::1 1 typ host", &v4_rules, ICS_CANDIDATE_WRONG_FAMILY },
  { "candidate:1 1 UDP 1 2001:db8::1 1 typ host", &v6_rules, ICS_CANDIDATE_OK },
  { "candidate:1 1 UDP 1 192.0.2.1 1 typ relay", &relay_v6_rules, ICS_CANDIDATE_OK },
};

START_TEST (verdicts)
{
  IcsRemoteCandidate candidate;
  IcsCandidateVerdict verdict = ics_remote_candidate_parse (cases[_i].line, cases[_i].rules, &candidate);

  ck_assert_msg (verdict == cases[_i].verdict, "\"%s\": %s, not %s", cases[_i].line,
                 ics_candidate_verdict_to_string (verdict),
                 ics_candidate_verdict_to_string (cases[_i].verdict));
}
END_TEST

/* What the parser hands on has nothing of the peer's in it but the checked fields. */
START_TEST (canonical_line)
{
  IcsRemoteCandidate candidate;
  g_autofree char *sdp = NULL;
  g_autofree char *endpoint = NULL;

  ck_assert_int_eq (
      ics_remote_candidate_parse (
          "candidate:Ab+/ 1 udp 1694498815 2001:DB8:0:0::1 40311 typ srflx raddr 10.0.0.1 rport 1 x y",
          &direct_rules, &candidate),
      ICS_CANDIDATE_OK);
  sdp = ics_remote_candidate_to_sdp (&candidate);
  endpoint = ics_remote_candidate_to_endpoint (&candidate);
  ck_assert_str_eq (sdp, "a=candidate:Ab+/ 1 UDP 1694498815 2001:db8::1 40311 typ srflx");
  ck_assert_str_eq (endpoint, "[2001:db8::1]:40311");
}
END_TEST

/* A server-reflexive candidate may say that a gateway maps it; libnice is not told. */
START_TEST (mappings)
{
  static const struct
  {
    const char *line, *name;
  } lines[] = {
    { "candidate:1 1 UDP 1 192.0.2.1 1 typ srflx raddr 10.0.0.1 rport 1 mapping pcp", "mapped" },
    { "candidate:1 1 UDP 1 192.0.2.1 1 typ srflx mapping upnp raddr 10.0.0.1 rport 1", "mapped" },
    { "candidate:1 1 UDP 1 192.0.2.1 1 typ srflx raddr 10.0.0.1 rport 1", "srflx" },
    { "candidate:1 1 UDP 1 192.0.2.1 1 typ srflx raddr mapping rport 1", "srflx" },
    { "candidate:1 1 UDP 1 192.0.2.1 1 typ host mapping pcp", "host" },
  };
  IcsRemoteCandidate candidate;
  g_autofree char *sdp = NULL;

  ck_assert_int_eq (ics_remote_candidate_parse (lines[_i].line, &direct_rules, &candidate), ICS_CANDIDATE_OK);
  ck_assert_str_eq (ics_remote_candidate_get_type_name (&candidate), lines[_i].name);
  sdp = ics_remote_candidate_to_sdp (&candidate);
  ck_assert_ptr_null (strstr (sdp, "mapping"));
}
END_TEST

START_TEST (length_limit)
{
  g_autoptr (GString) line = g_string_new ("candidate:1 1 UDP 1 192.0.2.1 1 typ host x ");
  IcsRemoteCandidate candidate;

  while (line->len < ICS_REMOTE_CANDIDATE_LINE_MAX)
    g_string_append_c (line, 'y');
  ck_assert_int_eq (ics_remote_candidate_parse (line->str, &direct_rules, &candidate), ICS_CANDIDATE_OK);
  g_string_append_c (line, 'y');
  ck_assert_int_eq (ics_remote_candidate_parse (line->str, &direct_rules, &candidate),
                    ICS_CANDIDATE_TOO_LONG);
}
END_TEST

START_TEST (list_is_bounded)
{
  g_autofree IcsRemoteCandidateList *list = g_new0 (IcsRemoteCandidateList, 1);
  IcsRemoteCandidate candidate = { .address = "192.0.2.1", .family = 4 };

  for (guint i = 1; i <= ICS_REMOTE_CANDIDATES_MAX; i++)
    {
      candidate.port = (guint16)i;
      ck_assert_int_eq (ics_remote_candidate_list_add (list, &candidate), ICS_CANDIDATE_OK);
      ck_assert_int_eq (ics_remote_candidate_list_add (list, &candidate), ICS_CANDIDATE_DUPLICATE);
    }
  candidate.port++;
  ck_assert_int_eq (ics_remote_candidate_list_add (list, &candidate), ICS_CANDIDATE_TOO_MANY);
  ck_assert_uint_eq (list->len, ICS_REMOTE_CANDIDATES_MAX);
}
END_TEST

/* The same address written another way is the same candidate. */
START_TEST (duplicates_by_address)
{
  g_autofree IcsRemoteCandidateList *list = g_new0 (IcsRemoteCandidateList, 1);
  IcsRemoteCandidate candidate;

  ics_remote_candidate_parse ("candidate:1 1 UDP 1 2001:db8::1 7 typ host", &direct_rules, &candidate);
  ck_assert_int_eq (ics_remote_candidate_list_add (list, &candidate), ICS_CANDIDATE_OK);
  ics_remote_candidate_parse ("candidate:2 1 UDP 9 2001:0DB8:0::1 7 typ srflx", &direct_rules, &candidate);
  ck_assert_int_eq (ics_remote_candidate_list_add (list, &candidate), ICS_CANDIDATE_DUPLICATE);
}
END_TEST

START_TEST (credentials)
{
  g_autofree char *longest = g_strnfill (256, 'x');
  g_autofree char *too_long = g_strnfill (257, 'x');

  ck_assert (ics_ice_credentials_are_valid ("8hhY", "asd88fgpdd777uzjYhagZg"));
  ck_assert (ics_ice_credentials_are_valid (longest, longest));
  ck_assert (!ics_ice_credentials_are_valid ("8hh", "asd88fgpdd777uzjYhagZg"));
  ck_assert (!ics_ice_credentials_are_valid ("8hhY", "asd88fgpdd777uzjYhagZ"));
  ck_assert (!ics_ice_credentials_are_valid ("8h:Y", "asd88fgpdd777uzjYhagZg"));
  ck_assert (!ics_ice_credentials_are_valid ("8hhY", "asd88fgpdd777uzjYhag g"));
  ck_assert (!ics_ice_credentials_are_valid (too_long, longest));
  ck_assert (!ics_ice_credentials_are_valid (longest, too_long));
  ck_assert (!ics_ice_credentials_are_valid (NULL, longest));
  ck_assert (!ics_ice_credentials_are_valid (longest, NULL));
}
END_TEST

static GRand *
seeded_random (void)
{
  const char *given = g_getenv ("ICS_TEST_SEED");
  guint32 seed = given != NULL ? (guint32)g_ascii_strtoull (given, NULL, 10) : g_random_int ();

  g_print ("ICS_TEST_SEED=%u\n", seed);
  return g_rand_new_with_seed (seed);
}

/* Whatever is accepted obeys the rules and survives being said again. */
static void
check_accepted (const IcsRemoteCandidate *candidate)
{
  static const IcsCandidateRules anything = { .allow_loopback = TRUE };
  g_autofree char *sdp = ics_remote_candidate_to_sdp (candidate);
  IcsRemoteCandidate again;

  ck_assert_int_eq (ics_remote_candidate_parse (sdp + strlen ("a="), &anything, &again), ICS_CANDIDATE_OK);
  ck_assert_str_eq (again.address, candidate->address);
  ck_assert_uint_eq (again.port, candidate->port);
  ck_assert_uint_eq (again.priority, candidate->priority);
  ck_assert_int_eq (again.type, candidate->type);
  ck_assert_str_eq (again.foundation, candidate->foundation);
}

START_TEST (random_garbage)
{
  g_autoptr (GRand) random = seeded_random ();
  guint accepted = 0;

  for (guint n = 0; n < 50000; n++)
    {
      g_autofree char *line = g_strdup (cases[g_rand_int_range (random, 0, 6)].line);
      gsize len = strlen (line);
      IcsRemoteCandidate candidate;

      for (gint32 flips = g_rand_int_range (random, 0, 4); flips > 0; flips--)
        line[g_rand_int_range (random, 0, (gint32)len)] = (char)g_rand_int_range (random, 0, 256);
      if (ics_remote_candidate_parse (line, &direct_rules, &candidate) == ICS_CANDIDATE_OK)
        {
          accepted++;
          check_accepted (&candidate);
        }
    }
  ck_assert_uint_gt (accepted, 0);
}
END_TEST

/* As a host behind a NAT64 with the prefix of RFC 6052 §2.4 reaches it; what is no use there stays. */
START_TEST (translation)
{
  static const struct
  {
    const char *line, *expected;
  } all[] = {
    { "candidate:1 1 UDP 7 203.0.113.141 8998 typ srflx",
      "a=candidate:1 1 UDP 7 2001:db8:122:344::cb00:718d 8998 typ srflx" },
    { "candidate:1 1 UDP 7 192.168.1.2 8998 typ host", NULL },
    { "candidate:1 1 UDP 7 100.64.0.2 8998 typ host", NULL },
    { "candidate:1 1 UDP 7 2001:db8::2 8998 typ host", NULL },
  };
  static const guint8 bytes[ICS_NAT64_IPV6_LEN] = { 0x20, 0x01, 0x0d, 0xb8, 0x01, 0x22, 0x03, 0x44 };
  IcsNat64Prefix prefix;

  ck_assert (ics_nat64_prefix_init (&prefix, bytes, 96));
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      IcsRemoteCandidate candidate, translated;
      g_autofree char *sdp = NULL;

      ck_assert_int_eq (ics_remote_candidate_parse (all[i].line, &direct_rules, &candidate),
                        ICS_CANDIDATE_OK);
      ck_assert_int_eq (ics_remote_candidate_translate (&candidate, &prefix, &translated),
                        all[i].expected != NULL);
      if (all[i].expected == NULL)
        continue;
      sdp = ics_remote_candidate_to_sdp (&translated);
      ck_assert_str_eq (sdp, all[i].expected);
      ck_assert_int_eq (translated.family, 6);
    }
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("remote-candidate");
  TCase *tcase = tcase_create ("remote-candidate");
  SRunner *runner;
  int failed;

  tcase_add_loop_test (tcase, verdicts, 0, G_N_ELEMENTS (cases));
  tcase_add_test (tcase, canonical_line);
  tcase_add_loop_test (tcase, mappings, 0, 5);
  tcase_add_test (tcase, length_limit);
  tcase_add_test (tcase, list_is_bounded);
  tcase_add_test (tcase, duplicates_by_address);
  tcase_add_test (tcase, translation);
  tcase_add_test (tcase, credentials);
  tcase_add_test (tcase, random_garbage);
  tcase_set_timeout (tcase, 120);
  suite_add_tcase (suite, tcase);
  runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
