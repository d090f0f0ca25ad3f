/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/nat-world.h"
#include "agent/address-scope.h"
#include <arpa/inet.h>
#include <check.h>
#include <string.h>
#include <stun/stunagent.h>

#define RESPONSE_ORIGIN ((StunAttribute)0x802b)
#define OTHER_ADDRESS ((StunAttribute)0x802c)

typedef struct
{
  gint64 at;
  IcsSockaddr from, to;
  guint8 data[256];
  gsize len;
} Packet;

typedef struct
{
  guint local_port;
  IcsSockaddr remote; /* the first one it was made for */
  guint16 port;
} Mapping;

typedef struct
{
  guint16 port; /* of the mapping */
  IcsSockaddr remote;
} Opening;

typedef struct
{
  const NatWorldConfig *config;
  GRand *random;
  GArray *packets;  /* Packet */
  GArray *mappings; /* Mapping */
  GArray *openings; /* Opening */
  GHashTable *losses;
  int last_port;
  gint64 now;
  IcsSockaddr host, nat, servers[2], victim;
  IcsSockaddr local[ICS_NAT_N_SOCKETS];
  StunAgent agent;
  NatWorldResult result;
} World;

static const guint16 server_ports[2] = { 3478, 3479 };

static IcsSockaddr
make (const char *literal, guint16 port)
{
  IcsSockaddr address = { .v4 = { .sin_family = AF_INET, .sin_port = htons (port) } };

  ck_assert_int_eq (inet_pton (AF_INET, literal, &address.v4.sin_addr), 1);
  return address;
}

static IcsSockaddr
with_port (IcsSockaddr address, guint16 port)
{
  address.v4.sin_port = htons (port);
  return address;
}

/* --- the wire --- */

static gboolean
is_lost (World *world, const guint8 *data, gsize len)
{
  guint id = len >= 20 ? (guint)data[8] << 24 | (guint)data[9] << 16 | (guint)data[10] << 8 | data[11] : 0;
  guint lost = GPOINTER_TO_UINT (g_hash_table_lookup (world->losses, GUINT_TO_POINTER (id)));

  if (g_rand_double (world->random) >= world->config->loss
      || (world->config->loss_max > 0 && lost >= world->config->loss_max))
    return FALSE;
  g_hash_table_insert (world->losses, GUINT_TO_POINTER (id), GUINT_TO_POINTER (lost + 1));
  return TRUE;
}

static void
put_on_wire (World *world, const IcsSockaddr *from, const IcsSockaddr *to, const guint8 *data, gsize len)
{
  const NatWorldConfig *config = world->config;
  Packet packet = { .from = *from, .to = *to, .len = len };

  if (is_lost (world, data, len))
    return;
  packet.at = world->now + config->delay_min;
  if (config->delay_max > config->delay_min)
    packet.at += g_rand_int_range (world->random, 0, (gint32)(config->delay_max - config->delay_min));
  memcpy (packet.data, data, MIN (len, sizeof packet.data));
  g_array_append_val (world->packets, packet);
}

/* --- the NAT (RFC 4787) --- */

static gboolean
depends_the_same (IcsNatDependence dependence, const IcsSockaddr *a, const IcsSockaddr *b)
{
  return dependence == ICS_NAT_ENDPOINT_INDEPENDENT
         || ics_sockaddr_equal (a, b, dependence == ICS_NAT_ADDRESS_AND_PORT_DEPENDENT);
}

static gboolean
is_taken (World *world, guint16 port)
{
  for (guint i = 0; i < world->mappings->len; i++)
    if (g_array_index (world->mappings, Mapping, i).port == port)
      return TRUE;
  return FALSE;
}

static guint16
allocate (World *world, guint local_port)
{
  const NatWorldConfig *config = world->config;
  guint16 port;

  if (config->none || (config->ports == ICS_NAT_PORTS_PRESERVED && !is_taken (world, (guint16)local_port)))
    return (guint16)local_port;
  if (config->ports != ICS_NAT_PORTS_RANDOM)
    return (
        guint16)(world->last_port
                 += config->step
                    * (1 + (config->noise > 0 ? g_rand_int_range (world->random, 0, config->noise + 1) : 0)));
  do
    port = (guint16)g_rand_int_range (world->random, 1024, 65536);
  while (is_taken (world, port));
  return port;
}

