/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said about a direct path that is not there, over a table of what is known. */
#include "session/why-not-direct.h"
#include "tests/suite.h"
#include <string.h>

#define AUTO .policy = ICS_PATH_POLICY_AUTO
/* Behind a NAT that a STUN server has looked through. */
#define NATTED AUTO, .told_all = TRUE, .ipv4 = TRUE, .reflexive = TRUE
#define INSIDE AUTO, .told_all = TRUE, .ipv4 = TRUE
#define GLOBAL AUTO, .told_all = TRUE, .ipv4 = TRUE, .global = TRUE
#define RANDOM .mapping_varies = ICS_FACT_YES, .ports = ICS_NAT_PORTS_RANDOM
#define SEQUENTIAL .mapping_varies = ICS_FACT_YES, .ports = ICS_NAT_PORTS_SEQUENTIAL
#define STEADY .mapping_varies = ICS_FACT_NO
#define TRIED .started = 2, .failed = 1, .stun_asked = TRUE

typedef struct
{
  IcsDirectFacts facts;
  const char *says[3];
  const char *hides[3]; /* what would be a claim too many */
} Row;

static const Row rows[] = {
  { { .own = { .policy = ICS_PATH_POLICY_RELAY }, .peer = { NATTED } },
    { "this host's policy is \"relay\"" },
    { "NAT", "UDP" } },
  { { .own = { NATTED }, .peer = { .policy = ICS_PATH_POLICY_RELAY }, TRIED },
    { "the other host's policy is \"relay\"" },
    { "NAT" } },
  { { .own = { AUTO }, .peer = { AUTO } }, { "before a direct path was looked for" }, { "NAT", "UDP" } },
  { { .own = { NATTED }, .peer = { NATTED }, .started = 1 }, { "before the search" }, { "NAT", "UDP" } },
  { { .own = { NATTED, RANDOM }, .peer = { NATTED, RANDOM }, TRIED, .proved = TRUE },
    { "stopped answering" },
    { "random", "NAT" } },
  /* Families: only when both have told all. */
  { { .own = { NATTED }, .peer = { AUTO, .told_all = TRUE, .ipv6 = TRUE }, .started = 1 },
    { "this host has IPv4 only and the other one IPv6 only" },
    { "NAT" } },
  { { .own = { AUTO, .told_all = TRUE, .ipv6 = TRUE }, .peer = { NATTED }, TRIED },
    { "this host has IPv6 only" } },
  { { .own = { NATTED }, .peer = { AUTO, .ipv6 = TRUE }, TRIED },
    { "before both hosts had told all" },
    { "IPv6 only", "NAT" } },
  { { .own = { AUTO, .told_all = TRUE }, .peer = { NATTED }, TRIED }, { "this host has no address" } },
  { { .own = { NATTED }, .peer = { AUTO, .told_all = TRUE }, TRIED }, { "the other host has no address" } },
  /* STUN: silence is no proof, and a host that asked nobody has none. */
  { { .own = { INSIDE }, .peer = { NATTED }, TRIED },
    { "no STUN server answered this host", "it seems that UDP is blocked in its network" },
    { "the other" } },
  { { .own = { INSIDE }, .peer = { INSIDE }, TRIED }, { "on both sides", "it seems" } },
  { { .own = { NATTED }, .peer = { INSIDE }, TRIED },
    { "the other host has private addresses only", "if UDP" } },
  { { .own = { INSIDE }, .peer = { NATTED }, .started = 1, .failed = 1 },
    { "no check came through" },
    { "STUN", "blocked" } },
  { { .own = { INSIDE }, .peer = { NATTED }, TRIED, .udp_answered = TRUE },
    { "no check came through" },
    { "STUN" } },
  { { .own = { GLOBAL }, .peer = { NATTED }, TRIED }, { "no check came through" }, { "STUN", "blocked" } },
  { { .own = { NATTED }, .peer = { NATTED, RANDOM }, TRIED, .connected = TRUE },
    { "answered ICE's checks" },
    { "NAT" } },
  { { .own = { AUTO, .ipv4 = TRUE }, .peer = { NATTED }, TRIED }, { "before both hosts" }, { "STUN" } },
  /* NATs. */
  { { .own = { NATTED, RANDOM }, .peer = { NATTED, RANDOM }, TRIED },
    { "both NATs map at random", "open", "PCP" } },
  { { .own = { NATTED, SEQUENTIAL }, .peer = { NATTED, RANDOM }, TRIED },
    { "here, one after the other; there, at random", "PCP" } },
  { { .own = { NATTED, .mapping_varies = ICS_FACT_YES }, .peer = { NATTED, RANDOM }, TRIED },
    { "here; there, at random" } },
  { { .own = { NATTED, RANDOM }, .peer = { NATTED }, TRIED },
    { "this host's NAT gives each destination another port, at random",
      "how the other host's NAT behaves is not known" },
    { "both NATs" } },
  { { .own = { NATTED, RANDOM }, .peer = { NATTED, STEADY }, TRIED },
    { "this host's NAT gives", "the other host can be found" },
    { "not known" } },
  { { .own = { GLOBAL }, .peer = { NATTED, RANDOM }, TRIED },
    { "the other host's NAT gives", "this host can be found" },
    { "not known" } },
  { { .own = { NATTED }, .peer = { NATTED, RANDOM }, TRIED },
    { "the other host's NAT gives", "how this host's NAT behaves is not known" } },
  { { .own = { NATTED, STEADY }, .peer = { NATTED, STEADY }, TRIED }, { "firewall", "both hosts have one" } },
  { { .own = { NATTED, STEADY }, .peer = { NATTED }, TRIED },
    { "the other host's NAT, which is not measured" } },
  { { .own = { NATTED }, .peer = { NATTED, STEADY }, TRIED }, { "this host's NAT, which is not measured" } },
  { { .own = { NATTED }, .peer = { NATTED }, TRIED },
    { "how their NATs behave is not known", "ice-session probe" },
    { "random", "blocked" } },
};

