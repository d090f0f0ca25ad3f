/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/punch-world.h"
#include <arpa/inet.h>
#include <string.h>

#define DELAY_US 30000
#define JITTER_US 10000
#define LOCAL_PORT(socket) ((guint16)(40000 + 3 * (socket)))
#define SERVER_PORT 3478
#define PREDICTED 16
#define OBSERVED 4

typedef struct
{
  ModelKind kind;
  const char *address;
  guint16 next;
  GHashTable *mappings; /* socket and, when dependent, destination port -> outside port */
  GHashTable *sockets;  /* outside port -> socket + 1 */
  GHashTable *contacts; /* outside port and peer's port */
  gboolean contacted;
} Nat;

typedef struct
{
  gint64 at;
  guint to; /* side */
  guint16 from_port, to_port;
  guint8 data[ICS_STUN_MESSAGE_MAX];
  gsize len;
} Transit;

typedef struct
{
  const WorldConfig *config;
  GRand *random;
  Nat nats[2];
  IcsPunchSearch *searches[2];
  GPtrArray *network;
  gint64 now, start_prober_at;
  IcsFlow targets[2][ICS_PUNCH_TARGETS_MAX];
  guint n_targets[2];
  guint openers;
} World;

static const char *const addresses[2] = { "198.51.100.18", "198.51.100.34" };
static const IcsStunCredentials credentials[2]
    = { { "abcd", "abcdefghijklmnopqrstuv", "efgh", "efghijklmnopqrstuvwxyz" },
        { "efgh", "efghijklmnopqrstuvwxyz", "abcd", "abcdefghijklmnopqrstuv" } };

static IcsFlow
flow_of (guint side, guint16 port)
{
  IcsFlow flow = { 0 };

  flow.remote.v4.sin_family = AF_INET;
  flow.remote.v4.sin_port = htons (port);
  inet_pton (AF_INET, addresses[side], &flow.remote.v4.sin_addr);
  return flow;
}

static gpointer
key (guint a, guint b)
{
  return GUINT_TO_POINTER (a << 16 | b);
}

/* --- a NAT --- */

static void
nat_init (Nat *self, const ModelKind *kind, GRand *random)
{
  self->kind = *kind;
  self->next = (guint16)g_rand_int_range (random, 20000, 60000);
  self->mappings = g_hash_table_new (NULL, NULL);
  self->sockets = g_hash_table_new (NULL, NULL);
  self->contacts = g_hash_table_new (NULL, NULL);
}

static void
nat_clear (Nat *self)
{
  g_hash_table_unref (self->mappings);
  g_hash_table_unref (self->sockets);
  g_hash_table_unref (self->contacts);
}

static guint16
allocate (Nat *self, guint socket, GRand *random)
{
  guint16 port = 0;

  if (self->kind.ports == ICS_NAT_PORTS_PRESERVED)
    return LOCAL_PORT (socket);
  if (self->kind.ports == ICS_NAT_PORTS_SEQUENTIAL)
    return self->next = (guint16)(self->next + self->kind.step);
  do
    port = (guint16)g_rand_int_range (random, 1024, 65536);
  while (g_hash_table_contains (self->sockets, GUINT_TO_POINTER (port)));
  return port;
}

static guint16
nat_out (Nat *self, guint socket, guint16 to, gboolean to_peer, GRand *random)
{
  gpointer mapping = key (socket, self->kind.dependent ? to : 0);
  guint16 port = (guint16)GPOINTER_TO_UINT (g_hash_table_lookup (self->mappings, mapping));

  if (port == 0)
    {
      port = allocate (self, socket, random);
      g_hash_table_insert (self->mappings, mapping, GUINT_TO_POINTER (port));
      g_hash_table_insert (self->sockets, GUINT_TO_POINTER (port), GUINT_TO_POINTER (socket + 1));
    }
  if (to_peer)
    {
      g_hash_table_add (self->contacts, key (port, to));
      self->contacted = TRUE;
    }
  return port;
}

