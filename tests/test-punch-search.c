/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The search through model NATs, on a virtual clock. */
#include "tests/punch-world.h"
#include "tests/suite.h"
#include <arpa/inet.h>
#include <math.h>
#include <string.h>

#define EASY                                                                                                 \
  {                                                                                                          \
    .ports = ICS_NAT_PORTS_PRESERVED, .filter = FILTER_PORT                                                  \
  }
#define RANDOM                                                                                               \
  {                                                                                                          \
    .dependent = TRUE, .ports = ICS_NAT_PORTS_RANDOM, .filter = FILTER_PORT                                  \
  }
#define COUNTING(by)                                                                                         \
  {                                                                                                          \
    .dependent = TRUE, .ports = ICS_NAT_PORTS_SEQUENTIAL, .step = by, .filter = FILTER_PORT                  \
  }
#define KEEPING                                                                                              \
  {                                                                                                          \
    .dependent = TRUE, .ports = ICS_NAT_PORTS_PRESERVED, .filter = FILTER_PORT                               \
  }

static guint32
first_seed (void)
{
  const char *given = g_getenv ("ICS_TEST_SEED");
  guint32 seed = given != NULL ? (guint32)g_ascii_strtoull (given, NULL, 10) : 5128;

  g_print ("first seed %u\n", seed);
  return seed;
}

static void
check_bounds (const WorldConfig *config, const WorldOutcome *outcome)
{
  ck_assert_uint_le (outcome->probes, ICS_PUNCH_PROBES_MAX);
  ck_assert_int_lt (outcome->took, 10 * G_USEC_PER_SEC);
  /* Openers, one refresh, and the checks of a few pairs. */
  if (config->random_probes > 0)
    ck_assert_uint_le (outcome->openers, 2 * config->n_sockets + 64);
  if (outcome->state[1] == ICS_PUNCH_FOUND)
    ck_assert_msg (outcome->agree, "the hosts do not agree, seed %u", config->seed);
}

/* --- random ports: the odds --- */

START_TEST (chance_is_as_computed)
{
  ck_assert_double_eq_tol (ics_punch_search_chance (256, 1024), 0.9834, 0.0005);
  ck_assert_double_eq_tol (ics_punch_search_chance (1, 1), 1.0 / 64512, 1e-9);
  ck_assert_double_eq_tol (ics_punch_search_chance (256, 0), 0, 1e-9);
  ck_assert_double_eq_tol (ics_punch_search_chance (64512, 1), 1, 1e-9);
}
END_TEST

#define RUNS 1000

static guint
count_hits (WorldConfig *config, double *probes)
{
  guint32 seed = first_seed ();
  guint hits = 0;

  *probes = 0;
  for (guint i = 0; i < RUNS; i++)
    {
      WorldOutcome outcome;

      config->seed = seed + i;
      config->opener_controls = i % 2 == 0;
      outcome = world_run (config);
      check_bounds (config, &outcome);
      hits += outcome.state[1] == ICS_PUNCH_FOUND;
      *probes += outcome.probes;
      if (outcome.state[1] == ICS_PUNCH_FAILED)
        ck_assert_uint_eq (outcome.probes, config->random_probes);
    }
  *probes /= RUNS;
  return hits;
}

/* Within four standard deviations of what was computed, on both sides. */
static void
check_rate (guint hits, double chance)
{
  double deviation = sqrt (chance * (1 - chance) / RUNS);

  ck_assert_double_ge ((double)hits / RUNS, chance - 4 * deviation);
  ck_assert_double_le ((double)hits / RUNS, chance + 4 * deviation);
}

START_TEST (random_ports_are_hit)
{
  WorldConfig config = { .opener = RANDOM, .prober = EASY, .n_sockets = 256, .random_probes = 1024 };
  double chance = ics_punch_search_chance (256, 1024), probes;
  guint hits = count_hits (&config, &probes);

  g_print ("256 sockets, 1024 probes: %u of %u found (computed %.1f %%), %.0f probes on average\n", hits,
           RUNS, 100 * chance, probes);
  check_rate (hits, chance);
}
END_TEST

/* A lost packet is a lost opener or probe; what comes through is asked again until it is answered. */
START_TEST (loss_costs_what_it_must)
{
  WorldConfig config
      = { .opener = RANDOM, .prober = EASY, .n_sockets = 128, .random_probes = 512, .loss = 0.05 };
  double chance = ics_punch_search_chance (128, (guint)(512 * 0.95)), probes;
  guint hits = count_hits (&config, &probes);

  g_print ("128 sockets, 512 probes, 5 %% lost: %u of %u found (computed %.1f %%)\n", hits, RUNS,
           100 * chance);
  check_rate (hits, chance);
}
END_TEST

/* --- predicted ports --- */

