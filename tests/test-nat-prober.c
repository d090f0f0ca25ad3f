/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NAT behaviour discovery over real sockets on loopback. */
#include "agent/nat-prober.h"
#include "tests/suite.h"
#include <string.h>
#include <stun/stunagent.h>
#include <unistd.h>

#define OTHER_ADDRESS ((StunAttribute)0x802c)
#define NAT64_OUTSIDE 0xc6336401 /* 198.51.100.1 */

/* A server with two loopback addresses and two ports. Behind the NAT64 the first of the addresses is one of
 * IPv6. */
typedef struct
{
  gboolean behind_nat64;
  IcsSockaddr addresses[2][2];
  int fds[2][2];
  StunAgent agent;
  gboolean silent;
  guint asked;
} Server;

static gboolean
bind_to (int *fd, IcsSockaddr *address)
{
  socklen_t len = ics_sockaddr_len (address);

  *fd = socket (address->any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  ck_assert_int_ge (*fd, 0);
  if (bind (*fd, &address->any, len) == 0 && getsockname (*fd, &address->any, &len) == 0)
    return TRUE;
  close (*fd);
  return FALSE;
}

static IcsSockaddr
ipv4 (guint32 ip, guint16 port)
{
  return (IcsSockaddr){
    .v4 = { .sin_family = AF_INET, .sin_addr = { g_htonl (ip) }, .sin_port = g_htons (port) }
  };
}

static gboolean
bind_both (Server *server, guint port)
{
  IcsSockaddr *first = &server->addresses[0][port], *second = &server->addresses[1][port];

  if (server->behind_nat64)
    first->v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
  else
    *first = ipv4 (0x7f000001, 0);
  ck_assert (bind_to (&server->fds[0][port], first));
  *second = ipv4 (0x7f000002, ics_sockaddr_get_port (first));
  if (bind_to (&server->fds[1][port], second))
    return TRUE;
  close (server->fds[0][port]);
  return FALSE;
}

/* Two ports that are free on both addresses. */
static void
server_init (Server *server, gboolean behind_nat64)
{
  static const guint16 known[] = { STUN_ATTRIBUTE_CHANGE_REQUEST, 0 };

  memset (server, 0, sizeof *server);
  server->behind_nat64 = behind_nat64;
  stun_agent_init (&server->agent, known, STUN_COMPATIBILITY_RFC5389, STUN_AGENT_USAGE_IGNORE_CREDENTIALS);
  for (guint port = 0; port < 2; port++)
    while (!bind_both (server, port))
      continue;
}

static void
server_clear (Server *server)
{
  for (guint i = 0; i < 4; i++)
    close (server->fds[i / 2][i % 2]);
}

static void
answer (Server *server, guint ip, guint port, const guint8 *data, gsize len, const IcsSockaddr *from)
{
  const IcsSockaddr *other = &server->addresses[1 - ip][1 - port];
  IcsSockaddr seen = server->behind_nat64 ? ipv4 (NAT64_OUTSIDE, ics_sockaddr_get_port (from)) : *from;
  struct sockaddr_storage mapped = { 0 };
  StunMessage request, reply;
  guint32 change = 0;
  guint8 out[256];

  if (stun_agent_validate (&server->agent, &request, data, len, NULL, NULL) != STUN_VALIDATION_SUCCESS)
    return;
  stun_message_find32 (&request, STUN_ATTRIBUTE_CHANGE_REQUEST, &change);
  ip ^= (change & 4) != 0;
  port ^= (change & 2) != 0;
  memcpy (&mapped, &seen, sizeof seen);
  stun_agent_init_response (&server->agent, &reply, out, sizeof out, &request);
  stun_message_append_xor_addr (&reply, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &mapped, sizeof seen.v4);
  stun_message_append_addr (&reply, OTHER_ADDRESS, &other->any, sizeof other->v4);
  len = stun_agent_finish_message (&server->agent, &reply, NULL, 0);
  ck_assert_int_eq (sendto (server->fds[ip][port], out, len, 0, &from->any, ics_sockaddr_len (from)),
                    (ssize_t)len);
}

static void
serve (Server *server)
{
  for (guint i = 0; i < 4; i++)
    for (;;)
      {
        guint8 data[256];
        IcsSockaddr from;
        socklen_t from_len = sizeof from;
        ssize_t len = recvfrom (server->fds[i / 2][i % 2], data, sizeof data, 0, &from.any, &from_len);

        if (len < 0)
          break;
        server->asked++;
        if (!server->silent)
          answer (server, i / 2, i % 2, data, (gsize)len, &from);
      }
}

typedef struct
{
  IcsNatProber *prober;
  IcsNatBehavior behavior;
  guint done;
} Outcome;

static void
on_done (const IcsNatBehavior *behavior, gpointer user_data)
{
  Outcome *outcome = user_data;

  outcome->behavior = *behavior;
  outcome->done++;
  g_clear_pointer (&outcome->prober, ics_nat_prober_free);
}

static void
start (Outcome *outcome, Server *server, const IcsNat64Prefix *nat64, GMainContext *context)
{
  g_autoptr (GPtrArray) servers = g_ptr_array_new_with_free_func (g_object_unref);
  IcsNatProberConfig config = { .servers = servers, .nat64 = nat64, .context = context };

  memset (outcome, 0, sizeof *outcome);
  for (guint port = 0; port < (nat64 != NULL ? 2 : 1); port++)
    g_ptr_array_add (servers,
                     g_socket_address_new_from_native (&server->addresses[0][port],
                                                       ics_sockaddr_len (&server->addresses[0][port])));
  outcome->prober = ics_nat_prober_start (&config, on_done, outcome);
  ck_assert_ptr_nonnull (outcome->prober);
  ck_assert_uint_eq (outcome->done, 0);
}

static void
run (Outcome *outcome, Server *server, GMainContext *context)
{
  while (outcome->done == 0)
    {
      g_main_context_iteration (context, FALSE);
      serve (server);
    }
  ck_assert_uint_eq (outcome->done, 1);
}

START_TEST (honest_server)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Outcome outcome;
  Server server;

  server_init (&server, FALSE);
  start (&outcome, &server, NULL, context);
  run (&outcome, &server, context);
  ck_assert_int_eq (outcome.behavior.answered, ICS_FACT_YES);
  ck_assert_int_eq (outcome.behavior.translated, ICS_FACT_NO);
  ck_assert_int_eq (outcome.behavior.mapping, ICS_NAT_ENDPOINT_INDEPENDENT);
  ck_assert_int_eq (outcome.behavior.filtering, ICS_NAT_ENDPOINT_INDEPENDENT);
  ck_assert_int_eq (outcome.behavior.ports, ICS_NAT_PORTS_PRESERVED);
  ck_assert_int_ge (outcome.behavior.rtt, 0);
  server_clear (&server);
}
END_TEST

