/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a few observations tell of a NAT, and what they do not. */
#include "agent/address-scope.h"
#include "agent/nat-behavior.h"
#include "tests/suite.h"
#include <arpa/inet.h>

static IcsSockaddr
make (const char *literal, guint16 port)
{
  IcsSockaddr address = { 0 };

  if (inet_pton (AF_INET, literal, &address.v4.sin_addr) == 1)
    {
      address.v4.sin_family = AF_INET;
      address.v4.sin_port = htons (port);
      return address;
    }
  ck_assert_int_eq (inet_pton (AF_INET6, literal, &address.v6.sin6_addr), 1);
  address.v6.sin6_family = AF_INET6;
  address.v6.sin6_port = htons (port);
  return address;
}

typedef struct
{
  guint socket;
  const char *server;
  guint16 server_port;
  guint16 mapped;
} Seen;

#define SEEN_MAX 5

typedef struct
{
  Seen seen[SEEN_MAX];
  IcsNatDependence mapping;
  IcsFact varies;
  IcsNatPorts ports;
  int step;
} Row;

/* The sockets have the ports 5000, 5001, … */
static const Row rows[] = {
  /* One server says nothing of the mapping. */
  { { { 0, "1.1.1.1", 1, 9000 } }, ICS_NAT_UNKNOWN, ICS_FACT_UNKNOWN, ICS_NAT_PORTS_UNKNOWN, 0 },
  /* RFC 5780 §4.3: test II sees what test I saw. */
  { { { 0, "1.1.1.1", 1, 9000 }, { 0, "1.1.1.2", 1, 9000 } },
    ICS_NAT_ENDPOINT_INDEPENDENT,
    ICS_FACT_NO,
    ICS_NAT_PORTS_UNKNOWN,
    0 },
  /* Two ports of one server: the address may count. */
  { { { 0, "1.1.1.1", 1, 9000 }, { 0, "1.1.1.1", 2, 9000 } },
    ICS_NAT_UNKNOWN,
    ICS_FACT_NO,
    ICS_NAT_PORTS_UNKNOWN,
    0 },
  { { { 0, "1.1.1.1", 1, 9000 }, { 0, "1.1.1.1", 2, 9400 } },
    ICS_NAT_ADDRESS_AND_PORT_DEPENDENT,
    ICS_FACT_YES,
    ICS_NAT_PORTS_UNKNOWN,
    0 },
  /* Two servers saw two mappings: whether the port counts too, nobody asked. */
  { { { 0, "1.1.1.1", 1, 9000 }, { 0, "1.1.1.2", 1, 9400 } },
    ICS_NAT_UNKNOWN,
    ICS_FACT_YES,
    ICS_NAT_PORTS_UNKNOWN,
    0 },
  { { { 0, "1.1.1.1", 1, 9000 }, { 0, "1.1.1.2", 1, 9400 }, { 0, "1.1.1.2", 2, 9400 } },
    ICS_NAT_ADDRESS_DEPENDENT,
    ICS_FACT_YES,
    ICS_NAT_PORTS_UNKNOWN,
    0 },
  /* What two sockets have is not compared. */
  { { { 0, "1.1.1.1", 1, 9000 }, { 1, "1.1.1.2", 1, 9400 } },
    ICS_NAT_UNKNOWN,
    ICS_FACT_UNKNOWN,
    ICS_NAT_PORTS_UNKNOWN,
    0 },
  /* Kept for one socket may be chance. */
  { { { 0, "1.1.1.1", 1, 5000 }, { 0, "1.1.1.2", 1, 5000 } },
    ICS_NAT_ENDPOINT_INDEPENDENT,
    ICS_FACT_NO,
    ICS_NAT_PORTS_UNKNOWN,
    0 },
  { { { 0, "1.1.1.1", 1, 5000 }, { 1, "1.1.1.1", 1, 5001 } },
    ICS_NAT_UNKNOWN,
    ICS_FACT_UNKNOWN,
    ICS_NAT_PORTS_PRESERVED,
    0 },
  /* One step may be chance, two are not; others took ports meanwhile. */
  { { { 0, "1.1.1.1", 1, 9000 }, { 0, "1.1.1.2", 1, 9001 } },
    ICS_NAT_UNKNOWN,
    ICS_FACT_YES,
    ICS_NAT_PORTS_UNKNOWN,
    0 },
  { { { 0, "1.1.1.1", 1, 9000 }, { 0, "1.1.1.2", 1, 9004 }, { 0, "1.1.1.2", 2, 9006 } },
    ICS_NAT_ADDRESS_AND_PORT_DEPENDENT,
    ICS_FACT_YES,
    ICS_NAT_PORTS_SEQUENTIAL,
    2 },
  { { { 0, "1.1.1.1", 1, 9000 },
      { 0, "1.1.1.1", 1, 9 },
      { 1, "1.1.1.1", 1, 8999 },
      { 2, "1.1.1.1", 1, 8996 } },
    ICS_NAT_UNKNOWN,
    ICS_FACT_UNKNOWN,
    ICS_NAT_PORTS_SEQUENTIAL,
    -1 },
  /* Up and down, or far: not sequential; a bit far: not random either. */
  { { { 0, "1.1.1.1", 1, 9000 }, { 1, "1.1.1.1", 1, 9001 }, { 2, "1.1.1.1", 1, 8999 } },
    ICS_NAT_UNKNOWN,
    ICS_FACT_UNKNOWN,
    ICS_NAT_PORTS_UNKNOWN,
    0 },
  { { { 0, "1.1.1.1", 1, 9000 }, { 1, "1.1.1.1", 1, 9001 }, { 2, "1.1.1.1", 1, 9101 } },
    ICS_NAT_UNKNOWN,
    ICS_FACT_UNKNOWN,
    ICS_NAT_PORTS_UNKNOWN,
    0 },
  { { { 0, "1.1.1.1", 1, 9000 }, { 1, "1.1.1.1", 1, 41001 }, { 2, "1.1.1.1", 1, 22222 } },
    ICS_NAT_UNKNOWN,
    ICS_FACT_UNKNOWN,
    ICS_NAT_PORTS_RANDOM,
    0 },
};