static const struct
{
  ModelKind opener, prober;
} predictable[] = {
  { COUNTING (1), EASY },    { COUNTING (2), EASY },         { COUNTING (-1), EASY },
  { KEEPING, EASY },         { COUNTING (1), COUNTING (1) }, { COUNTING (2), COUNTING (-1) },
  { KEEPING, COUNTING (1) }, { COUNTING (1), KEEPING },      { KEEPING, KEEPING },
};

START_TEST (predicted_ports_are_hit)
{
  WorldConfig config
      = { .opener = predictable[_i].opener, .prober = predictable[_i].prober, .n_sockets = 16 };
  guint32 seed = first_seed ();

  for (guint i = 0; i < 40; i++)
    {
      WorldOutcome outcome;

      config.seed = seed + i;
      config.opener_controls = i % 2 == 0;
      config.loss = i % 4 == 3 ? 0.1 : 0;
      config.others = i % 5;
      outcome = world_run (&config);
      check_bounds (&config, &outcome);
      ck_assert_msg (outcome.state[1] == ICS_PUNCH_FOUND, "not found, kinds %d, seed %u", _i, config.seed);
      ck_assert_uint_le (outcome.probes, 5 * 16);
    }
}
END_TEST

/* What the rule of roles forbids is hopeless indeed, and ends. */
START_TEST (two_random_sides_stay_apart)
{
  WorldConfig config = {
    .opener = RANDOM, .prober = RANDOM, .n_sockets = 256, .random_probes = 1024, .seed = first_seed ()
  };
  WorldOutcome outcome = world_run (&config);

  ck_assert_int_eq (outcome.state[1], ICS_PUNCH_FAILED);
  ck_assert_uint_eq (outcome.probes, 1024);
}
END_TEST

/* --- filters --- */

static const struct
{
  ModelFilter opener, prober;
  guint at_most; /* probes */
} filters[] = {
  /* The openers themselves come through. */
  { FILTER_PORT, FILTER_NOTHING, 0 },
  { FILTER_PORT, FILTER_ADDRESS, 40 },
  { FILTER_ADDRESS, FILTER_PORT, 1024 },
  { FILTER_NOTHING, FILTER_PORT, 1024 },
};

START_TEST (laxer_filters_are_no_harm)
{
  WorldConfig config = { .opener = RANDOM, .prober = EASY, .n_sockets = 256, .random_probes = 1024 };
  WorldOutcome outcome;

  config.opener.filter = filters[_i].opener;
  config.prober.filter = filters[_i].prober;
  config.seed = first_seed () + (guint32)_i;
  outcome = world_run (&config);
  check_bounds (&config, &outcome);
  ck_assert_int_eq (outcome.state[1], ICS_PUNCH_FOUND);
  ck_assert_uint_le (outcome.probes, filters[_i].at_most);
}
END_TEST

/* --- pace and strangers, without a peer --- */

static const IcsStunCredentials ours = { "abcd", "abcdefghijklmnopqrstuv", "efgh", "efghijklmnopqrstuvwxyz" };
static const IcsStunCredentials theirs
    = { "efgh", "efghijklmnopqrstuvwxyz", "abcd", "abcdefghijklmnopqrstuv" };

static IcsFlow
make_flow (guint16 port)
{
  IcsFlow flow = { 0 };

  flow.remote.v4.sin_family = AF_INET;
  flow.remote.v4.sin_port = htons (port);
  inet_pton (AF_INET, "198.51.100.18", &flow.remote.v4.sin_addr);
  return flow;
}

static IcsPunchSearch *
make_search (IcsPunchRole role)
{
  const IcsPunchConfig config
      = { .role = role, .controlling = TRUE, .credentials = ours, .n_sockets = 256, .seed = first_seed () };

  return ics_punch_search_new (&config);
}

START_TEST (probes_are_paced_and_differ)
{
  IcsPunchSearch *self = make_search (ICS_PUNCH_PROBER);
  g_autofree guint8 *seen = g_malloc0 (65536);
  IcsFlow target = make_flow (5000);
  IcsPunchPacket packet;
  guint in_second = 0, n = 0;
  gint64 second = 0;

  ics_punch_search_start (self, 0, &target, 1, 1024);
  for (gint64 now = 0; ics_punch_search_get_state (self) == ICS_PUNCH_SEARCHING;
       now = MAX (now, ics_punch_search_next_timeout (self)))
    {
      guint burst = 0;

      if (now - second >= G_USEC_PER_SEC)
        {
          second = now;
          in_second = 0;
        }
      /* A timer that is late now and then. */
      now += n == 100 ? G_USEC_PER_SEC : 0;
      for (; ics_punch_search_poll (self, now, &packet); n++, burst++, in_second++)
        {
          guint16 port = ntohs (packet.flow.remote.v4.sin_port);

          ck_assert_uint_ge (port, 1024);
          ck_assert_uint_eq (seen[port]++, 0);
          ck_assert_uint_lt (packet.len, 200);
        }
      ck_assert_uint_le (burst, ICS_PUNCH_BURST + 1);
      ck_assert_uint_le (in_second, 300 + ICS_PUNCH_BURST + 1);
    }
  ck_assert_uint_eq (n, 1024);
  ck_assert_int_eq (ics_punch_search_get_state (self), ICS_PUNCH_FAILED);
  ck_assert_int_eq (ics_punch_search_next_timeout (self), G_MAXINT64);
  ics_punch_search_free (self);
}
END_TEST