static guint16
map (World *world, guint local_port, const IcsSockaddr *to)
{
  Mapping mapping = { .local_port = local_port, .remote = *to };

  for (guint i = 0; i < world->mappings->len; i++)
    {
      const Mapping *old = &g_array_index (world->mappings, Mapping, i);

      if (old->local_port == local_port && depends_the_same (world->config->mapping, &old->remote, to))
        return old->port;
    }
  mapping.port = allocate (world, local_port);
  g_array_append_val (world->mappings, mapping);
  return mapping.port;
}

static gboolean
lets_in (World *world, guint16 port, const IcsSockaddr *from)
{
  for (guint i = 0; i < world->openings->len; i++)
    {
      const Opening *opening = &g_array_index (world->openings, Opening, i);

      if (opening->port == port && depends_the_same (world->config->filtering, &opening->remote, from))
        return TRUE;
    }
  return FALSE;
}

/* What comes to the NAT from outside; turned back, from inside. Returns the host's port, 0 = filtered. */
static guint
come_in (World *world, const IcsSockaddr *from, guint16 port)
{
  for (guint i = 0; i < world->mappings->len; i++)
    {
      const Mapping *mapping = &g_array_index (world->mappings, Mapping, i);

      if (mapping->port == port && lets_in (world, port, from))
        return mapping->local_port;
    }
  return 0;
}

static void
count_sent (World *world, const IcsSockaddr *to, gsize len)
{
  world->result.sent++;
  world->result.sent_largest = MAX (world->result.sent_largest, (guint)len);
  if (ics_address_scope (to) != ICS_SCOPE_GLOBAL)
    world->result.sent_forbidden++;
  if (ics_sockaddr_equal (to, &world->victim, FALSE))
    world->result.sent_victim++;
}

static void
host_sends (World *world, const IcsNatPacket *packet)
{
  guint local_port = ics_sockaddr_get_port (&world->local[packet->socket]);
  guint16 port = map (world, local_port, &packet->to);
  Opening opening = { .port = port, .remote = packet->to };
  IcsSockaddr source = with_port (world->nat, port);

  count_sent (world, &packet->to, packet->len);
  g_array_append_val (world->openings, opening);
  if (!ics_sockaddr_equal (&packet->to, &world->nat, FALSE) || world->config->hairpin)
    put_on_wire (world, &source, &packet->to, packet->data, packet->len);
}

/* --- the server --- */

static IcsSockaddr
named_other (World *world, const IcsSockaddr *mapped)
{
  switch (world->config->server)
    {
    case SERVER_NAMES_LOOPBACK:
      return make ("127.0.0.1", 53);
    case SERVER_NAMES_MULTICAST:
      return make ("224.0.0.251", 5353);
    case SERVER_NAMES_PRIVATE:
      return make ("192.168.1.1", 80);
    case SERVER_NAMES_HOST:
      return with_port (world->host, 40001);
    case SERVER_NAMES_NAT:
      return with_port (*mapped, ics_sockaddr_get_port (mapped) ^ 1);
    case SERVER_NAMES_ITSELF:
      return with_port (world->servers[0], server_ports[1]);
    case SERVER_NAMES_VICTIM:
      return world->victim;
    case SERVER_HONEST:
    case SERVER_PLAIN:
    case SERVER_IGNORES_CHANGE:
    case SERVER_DEAD_OTHER:
    case SERVER_WRONG_ID:
    case SERVER_WRONG_SOURCE:
    case SERVER_GARBAGE:
    case SERVER_MAPS_TO_LOOPBACK:
    case SERVER_SILENT:
    case N_SERVER_KINDS:
      break;
    }
  return with_port (world->servers[1], server_ports[1]);
}

static void
append_address (StunMessage *message, StunAttribute type, const IcsSockaddr *address)
{
  stun_message_append_addr (message, type, &address->any, ics_sockaddr_len (address));
}