START_TEST (conclusions)
{
  const Row *row = &rows[_i];
  IcsNatBehavior behavior;

  ics_nat_behavior_init (&behavior);
  for (guint i = 0; i < SEEN_MAX && row->seen[i].server != NULL; i++)
    {
      const Seen *seen = &row->seen[i];
      IcsNatObservation observation = { .socket = seen->socket,
                                        .local = make ("192.168.1.2", (guint16)(5000 + seen->socket)),
                                        .server = make (seen->server, seen->server_port),
                                        .mapped = make ("198.51.100.1", seen->mapped) };

      ics_nat_behavior_observe (&behavior, &observation);
    }
  ck_assert_int_eq (behavior.answered, ICS_FACT_YES);
  ck_assert_int_eq (behavior.translated, ICS_FACT_YES);
  ck_assert_str_eq (ics_nat_dependence_to_string (behavior.mapping),
                    ics_nat_dependence_to_string (row->mapping));
  ck_assert_str_eq (ics_fact_to_string (behavior.mapping_varies), ics_fact_to_string (row->varies));
  ck_assert_str_eq (ics_nat_ports_to_string (behavior.ports), ics_nat_ports_to_string (row->ports));
  ck_assert_int_eq (behavior.port_step, row->step);
  if (row->ports == ICS_NAT_PORTS_UNKNOWN || row->ports == ICS_NAT_PORTS_RANDOM)
    ck_assert_uint_eq (ics_nat_behavior_predict_port (&behavior, 7000, 1), 0);
  if (row->ports == ICS_NAT_PORTS_PRESERVED)
    ck_assert_uint_eq (ics_nat_behavior_predict_port (&behavior, 7000, 3), 7000);
  if (row->step == 2)
    ck_assert_uint_eq (ics_nat_behavior_predict_port (&behavior, 7000, 3), 9012);
}
END_TEST

static void
observe (IcsNatBehavior *behavior, IcsSockaddr local, IcsSockaddr mapped)
{
  IcsNatObservation observation
      = { 0, local, make ("1.1.1.1", (guint16)(behavior->n_observations + 1)), mapped };

  ics_nat_behavior_observe (behavior, &observation);
}