START_TEST (mappings_are_refreshed)
{
  IcsPunchSearch *self = make_search (ICS_PUNCH_OPENER);
  gint64 last[256] = { 0 }, longest = 0, now = 0;
  IcsFlow target = make_flow (5000);
  IcsPunchPacket packet;

  ics_punch_search_start (self, 0, &target, 1, 0);
  do
    {
      now = MAX (now, ics_punch_search_next_timeout (self));
      while (ics_punch_search_poll (self, now, &packet))
        {
          longest = MAX (longest, now - last[packet.flow.socket]);
          last[packet.flow.socket] = now;
        }
    }
  while (ics_punch_search_get_state (self) == ICS_PUNCH_SEARCHING);
  ck_assert (ics_punch_search_is_open (self));
  for (guint i = 0; i < 256; i++)
    longest = MAX (longest, now - last[i]);
  ck_assert_int_lt (longest, 20 * G_USEC_PER_SEC);
  ck_assert_int_eq (now, 30 * G_USEC_PER_SEC);
  ics_punch_search_free (self);
}
END_TEST

/* Nothing that is not authentic gets an answer, stops the search or names a pair. */
START_TEST (strangers_disturb_nothing)
{
  const IcsStunCredentials strange = { "efgh", "0123456789012345678901", "abcd", "0123456789012345678901" };
  IcsPunchSearch *self = make_search (ICS_PUNCH_PROBER);
  IcsStunPeer *stranger = ics_stun_peer_new (&strange, FALSE);
  guint8 check[ICS_STUN_MESSAGE_MAX], id[ICS_STUN_ID_LEN];
  IcsFlow from = make_flow (6000);
  IcsPunchPacket packet;
  gsize len;

  ics_punch_search_start (self, 0, &from, 1, 1024);
  len = ics_stun_peer_write_check (stranger, TRUE, check, id);
  ck_assert (!ics_punch_search_receive (self, 0, &from, check, len, &packet));
  for (gsize n = 0; n < len; n++)
    ck_assert (!ics_punch_search_receive (self, 0, &from, check, n, &packet));
  ck_assert (ics_punch_search_poll (self, 0, &packet));
  ck_assert_uint_eq (ics_punch_search_get_probes (self), 1);
  ck_assert_ptr_null (ics_punch_search_get_found (self));
  ics_stun_peer_free (stranger);
  ics_punch_search_free (self);
}
END_TEST

/* A hit whose pair does not answer any more (the peer vanished) does not end the search for good. */
START_TEST (a_silent_pair_is_forgotten)
{
  IcsPunchSearch *self = make_search (ICS_PUNCH_PROBER);
  IcsStunPeer *peer = ics_stun_peer_new (&theirs, FALSE);
  guint8 check[ICS_STUN_MESSAGE_MAX], id[ICS_STUN_ID_LEN];
  IcsFlow from = make_flow (6000);
  IcsPunchPacket packet;
  guint checks = 0;
  gint64 now = 0;

  ics_punch_search_start (self, 0, &from, 1, 1024);
  ck_assert (ics_punch_search_receive (self, 0, &from, check,
                                       ics_stun_peer_write_check (peer, FALSE, check, id), &packet));
  ck_assert (ics_flow_equal (&packet.flow, &from));
  while (ics_punch_search_get_probes (self) == 0)
    {
      while (ics_punch_search_get_probes (self) == 0 && ics_punch_search_poll (self, now, &packet))
        checks++;
      now = MAX (now, ics_punch_search_next_timeout (self));
    }
  ck_assert_uint_eq (checks, 8 + 1);
  ck_assert_int_lt (now, 6 * G_USEC_PER_SEC);
  ics_stun_peer_free (peer);
  ics_punch_search_free (self);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[]
      = { { chance_is_as_computed, 1 },       { random_ports_are_hit, 1 },
          { loss_costs_what_it_must, 1 },     { predicted_ports_are_hit, G_N_ELEMENTS (predictable) },
          { two_random_sides_stay_apart, 1 }, { laxer_filters_are_no_harm, G_N_ELEMENTS (filters) },
          { probes_are_paced_and_differ, 1 }, { mappings_are_refreshed, 1 },
          { strangers_disturb_nothing, 1 },   { a_silent_pair_is_forgotten, 1 } };

  return run_loops ("punch-search", tests, G_N_ELEMENTS (tests));
}