START_TEST (sentences)
{
  const Row *row = &rows[_i];
  g_autofree char *why = ics_why_not_direct (&row->facts);

  for (guint i = 0; i < G_N_ELEMENTS (row->says); i++)
    ck_assert_msg (row->says[i] == NULL || strstr (why, row->says[i]) != NULL, "\"%s\" lacks \"%s\"", why,
                   row->says[i]);
  for (guint i = 0; i < G_N_ELEMENTS (row->hides); i++)
    ck_assert_msg (row->hides[i] == NULL || strstr (why, row->hides[i]) == NULL, "\"%s\" claims \"%s\"", why,
                   row->hides[i]);
  ck_assert_uint_lt (strlen (why), 400);
}
END_TEST

START_TEST (candidates)
{
  IcsDirectEnd end = { 0 };

  ics_direct_end_add_candidate (&end, "garbage");
  ics_direct_end_add_candidate (&end,
                                "candidate:1 1 UDP 100 203.0.113.1 5000 typ relay raddr 0.0.0.0 rport 0");
  ck_assert (!end.ipv4 && !end.ipv6 && !end.global && !end.reflexive);
  ics_direct_end_add_candidate (&end, "candidate:1 1 UDP 2130706431 192.168.1.2 5000 typ host");
  ck_assert (end.ipv4 && !end.ipv6 && !end.global && !end.reflexive);
  ics_direct_end_add_candidate (
      &end, "candidate:2 1 UDP 1694498815 198.51.100.1 5000 typ srflx raddr 192.168.1.2 rport 5000");
  ck_assert (end.ipv4 && !end.ipv6 && !end.global && end.reflexive);
  ics_direct_end_add_candidate (&end, "candidate:3 1 UDP 2130706431 2001:db8::1 5000 typ host");
  ck_assert (end.ipv4 && end.ipv6 && end.global && end.reflexive);
}
END_TEST

/* Whatever the facts: there is something to say. */
START_TEST (any_facts)
{
  for (guint bits = 0; bits < 1u << 16; bits++)
    {
      IcsDirectEnd ends[2] = { 0 };
      IcsDirectFacts facts = { .stun_asked = bits >> 12 & 1,
                               .udp_answered = bits >> 13 & 1,
                               .started = bits >> 14 & 1,
                               .failed = bits >> 14 & 1,
                               .proved = bits >> 15 & 1 };
      g_autofree char *why = NULL;

      for (guint i = 0; i < 2; i++)
        ends[i]
            = (IcsDirectEnd){ .told_all = bits >> 6 * i & 1,
                              .ipv4 = bits >> (6 * i + 1) & 1,
                              .ipv6 = bits >> (6 * i + 2) & 1,
                              .global = bits >> (6 * i + 3) & 1,
                              .reflexive = bits >> (6 * i + 4) & 1,
                              .mapping_varies = bits >> (6 * i + 5) & 1 ? ICS_FACT_YES : ICS_FACT_UNKNOWN };
      facts.own = ends[0];
      facts.peer = ends[1];
      why = ics_why_not_direct (&facts);
      ck_assert_ptr_nonnull (why);
    }
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = { { sentences, G_N_ELEMENTS (rows) }, { candidates, 1 }, { any_facts, 1 } };

  return run_loops ("why-not-direct", tests, G_N_ELEMENTS (tests));
}