/* ::1 is 0.0.0.1 within this prefix. What is asked and concluded is IPv4; the sockets are not. */
START_TEST (through_a_nat64)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  const guint8 none[ICS_NAT64_IPV6_LEN] = { 0 };
  IcsSockaddr seen = ipv4 (NAT64_OUTSIDE, 0);
  IcsNat64Prefix prefix;
  Outcome outcome;
  Server server;

  ck_assert (ics_nat64_prefix_init (&prefix, none, 96));
  server_init (&server, TRUE);
  start (&outcome, &server, &prefix, context);
  run (&outcome, &server, context);
  ck_assert_int_eq (outcome.behavior.translated, ICS_FACT_YES);
  ck_assert_int_eq (outcome.behavior.mapping_varies, ICS_FACT_NO);
  ck_assert_int_eq (outcome.behavior.ports, ICS_NAT_PORTS_PRESERVED);
  ck_assert (ics_sockaddr_equal (&outcome.behavior.observations[0].mapped, &seen, FALSE));
  server_clear (&server);
}
END_TEST

START_TEST (freed_while_it_asks)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Outcome outcome;
  Server server;

  server_init (&server, FALSE);
  server.silent = TRUE;
  start (&outcome, &server, NULL, context);
  while (server.asked < 2)
    {
      g_main_context_iteration (context, FALSE);
      serve (&server);
    }
  ck_assert_int_eq (ics_nat_prober_get (outcome.prober)->answered, ICS_FACT_UNKNOWN);
  ics_nat_prober_free (outcome.prober);
  ck_assert (!g_main_context_pending (context));
  ck_assert_uint_eq (outcome.done, 0);
  server_clear (&server);
}
END_TEST

START_TEST (nobody_to_ask)
{
  g_autoptr (GPtrArray) servers = g_ptr_array_new ();
  IcsNatProberConfig config = { .servers = servers };

  ck_assert_ptr_null (ics_nat_prober_start (&config, on_done, NULL));
}
END_TEST

int
main (void)
{
  const TTest *const tests[] = { honest_server, through_a_nat64, freed_while_it_asks, nobody_to_ask, NULL };

  return run_suite ("nat-prober", tests);
}
