/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NAT behaviour discovery (RFC 5780) against a model of NATs and servers, on a virtual clock. */
#include "agent/stun-transaction.h"
#include "tests/nat-world.h"
#include "tests/suite.h"

#define MS G_TIME_SPAN_MILLISECOND
#define SEEDS 12

static const IcsNatDependence kinds[]
    = { ICS_NAT_ENDPOINT_INDEPENDENT, ICS_NAT_ADDRESS_DEPENDENT, ICS_NAT_ADDRESS_AND_PORT_DEPENDENT };
static const IcsNatPorts ports[]
    = { ICS_NAT_PORTS_PRESERVED, ICS_NAT_PORTS_SEQUENTIAL, ICS_NAT_PORTS_RANDOM };

static void
check_ports (const NatWorldConfig *config, const IcsNatBehavior *found)
{
  /* A NAT keeps the port of the host for its first mapping only, when it makes several. */
  if (config->ports == ICS_NAT_PORTS_PRESERVED && config->mapping != ICS_NAT_ENDPOINT_INDEPENDENT)
    return;
  /* Three random ports may happen to be close to each other. */
  if (config->ports != ICS_NAT_PORTS_RANDOM || found->ports != ICS_NAT_PORTS_UNKNOWN)
    ck_assert_int_eq (found->ports, config->ports);
  if (config->ports == ICS_NAT_PORTS_SEQUENTIAL)
    ck_assert_int_ge (found->port_step / config->step, 1);
}

static void
check_hairpin (const NatWorldConfig *config, const IcsNatBehavior *found, gboolean lossy)
{
  IcsFact truth = config->hairpin ? ICS_FACT_YES : ICS_FACT_NO;

  if (config->mapping == ICS_NAT_ENDPOINT_INDEPENDENT && !lossy)
    ck_assert_int_eq (found->hairpin, truth);
  else if (found->hairpin != ICS_FACT_UNKNOWN)
    ck_assert_int_eq (found->hairpin, truth);
}

static void
check_all (const NatWorldConfig *config, const NatWorldResult *result, gboolean lossy)
{
  const IcsNatBehavior *found = &result->found;

  ck_assert_int_le (result->took, ICS_NAT_DISCOVERY_LONGEST);
  ck_assert_int_eq (found->answered, ICS_FACT_YES);
  ck_assert_int_eq (found->translated, ICS_FACT_YES);
  ck_assert_int_eq (found->mapping, config->mapping);
  ck_assert_int_eq (found->mapping_varies,
                    config->mapping == ICS_NAT_ENDPOINT_INDEPENDENT ? ICS_FACT_NO : ICS_FACT_YES);
  if (!lossy || found->filtering != ICS_NAT_UNKNOWN)
    ck_assert_int_eq (found->filtering, config->filtering);
  check_hairpin (config, found, lossy);
  check_ports (config, found);
  ck_assert_uint_eq (result->sent_victim + result->sent_forbidden, 0);
}

/* _i: the mapping and the filtering. */
static NatWorldConfig
config_of (int i)
{
  return (NatWorldConfig){ .mapping = kinds[i / 3 % 3],
                           .filtering = kinds[i % 3],
                           .ports = ICS_NAT_PORTS_RANDOM,
                           .delay_min = 20 * MS,
                           .delay_max = 30 * MS };
}

START_TEST (every_kind)
{
  for (guint j = 0; j < G_N_ELEMENTS (ports); j++)
    for (int hairpin = 0; hairpin < 2; hairpin++)
      {
        NatWorldConfig config = config_of (_i);
        NatWorldResult result;

        config.ports = ports[j];
        config.step = j == 0 || hairpin ? 1 : -2;
        config.noise = hairpin ? 3 : 0;
        config.hairpin = hairpin;
        result = nat_world_run (&config, 1, nat_world_seed ());
        check_all (&config, &result, FALSE);
        ck_assert_int_ge (result.found.rtt, 2 * config.delay_min);
        ck_assert_int_le (result.found.rtt, 2 * config.delay_max);
        ck_assert_uint_le (result.sent, 24);
        ck_assert_uint_le (result.sent_largest, 28);
        if (!hairpin)
          continue;
        /* Nothing is silent there, so nothing is waited for. */
        if (config.filtering == ICS_NAT_ENDPOINT_INDEPENDENT && config.mapping == config.filtering)
          ck_assert_int_lt (result.took, ICS_STUN_RTO);
      }
}
END_TEST