/* The socket plus one, or 0. */
static guint
nat_in (Nat *self, guint16 port, guint16 from)
{
  gboolean passes = self->kind.filter == FILTER_NOTHING
                    || (self->kind.filter == FILTER_ADDRESS && self->contacted)
                    || g_hash_table_contains (self->contacts, key (port, from));

  return passes ? GPOINTER_TO_UINT (g_hash_table_lookup (self->sockets, GUINT_TO_POINTER (port))) : 0;
}

/* --- the network --- */

static void
send_packet (World *self, guint side, const IcsPunchPacket *packet)
{
  guint16 to = ntohs (packet->flow.remote.v4.sin_port);
  guint16 from = nat_out (&self->nats[side], packet->flow.socket, to, TRUE, self->random);
  Transit *transit;

  if (g_rand_double (self->random) < self->config->loss)
    return;
  transit = g_new0 (Transit, 1);
  transit->at = self->now + DELAY_US + g_rand_int_range (self->random, 0, JITTER_US);
  transit->to = !side;
  transit->from_port = from;
  transit->to_port = to;
  memcpy (transit->data, packet->data, packet->len);
  transit->len = packet->len;
  g_ptr_array_add (self->network, transit);
}

static void
deliver (World *self, const Transit *transit)
{
  guint socket = nat_in (&self->nats[transit->to], transit->to_port, transit->from_port);
  IcsFlow from = flow_of (!transit->to, transit->from_port);
  IcsPunchPacket reply;

  if (socket == 0)
    return;
  from.socket = socket - 1;
  if (ics_punch_search_receive (self->searches[transit->to], self->now, &from, transit->data, transit->len,
                                &reply))
    send_packet (self, transit->to, &reply);
}

static void
deliver_due (World *self)
{
  for (guint i = 0; i < self->network->len;)
    {
      Transit *transit = self->network->pdata[i];

      if (transit->at > self->now)
        {
          i++;
          continue;
        }
      g_ptr_array_steal_index_fast (self->network, i);
      deliver (self, transit);
      g_free (transit);
    }
}

/* --- before the search --- */

/* What @side learns of its NAT from a server: sockets from 1000, so that those of the search are fresh. */
static IcsNatBehavior
observe (World *self, guint side)
{
  IcsNatBehavior behavior;

  ics_nat_behavior_init (&behavior);
  for (guint i = 0; i < OBSERVED; i++)
    {
      IcsNatObservation seen = { .socket = i };

      seen.local.v4 = flow_of (side, LOCAL_PORT (1000 + i)).remote.v4;
      seen.server.v4 = flow_of (side, SERVER_PORT).remote.v4;
      seen.mapped.v4
          = flow_of (side, nat_out (&self->nats[side], 1000 + i, SERVER_PORT, FALSE, self->random)).remote.v4;
      ics_nat_behavior_observe (&behavior, &seen);
    }
  return behavior;
}

static void
make_targets (World *self)
{
  IcsNatBehavior opener = observe (self, 0), prober = observe (self, 1);
  guint16 port;

  for (guint i = 0; i < PREDICTED && self->config->random_probes == 0; i++)
    {
      port = ics_nat_behavior_predict_port (&opener, LOCAL_PORT (i), i + 1);
      self->targets[1][self->n_targets[1]++] = flow_of (0, port);
    }
  if (self->config->random_probes > 0)
    self->targets[1][self->n_targets[1]++] = flow_of (0, 5000);
  port = self->nats[1].kind.dependent ? ics_nat_behavior_predict_port (&prober, LOCAL_PORT (0), PREDICTED)
                                      : nat_out (&self->nats[1], 0, SERVER_PORT, FALSE, self->random);
  self->targets[0][self->n_targets[0]++] = flow_of (1, port);
  for (guint i = 0; i < 2 * self->config->others; i++)
    nat_out (&self->nats[i % 2], 2000 + i, SERVER_PORT, FALSE, self->random);
}

/* --- the search --- */