static gsize
write_reply (World *world, const StunMessage *request, const Packet *packet, guint8 *data, gsize size)
{
  gboolean lies = world->config->server == SERVER_MAPS_TO_LOOPBACK;
  IcsSockaddr mapped = lies ? make ("127.0.0.1", 22) : packet->from;
  IcsSockaddr named = named_other (world, &packet->from);
  struct sockaddr_storage storage = { 0 };
  StunMessage reply;

  if (world->config->server == SERVER_PLAIN
      && stun_message_has_attribute (request, STUN_ATTRIBUTE_CHANGE_REQUEST))
    {
      stun_agent_init_error (&world->agent, &reply, data, size, request, STUN_ERROR_UNKNOWN_ATTRIBUTE);
      return stun_agent_finish_message (&world->agent, &reply, NULL, 0);
    }
  stun_agent_init_response (&world->agent, &reply, data, size, request);
  memcpy (&storage, &mapped, sizeof mapped);
  stun_message_append_xor_addr (&reply, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &storage, sizeof mapped.v4);
  append_address (&reply, RESPONSE_ORIGIN, &packet->to);
  if (world->config->server != SERVER_PLAIN)
    append_address (&reply, OTHER_ADDRESS, &named);
  return stun_agent_finish_message (&world->agent, &reply, NULL, 0);
}

static void
send_garbage (World *world, const IcsSockaddr *from, const IcsSockaddr *to, const guint8 *reply, gsize len)
{
  guint8 data[256];
  gsize size = (gsize)g_rand_int_range (world->random, 0, sizeof data);

  for (gsize i = 0; i < size; i++)
    data[i] = (guint8)g_rand_int_range (world->random, 0, 256);
  put_on_wire (world, from, to, data, size);
  memcpy (data, reply, len);
  data[g_rand_int_range (world->random, 0, 20)] ^= (guint8)g_rand_int_range (world->random, 1, 256);
  put_on_wire (world, from, to, data, len);
  put_on_wire (world, from, to, reply, (gsize)g_rand_int_range (world->random, 0, (gint32)len));
}

/* The address that the answer comes from (RFC 5780 §7.2). */
static IcsSockaddr
answer_from (World *world, const StunMessage *request, const IcsSockaddr *asked)
{
  guint32 change = 0;
  guint ip = ics_sockaddr_equal (asked, &world->servers[1], FALSE) ? 1 : 0;
  guint port = ics_sockaddr_get_port (asked) == server_ports[1] ? 1 : 0;

  stun_message_find32 (request, STUN_ATTRIBUTE_CHANGE_REQUEST, &change);
  if (world->config->server == SERVER_PLAIN || world->config->server == SERVER_IGNORES_CHANGE)
    change = 0;
  if (world->config->server == SERVER_WRONG_SOURCE)
    change = 6;
  ip ^= (change & 4) != 0;
  port ^= (change & 2) != 0;
  return with_port (world->servers[ip], server_ports[port]);
}

static void
server_receives (World *world, const Packet *packet)
{
  ServerKind kind = world->config->server;
  guint8 data[256];
  StunMessage request;
  IcsSockaddr from;
  gsize len;

  if (kind == SERVER_SILENT
      || (kind == SERVER_DEAD_OTHER && ics_sockaddr_equal (&packet->to, &world->servers[1], FALSE))
      || stun_agent_validate (&world->agent, &request, packet->data, packet->len, NULL, NULL)
             != STUN_VALIDATION_SUCCESS)
    return;
  from = answer_from (world, &request, &packet->to);
  if (kind == SERVER_DEAD_OTHER && ics_sockaddr_equal (&from, &world->servers[1], FALSE))
    return;
  len = write_reply (world, &request, packet, data, sizeof data);
  if (kind == SERVER_WRONG_ID)
    data[19] ^= 1;
  if (kind == SERVER_GARBAGE)
    send_garbage (world, &from, &packet->from, data, len);
  put_on_wire (world, &from, &packet->from, data, len);
}

/* --- time --- */

static void
host_receives (World *world, IcsNatDiscovery *discovery, const Packet *packet)
{
  guint port = come_in (world, &packet->from, ics_sockaddr_get_port (&packet->to));

  for (guint i = 0; i < ICS_NAT_N_SOCKETS; i++)
    if (port != 0 && port == ics_sockaddr_get_port (&world->local[i]))
      ics_nat_discovery_handle_input (discovery, world->now, i, packet->data, packet->len, &packet->from.any);
}