/* Of a question at most two packets are lost, so two of four tries are complete. */
START_TEST (bounded_loss_and_delay)
{
  guint32 seed = nat_world_seed ();
  guint known = 0;

  for (guint32 i = 0; i < SEEDS; i++)
    {
      NatWorldConfig config = config_of (_i);
      NatWorldResult result;

      config.loss = 0.1;
      config.loss_max = 2;
      config.delay_min = 5 * MS;
      config.delay_max = 350 * MS;
      config.hairpin = i % 2;
      result = nat_world_run (&config, 1, seed + i);
      check_all (&config, &result, TRUE);
      known += result.found.filtering != ICS_NAT_UNKNOWN;
    }
  ck_assert_uint_gt (known, 0);
}
END_TEST

/* What was heard was heard; and it ends. */
START_TEST (heavy_loss)
{
  guint32 seed = nat_world_seed ();

  for (guint32 i = 0; i < SEEDS; i++)
    {
      NatWorldConfig config = config_of (_i);
      NatWorldResult result;

      config.loss = 0.4;
      config.delay_max = 900 * MS;
      result = nat_world_run (&config, 2, seed + i);
      ck_assert_int_le (result.took, ICS_NAT_DISCOVERY_LONGEST);
      if (result.found.mapping != ICS_NAT_UNKNOWN)
        ck_assert_int_eq (result.found.mapping, config.mapping);
      if (result.found.filtering == ICS_NAT_ENDPOINT_INDEPENDENT)
        ck_assert_int_eq (config.filtering, ICS_NAT_ENDPOINT_INDEPENDENT);
      if (result.found.filtering == ICS_NAT_ADDRESS_DEPENDENT)
        ck_assert_int_ne (config.filtering, ICS_NAT_ADDRESS_AND_PORT_DEPENDENT);
      ck_assert_uint_le (result.sent, 13 * 4);
    }
}
END_TEST

START_TEST (no_nat)
{
  NatWorldConfig config = config_of (_i % 3);
  NatWorldResult result;

  config.none = TRUE;
  result = nat_world_run (&config, 1, nat_world_seed ());
  ck_assert_int_eq (result.found.translated, ICS_FACT_NO);
  ck_assert_int_eq (result.found.mapping, ICS_NAT_ENDPOINT_INDEPENDENT);
  ck_assert_int_eq (result.found.ports, ICS_NAT_PORTS_PRESERVED);
  ck_assert_int_eq (result.found.filtering, config.filtering);
  ck_assert_int_eq (result.found.hairpin, ICS_FACT_UNKNOWN);
}
END_TEST

/* One address each: what two servers see tells whether the mapping varies; with which part of the
 * destination, and what the filter does, nobody can say. */
START_TEST (plain_servers)
{
  NatWorldConfig config = config_of (_i);
  NatWorldResult result;

  config.server = SERVER_PLAIN;
  result = nat_world_run (&config, 1, nat_world_seed ());
  ck_assert_int_eq (result.found.mapping, ICS_NAT_UNKNOWN);
  ck_assert_int_eq (result.found.mapping_varies, ICS_FACT_UNKNOWN);
  ck_assert_int_eq (result.found.filtering, ICS_NAT_UNKNOWN);
  result = nat_world_run (&config, 2, nat_world_seed ());
  if (config.mapping == ICS_NAT_ENDPOINT_INDEPENDENT)
    ck_assert_int_eq (result.found.mapping, ICS_NAT_ENDPOINT_INDEPENDENT);
  else
    ck_assert_int_eq (result.found.mapping, ICS_NAT_UNKNOWN);
  ck_assert_int_eq (result.found.mapping_varies,
                    config.mapping == ICS_NAT_ENDPOINT_INDEPENDENT ? ICS_FACT_NO : ICS_FACT_YES);
  ck_assert_int_eq (result.found.filtering, ICS_NAT_UNKNOWN);
}
END_TEST

