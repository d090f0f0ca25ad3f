/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/nat64.h"
#include "tests/suite.h"
#include <arpa/inet.h>
#include <string.h>

/* RFC 6052 §2.4: 192.0.2.33 under prefixes of each length. */
static const struct
{
  const char *prefix;
  guint length;
  const char *address;
} vectors[] = {
  { "2001:db8::", 32, "2001:db8:c000:221::" },
  { "2001:db8:100::", 40, "2001:db8:1c0:2:21::" },
  { "2001:db8:122::", 48, "2001:db8:122:c000:2:2100::" },
  { "2001:db8:122:300::", 56, "2001:db8:122:3c0:0:221::" },
  { "2001:db8:122:344::", 64, "2001:db8:122:344:c0:2:2100::" },
  { "2001:db8:122:344::", 96, "2001:db8:122:344::192.0.2.33" },
  { "64:ff9b::", 96, "64:ff9b::192.0.2.33" },
};

static const guint8 *
ipv6 (const char *text)
{
  static guint8 bytes[ICS_NAT64_IPV6_LEN];

  ck_assert_int_eq (inet_pton (AF_INET6, text, bytes), 1);
  return bytes;
}

static void
make_prefix (IcsNat64Prefix *prefix, const char *text, guint length)
{
  ck_assert (ics_nat64_prefix_init (prefix, ipv6 (text), length));
}

START_TEST (test_vectors)
{
  static const guint8 address[] = { 192, 0, 2, 33 };

  for (guint i = 0; i < G_N_ELEMENTS (vectors); i++)
    {
      IcsNat64Prefix prefix;
      guint8 embedded[ICS_NAT64_IPV6_LEN], extracted[ICS_NAT64_IPV4_LEN];

      make_prefix (&prefix, vectors[i].prefix, vectors[i].length);
      ics_nat64_embed (&prefix, address, embedded);
      ck_assert_mem_eq (embedded, ipv6 (vectors[i].address), sizeof embedded);
      ck_assert (ics_nat64_extract (&prefix, embedded, extracted));
      ck_assert_mem_eq (extracted, address, sizeof extracted);
      embedded[1] ^= 1;
      ck_assert (!ics_nat64_extract (&prefix, embedded, extracted));
    }
}
END_TEST

START_TEST (test_find)
{
  static const guint8 known[][ICS_NAT64_IPV4_LEN] = { { 192, 0, 0, 170 }, { 192, 0, 0, 171 } };

  for (guint i = 0; i < G_N_ELEMENTS (vectors); i++)
    for (guint k = 0; k < G_N_ELEMENTS (known); k++)
      {
        IcsNat64Prefix prefix, found;
        guint8 answer[ICS_NAT64_IPV6_LEN];

        make_prefix (&prefix, vectors[i].prefix, vectors[i].length);
        ics_nat64_embed (&prefix, known[k], answer);
        ck_assert (ics_nat64_prefix_find (&found, answer));
        ck_assert (ics_nat64_prefix_equal (&found, &prefix));
        if (vectors[i].length == 96)
          continue;
        /* The suffix is ignored (RFC 6052 §2.2). */
        answer[15] = 7;
        ck_assert (ics_nat64_prefix_find (&found, answer));
        ck_assert (ics_nat64_prefix_equal (&found, &prefix));
      }
}
END_TEST

START_TEST (test_find_refuses)
{
  static const char *const answers[] = {
    "::",
    "2001:db8::1",
    "2001:db8::192.0.2.33",
    "2001:db8::192.0.0.172",
    "2001:db8:c000:aa::192.0.0.170",  /* twice: /32 and /96 (RFC 7050 §3) */
    "2001:db8:0:0:100:0:192.0.0.170", /* the u octet is not zero */
  };

  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    {
      IcsNat64Prefix found;

      ck_assert_msg (!ics_nat64_prefix_find (&found, ipv6 (answers[i])), "%s", answers[i]);
    }
}
END_TEST

START_TEST (test_prefix_refuses)
{
  IcsNat64Prefix prefix;

  for (guint length = 0; length <= 128; length++)
    ck_assert_int_eq (ics_nat64_prefix_init (&prefix, ipv6 ("2001:db8::"), length),
                      length == 32 || length == 40 || length == 48 || length == 56 || length == 64
                          || length == 96);
  ck_assert (!ics_nat64_prefix_init (&prefix, ipv6 ("2001:db8:0:0:100::"), 96));
  ck_assert (ics_nat64_prefix_init (&prefix, ipv6 ("2001:db8:0:0:100::"), 64));
  ck_assert_mem_eq (prefix.bytes, ipv6 ("2001:db8::"), ICS_NAT64_IPV6_LEN);
}
END_TEST

/* Whatever is answered, nothing is read beyond it, and a prefix that is found leads back to it. */
START_TEST (test_random_answers)
{
  guint32 seed
      = g_getenv ("ICS_TEST_SEED") != NULL ? (guint32)atoi (g_getenv ("ICS_TEST_SEED")) : g_random_int ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  guint n_found = 0;

  for (guint i = 0; i < 100000; i++)
    {
      guint8 answer[ICS_NAT64_IPV6_LEN], again[ICS_NAT64_IPV6_LEN], address[ICS_NAT64_IPV4_LEN];
      guint at = (guint)g_rand_int_range (rand, 0, 13);
      IcsNat64Prefix prefix;

      for (guint k = 0; k < sizeof answer; k++)
        answer[k] = (guint8)g_rand_int_range (rand, 0, 2);
      memcpy (answer + at, (guint8[]){ 192, 0, 0, 170 }, 4);
      if (!ics_nat64_prefix_find (&prefix, answer))
        continue;
      n_found++;
      ck_assert_msg (ics_nat64_extract (&prefix, answer, address), "seed %u", seed);
      ics_nat64_embed (&prefix, address, again);
      ck_assert_mem_eq (again, answer, prefix.length / 8);
    }
  ck_assert_uint_gt (n_found, 1000);
}
END_TEST

START_TEST (test_worth_it)
{
  static const struct
  {
    const char *address;
    gboolean worth_it;
  } cases[] = {
    { "203.0.113.1", TRUE },      { "8.8.8.8", TRUE },     { "172.15.0.1", TRUE },   { "172.32.0.1", TRUE },
    { "100.63.0.1", TRUE },       { "100.128.0.1", TRUE }, { "192.0.2.1", TRUE },    { "169.253.0.1", TRUE },
    { "223.255.255.254", TRUE },  { "0.0.0.0", FALSE },    { "10.1.2.3", FALSE },    { "100.64.0.1", FALSE },
    { "100.127.0.1", FALSE },     { "127.0.0.1", FALSE },  { "169.254.1.1", FALSE }, { "172.16.0.1", FALSE },
    { "172.31.0.1", FALSE },      { "192.0.0.2", FALSE },  { "192.168.1.2", FALSE }, { "224.0.0.251", FALSE },
    { "255.255.255.255", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      guint8 bytes[ICS_NAT64_IPV4_LEN];

      ck_assert_int_eq (inet_pton (AF_INET, cases[i].address, bytes), 1);
      ck_assert_msg (ics_nat64_is_worth_it (bytes) == cases[i].worth_it, "%s", cases[i].address);
    }
}
END_TEST

int
main (void)
{
  const TTest *const tests[]
      = { test_vectors,  test_find, test_find_refuses, test_prefix_refuses, test_random_answers,
          test_worth_it, NULL };

  return run_suite ("nat64", tests);
}