static void
deliver (World *world, IcsNatDiscovery *discovery, guint index)
{
  Packet packet = g_array_index (world->packets, Packet, index);

  g_array_remove_index (world->packets, index);
  if (ics_sockaddr_equal (&packet.to, &world->nat, FALSE))
    host_receives (world, discovery, &packet);
  else
    for (guint i = 0; i < G_N_ELEMENTS (world->servers); i++)
      if (ics_sockaddr_equal (&packet.to, &world->servers[i], FALSE))
        server_receives (world, &packet);
}

static guint
find_next (World *world)
{
  guint next = 0;

  for (guint i = 1; i < world->packets->len; i++)
    if (g_array_index (world->packets, Packet, i).at < g_array_index (world->packets, Packet, next).at)
      next = i;
  return next;
}

static void
run (World *world, IcsNatDiscovery *discovery)
{
  IcsNatPacket packet;

  while (!ics_nat_discovery_is_done (discovery))
    {
      gint64 timeout;
      guint next;

      while (ics_nat_discovery_poll (discovery, world->now, &packet))
        host_sends (world, &packet);
      timeout = ics_nat_discovery_next_timeout (discovery);
      next = find_next (world);
      ck_assert_int_ne (timeout, G_MAXINT64);
      ck_assert_int_gt (timeout, world->now);
      if (world->packets->len > 0 && g_array_index (world->packets, Packet, next).at < timeout)
        {
          world->now = g_array_index (world->packets, Packet, next).at;
          deliver (world, discovery, next);
          continue;
        }
      world->now = timeout;
      ics_nat_discovery_handle_timeout (discovery, world->now);
    }
  ck_assert_int_eq (ics_nat_discovery_next_timeout (discovery), G_MAXINT64);
  ck_assert (!ics_nat_discovery_poll (discovery, world->now, &packet));
}

static void
world_init (World *world, const NatWorldConfig *config, guint32 seed)
{
  static const guint16 known[] = { STUN_ATTRIBUTE_CHANGE_REQUEST, 0 };

  *world = (World){ .config = config,
                    .random = g_rand_new_with_seed (seed),
                    .packets = g_array_new (FALSE, FALSE, sizeof (Packet)),
                    .mappings = g_array_new (FALSE, FALSE, sizeof (Mapping)),
                    .openings = g_array_new (FALSE, FALSE, sizeof (Opening)),
                    .losses = g_hash_table_new (NULL, NULL),
                    .last_port = 20000,
                    .now = 12345,
                    .nat = make ("198.51.100.18", 0),
                    .servers = { make ("203.0.113.1", 0), make ("203.0.113.2", 0) },
                    .victim = make ("198.51.100.99", 7) };
  world->host = config->none ? world->nat : make ("192.168.1.2", 0);
  stun_agent_init (&world->agent, known, STUN_COMPATIBILITY_RFC5389, STUN_AGENT_USAGE_IGNORE_CREDENTIALS);
  for (guint i = 0; i < ICS_NAT_N_SOCKETS; i++)
    world->local[i] = with_port (
        world->host, (guint16)(30000 + 4000 * i + (guint)g_rand_int_range (world->random, 0, 4000)));
}

static void
world_clear (World *world)
{
  g_rand_free (world->random);
  g_array_unref (world->packets);
  g_array_unref (world->mappings);
  g_array_unref (world->openings);
  g_hash_table_unref (world->losses);
}

NatWorldResult
nat_world_run (const NatWorldConfig *config, guint servers, guint32 seed)
{
  g_autoptr (IcsNatDiscovery) discovery = NULL;
  IcsNatDiscoveryConfig discovered = { .n_servers = servers };
  gint64 start;
  World world;

  world_init (&world, config, seed);
  start = world.now;
  for (guint i = 0; i < servers; i++)
    discovered.servers[i] = with_port (world.servers[i % 2], server_ports[0]);
  memcpy (discovered.local, world.local, sizeof world.local);
  discovery = ics_nat_discovery_new (&discovered, world.now);
  run (&world, discovery);
  world.result.found = *ics_nat_discovery_get (discovery);
  world.result.dropped = ics_nat_discovery_get_dropped (discovery);
  world.result.took = world.now - start;
  world_clear (&world);
  return world.result;
}

guint32
nat_world_seed (void)
{
  const char *given = g_getenv ("ICS_TEST_SEED");
  guint32 seed = given != NULL ? (guint32)g_ascii_strtoull (given, NULL, 10) : g_random_int ();

  g_print ("ICS_TEST_SEED=%u\n", seed);
  return seed;
}