/* Whatever a server says, few small packets leave, none to where no server can be, and nothing is concluded
 * from its other address. */
START_TEST (lying_servers)
{
  NatWorldConfig config = config_of (4);

  for (guint kind = SERVER_IGNORES_CHANGE; kind < N_SERVER_KINDS; kind++)
    {
      NatWorldResult result;

      config.server = kind;
      result = nat_world_run (&config, 1, nat_world_seed ());
      ck_assert_int_le (result.took, ICS_NAT_DISCOVERY_LONGEST);
      ck_assert_uint_eq (result.sent_forbidden, 0);
      ck_assert_uint_le (result.sent_victim, 4);
      ck_assert_uint_le (result.sent_largest, 28);
      ck_assert_uint_le (result.sent, 32);
      ck_assert_int_ne (result.found.filtering, ICS_NAT_ENDPOINT_INDEPENDENT);
      if (kind == SERVER_GARBAGE)
        {
          ck_assert_int_eq (result.found.mapping, config.mapping);
          ck_assert_int_eq (result.found.filtering, config.filtering);
          ck_assert_uint_gt (result.dropped, 0);
          continue;
        }
      /* One lie each: of the rest it tells the truth. */
      ck_assert_int_eq (result.found.mapping,
                        kind == SERVER_IGNORES_CHANGE ? config.mapping : ICS_NAT_UNKNOWN);
      ck_assert_int_eq (result.found.filtering,
                        kind == SERVER_MAPS_TO_LOOPBACK ? config.filtering : ICS_NAT_UNKNOWN);
      if (kind == SERVER_NAMES_VICTIM)
        ck_assert_uint_ge (result.sent_victim, 1);
    }
}
END_TEST

START_TEST (nobody_answers)
{
  static const ServerKind silent[] = { SERVER_SILENT, SERVER_WRONG_ID, SERVER_WRONG_SOURCE };

  for (guint i = 0; i < G_N_ELEMENTS (silent); i++)
    {
      NatWorldConfig config = config_of (0);
      NatWorldResult result;

      config.server = silent[i];
      config.filtering = ICS_NAT_ENDPOINT_INDEPENDENT;
      result = nat_world_run (&config, 2, nat_world_seed ());
      ck_assert_int_eq (result.found.answered, ICS_FACT_NO);
      ck_assert_int_eq (result.found.translated, ICS_FACT_UNKNOWN);
      ck_assert_int_eq (result.found.mapping, ICS_NAT_UNKNOWN);
      ck_assert_int_eq (result.found.rtt, -1);
      ck_assert_uint_eq (result.sent, 2 * 4);
      ck_assert (i == 0 || result.dropped > 0);
    }
}
END_TEST

/* RFC 8489 §6.2.1: 0, 500, 1500, 3500 ms; and the second server does not wait for all of that. */
START_TEST (retransmission_times)
{
  g_autoptr (IcsNatDiscovery) discovery = NULL;
  static const gint64 times[] = { 0, 500, 500, 1000, 1500, 2000, 3500, 4000 };
  IcsNatDiscoveryConfig config = { .n_servers = 2 };
  IcsNatPacket packet;
  gint64 now = 77;

  for (guint i = 0; i < 2; i++)
    config.servers[i].v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = g_htons (3478 + i) };
  for (guint i = 0; i < ICS_NAT_N_SOCKETS; i++)
    config.local[i].v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = g_htons (5000 + i) };
  discovery = ics_nat_discovery_new (&config, now);
  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    {
      while (!ics_nat_discovery_poll (discovery, now, &packet))
        {
          now = ics_nat_discovery_next_timeout (discovery);
          ics_nat_discovery_handle_timeout (discovery, now);
        }
      ck_assert_int_eq (now, 77 + times[i] * MS);
    }
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { every_kind, 9 },    { bounded_loss_and_delay, 9 }, { heavy_loss, 9 },     { no_nat, 3 },
    { plain_servers, 9 }, { lying_servers, 1 },          { nobody_answers, 1 }, { retransmission_times, 1 },
  };

  return run_loops ("nat-discovery", tests, G_N_ELEMENTS (tests));
}