static void
make_search (World *self, guint side)
{
  IcsPunchConfig config = { .role = side == 0 ? ICS_PUNCH_OPENER : ICS_PUNCH_PROBER,
                            .controlling = self->config->opener_controls == (side == 0),
                            .credentials = credentials[side],
                            .n_sockets = self->config->n_sockets,
                            .seed = ~self->config->seed };

  self->searches[side] = ics_punch_search_new (&config);
}

static void
step_side (World *self, guint side)
{
  IcsPunchPacket packet;

  while (ics_punch_search_poll (self->searches[side], self->now, &packet))
    {
      self->openers += side == 0;
      send_packet (self, side, &packet);
    }
}

/* The opener is told when the prober has given up, and tells it when to begin. */
static void
step (World *self)
{
  deliver_due (self);
  for (guint side = 0; side < 2; side++)
    step_side (self, side);
  if (ics_punch_search_is_open (self->searches[0]) && self->start_prober_at == G_MAXINT64)
    self->start_prober_at = self->now + DELAY_US;
  if (self->now >= self->start_prober_at)
    ics_punch_search_start (self->searches[1], self->now, self->targets[1], self->n_targets[1],
                            self->config->random_probes);
}

static gint64
next_event (World *self)
{
  gint64 next = MIN (ics_punch_search_next_timeout (self->searches[0]),
                     ics_punch_search_next_timeout (self->searches[1]));

  for (guint i = 0; i < self->network->len; i++)
    next = MIN (next, ((Transit *)self->network->pdata[i])->at);
  return self->start_prober_at > self->now ? MIN (next, self->start_prober_at) : next;
}

static gboolean
is_over (World *self)
{
  IcsPunchState opener = ics_punch_search_get_state (self->searches[0]),
                prober = ics_punch_search_get_state (self->searches[1]);

  return prober == ICS_PUNCH_FAILED || (prober == ICS_PUNCH_FOUND && opener >= ICS_PUNCH_FOUND);
}

/* A packet on the pair of @side passes both NATs, to the socket that the other one has for it. */
static gboolean
passes (World *self, guint side, const IcsFlow *found, const IcsFlow *there)
{
  guint16 to = ntohs (found->remote.v4.sin_port);
  guint16 from = nat_out (&self->nats[side], found->socket, to, TRUE, self->random);

  return nat_in (&self->nats[!side], to, from) == there->socket + 1
         && ntohs (there->remote.v4.sin_port) == from;
}

static WorldOutcome
find_outcome (World *self)
{
  WorldOutcome outcome = { .probes = ics_punch_search_get_probes (self->searches[1]),
                           .openers = self->openers,
                           .took = self->now };
  const IcsFlow *found[2];

  for (guint side = 0; side < 2; side++)
    {
      outcome.state[side] = ics_punch_search_get_state (self->searches[side]);
      found[side] = ics_punch_search_get_found (self->searches[side]);
      if (found[side] != NULL)
        outcome.found[side] = *found[side];
    }
  outcome.agree = found[0] != NULL && found[1] != NULL && passes (self, 0, found[0], found[1])
                  && passes (self, 1, found[1], found[0]);
  return outcome;
}

WorldOutcome
world_run (const WorldConfig *config)
{
  World self = { .config = config,
                 .random = g_rand_new_with_seed (config->seed),
                 .network = g_ptr_array_new_with_free_func (g_free),
                 .start_prober_at = G_MAXINT64 };
  WorldOutcome outcome;

  nat_init (&self.nats[0], &config->opener, self.random);
  nat_init (&self.nats[1], &config->prober, self.random);
  make_targets (&self);
  for (guint side = 0; side < 2; side++)
    make_search (&self, side);
  ics_punch_search_start (self.searches[0], 0, self.targets[0], self.n_targets[0], 0);
  for (step (&self); !is_over (&self); step (&self))
    {
      gint64 next = next_event (&self);

      g_assert (next != G_MAXINT64);
      self.now = MAX (self.now, next);
    }
  outcome = find_outcome (&self);
  for (guint side = 0; side < 2; side++)
    {
      ics_punch_search_free (self.searches[side]);
      nat_clear (&self.nats[side]);
    }
  g_ptr_array_unref (self.network);
  g_rand_free (self.random);
  return outcome;
}