START_TEST (translation)
{
  IcsNatBehavior behavior;

  ics_nat_behavior_init (&behavior);
  ck_assert_int_eq (behavior.translated, ICS_FACT_UNKNOWN);
  ck_assert_int_eq (behavior.rtt, -1);
  observe (&behavior, make ("0.0.0.0", 5000), make ("198.51.100.1", 5000));
  ck_assert_int_eq (behavior.translated, ICS_FACT_UNKNOWN);
  observe (&behavior, make ("198.51.100.1", 5000), make ("198.51.100.1", 5000));
  ck_assert_int_eq (behavior.translated, ICS_FACT_NO);
  observe (&behavior, make ("198.51.100.1", 5000), make ("198.51.100.1", 5001));
  ck_assert_int_eq (behavior.translated, ICS_FACT_YES);
  observe (&behavior, make ("198.51.100.1", 5000), make ("198.51.100.1", 5000));
  ck_assert_int_eq (behavior.translated, ICS_FACT_YES);
  ics_nat_behavior_init (&behavior);
  observe (&behavior, make ("2001:db8::1", 5000), make ("2001:db8::1", 5000));
  ck_assert_int_eq (behavior.translated, ICS_FACT_NO);
  ics_nat_behavior_init (&behavior);
  observe (&behavior, make ("::", 5000), make ("2001:db8::1", 5001));
  ck_assert_int_eq (behavior.translated, ICS_FACT_YES);
}
END_TEST

/* However many answers come. */
START_TEST (bounded)
{
  IcsNatBehavior behavior;

  ics_nat_behavior_init (&behavior);
  for (guint16 i = 0; i < 100; i++)
    observe (&behavior, make ("192.168.1.2", 5000), make ("198.51.100.1", (guint16)(65000 + 2 * i)));
  ck_assert_uint_eq (behavior.n_observations, ICS_NAT_OBSERVATIONS_MAX);
  ck_assert_int_eq (behavior.ports, ICS_NAT_PORTS_SEQUENTIAL);
  /* There is no port above. */
  ck_assert_uint_eq (ics_nat_behavior_predict_port (&behavior, 5000, 1), 65024);
  ck_assert_uint_eq (ics_nat_behavior_predict_port (&behavior, 5000, 1000), 0);
}
END_TEST

START_TEST (scopes)
{
  static const struct
  {
    const char *literal;
    IcsAddressScope scope;
  } expected[] = {
    { "0.0.0.0", ICS_SCOPE_NONE },
    { "0.1.2.3", ICS_SCOPE_NONE },
    { "10.0.0.1", ICS_SCOPE_PRIVATE },
    { "11.0.0.1", ICS_SCOPE_GLOBAL },
    { "100.63.0.1", ICS_SCOPE_GLOBAL },
    { "100.64.0.1", ICS_SCOPE_PRIVATE },
    { "100.127.9.9", ICS_SCOPE_PRIVATE },
    { "127.0.0.1", ICS_SCOPE_LOOPBACK },
    { "169.254.1.1", ICS_SCOPE_LINK },
    { "172.15.0.1", ICS_SCOPE_GLOBAL },
    { "172.31.0.1", ICS_SCOPE_PRIVATE },
    { "192.168.255.1", ICS_SCOPE_PRIVATE },
    { "223.255.255.1", ICS_SCOPE_GLOBAL },
    { "224.0.0.1", ICS_SCOPE_NONE },
    { "255.255.255.255", ICS_SCOPE_NONE },
    { "203.0.113.1", ICS_SCOPE_GLOBAL },
    { "::", ICS_SCOPE_NONE },
    { "::1", ICS_SCOPE_LOOPBACK },
    { "::ffff:127.0.0.1", ICS_SCOPE_LOOPBACK },
    { "::ffff:224.0.0.1", ICS_SCOPE_NONE },
    { "fe80::1", ICS_SCOPE_LINK },
    { "fd00::1", ICS_SCOPE_PRIVATE },
    { "fec0::1", ICS_SCOPE_PRIVATE },
    { "ff02::1", ICS_SCOPE_NONE },
    { "2001:db8::1", ICS_SCOPE_GLOBAL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      IcsSockaddr address = make (expected[i].literal, 1);

      ck_assert_msg (ics_address_scope (&address) == expected[i].scope, "%s", expected[i].literal);
    }
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { conclusions, G_N_ELEMENTS (rows) },
    { translation, 1 },
    { bounded, 1 },
    { scopes, 1 },
  };

  return run_loops ("nat-behavior", tests, G_N_ELEMENTS (tests));
}
