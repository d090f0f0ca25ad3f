/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The endpoint against a peer that is played by hand, on loopback: checks, strangers, a change of address. */
#include "agent/udp-endpoint.h"
#include "tests/ice-side.h"
#include "tests/suite.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const IcsStunCredentials ours = { "abcd", "abcdefghijklmnopqrstuv", "efgh", "efghijklmnopqrstuvwxyz" };
static const IcsStunCredentials theirs
    = { "efgh", "efghijklmnopqrstuvwxyz", "abcd", "abcdefghijklmnopqrstuv" };

typedef struct
{
  GMainContext *context;
  IcsUdpEndpoint *endpoint;
  IcsFlow own;
  int peers[3]; /* the peer's sockets, or a stranger's */
  IcsStunPeer *stun;
  GPtrArray *received;
  guint n_moved, n_down, n_lost;
  IcsFlow moved_to;
  gboolean free_on_received;
} World;

static void
on_received (const guint8 *data, gsize len, gsize segment, gpointer user_data)
{
  World *world = user_data;

  for (gsize at = 0; at < len; at += segment)
    g_ptr_array_add (world->received, g_bytes_new (data + at, MIN (segment, len - at)));
  if (world->free_on_received)
    g_clear_pointer (&world->endpoint, ics_udp_endpoint_free);
}

static void
on_writable (G_GNUC_UNUSED gpointer user_data)
{
}

static void
on_down (gboolean down, gpointer user_data)
{
  if (down)
    ((World *)user_data)->n_down++;
}

static void
on_moved (const IcsFlow *flow, gpointer user_data)
{
  World *world = user_data;

  world->n_moved++;
  world->moved_to = *flow;
}

static void
on_lost (gpointer user_data)
{
  ((World *)user_data)->n_lost++;
}

static void
on_note (const char *line, G_GNUC_UNUSED gpointer user_data)
{
  if (g_getenv ("ICS_TEST_VERBOSE") != NULL)
    g_printerr ("%s\n", line);
}

static gboolean
allows_nobody (G_GNUC_UNUSED const struct sockaddr *remote, G_GNUC_UNUSED gpointer user_data)
{
  return FALSE;
}

static int
open_socket (gboolean ipv6, IcsFlow *local)
{
  IcsFlow bound = { 0 };
  socklen_t len;
  int fd = socket (ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  ck_assert_int_ge (fd, 0);
  bound.remote.any.sa_family = ipv6 ? AF_INET6 : AF_INET;
  if (ipv6)
    bound.remote.v6.sin6_addr = in6addr_loopback;
  else
    bound.remote.v4.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  ck_assert_int_eq (bind (fd, &bound.remote.any, ics_sockaddr_len (&bound.remote)), 0);
  len = sizeof bound.remote;
  ck_assert_int_eq (getsockname (fd, &bound.remote.any, &len), 0);
  if (local != NULL)
    *local = bound;
  return fd;
}

static void
world_init (World *world, gboolean ipv6, gboolean closed, const char *unreachable)
{
  IcsUdpEndpointHooks hooks = { .received = on_received,
                                .writable = on_writable,
                                .down = on_down,
                                .moved = on_moved,
                                .lost = on_lost,
                                .note = on_note,
                                .allows = closed ? allows_nobody : NULL };
  IcsUdpEndpointConfig config = { .credentials = ours, .controlling = TRUE };
  int fd;

  memset (world, 0, sizeof *world);
  world->context = g_main_context_new ();
  world->received = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  world->stun = ics_stun_peer_new (&theirs, FALSE);
  fd = open_socket (ipv6, &world->own);
  for (guint i = 0; i < 3; i++)
    world->peers[i] = open_socket (ipv6, i == 0 ? &config.flow : NULL);
  if (unreachable != NULL)
    ck_assert_int_eq (inet_pton (AF_INET, unreachable, &config.flow.remote.v4.sin_addr), 1);
  config.fds = g_array_new (FALSE, FALSE, sizeof (int));
  g_array_append_val (config.fds, fd);
  config.context = world->context;
  world->endpoint = ics_udp_endpoint_new (&config, &hooks, world);
  g_array_unref (config.fds);
  ics_udp_endpoint_start (world->endpoint);
}

static void
world_clear (World *world)
{
  g_clear_pointer (&world->endpoint, ics_udp_endpoint_free);
  for (guint i = 0; i < 3; i++)
    close (world->peers[i]);
  ics_stun_peer_free (world->stun);
  g_ptr_array_unref (world->received);
  g_main_context_unref (world->context);
}

static void
say (World *world, guint peer, gconstpointer data, gsize len)
{
  ck_assert_int_eq (sendto (world->peers[peer], data, len, 0, &world->own.remote.any,
                            ics_sockaddr_len (&world->own.remote)),
                    (gssize)len);
}

/* What the endpoint has sent to that socket; 0: nothing. */
static gsize
hear (World *world, guint peer, guint8 buf[2048])
{
  gssize n = recv (world->peers[peer], buf, 2048, 0);

  return n < 0 ? 0 : (gsize)n;
}

static gsize
wait_to_hear (World *world, guint peer, guint8 buf[2048])
{
  gsize n = 0;

  /* The kernel hands it over within the sender's call: whatever is to come has come when the loop is idle. */
  WAIT_FOR (world->context, (n = hear (world, peer, buf)) > 0);
  return n;
}

static void
run_idle (World *world)
{
  while (g_main_context_iteration (world->context, FALSE))
    ;
}

/* Answers the endpoint's next check there, as the peer would. */
static void
answer (World *world, guint peer)
{
  guint8 buf[2048];
  IcsStunInput input;
  gsize len = wait_to_hear (world, peer, buf);

  ics_stun_peer_read (world->stun, buf, len, &world->own.remote.any, &input);
  ck_assert_int_eq (input.type, ICS_STUN_REQUEST);
  say (world, peer, input.reply, input.reply_len);
  run_idle (world);
}

static void
send_one (World *world)
{
  gsize taken;

  ck_assert_int_eq (ics_udp_endpoint_send (world->endpoint, (const guint8 *)"Hello", 5, 5, &taken),
                    ICS_SEND_OK);
  ck_assert_uint_eq (taken, 5);
}

START_TEST (answers_the_peer)
{
  guint8 check[ICS_STUN_MESSAGE_MAX], id[ICS_STUN_ID_LEN], buf[2048];
  IcsStunInput input;
  gsize len;
  World world;

  world_init (&world, _i, FALSE, NULL);
  answer (&world, 0);
  len = ics_stun_peer_write_check (world.stun, FALSE, check, id);
  say (&world, 0, check, len);
  len = wait_to_hear (&world, 0, buf);
  ics_stun_peer_read (world.stun, buf, len, &world.own.remote.any, &input);
  ck_assert_int_eq (input.type, ICS_STUN_ANSWER);
  ck_assert_mem_eq (input.id, id, sizeof id);

  /* A forged one gets none. */
  len = ics_stun_peer_write_check (world.stun, FALSE, check, id);
  check[len - 1] ^= 1;
  say (&world, 0, check, len);
  WAIT_FOR (world.context, ics_udp_endpoint_get_dropped (world.endpoint) == 1);
  ck_assert_uint_eq (hear (&world, 0, buf), 0);
  ck_assert_uint_eq (world.received->len, 0);
  world_clear (&world);
}
END_TEST

START_TEST (follows_the_peer)
{
  guint8 buf[2048];
  World world;

  world_init (&world, _i, FALSE, NULL);
  answer (&world, 0);
  say (&world, 1, "Moved", 5);
  WAIT_FOR (world.context, world.received->len == 1);
  ck_assert_uint_eq (world.n_moved, 0);
  send_one (&world);
  ck_assert_uint_eq (wait_to_hear (&world, 0, buf), 5);
  answer (&world, 1);
  ck_assert_uint_eq (world.n_moved, 1);
  /* Nominated at once, by the controlling host. */
  answer (&world, 1);
  send_one (&world);
  ck_assert_uint_eq (wait_to_hear (&world, 1, buf), 5);
  ck_assert_mem_eq (buf, "Hello", 5);
  ck_assert_uint_eq (hear (&world, 0, buf), 0);
  world_clear (&world);
}
END_TEST

START_TEST (strangers_move_nothing)
{
  guint8 buf[2048];
  IcsStunInput input;
  gsize len;
  World world;

  world_init (&world, FALSE, FALSE, NULL);
  answer (&world, 0);
  say (&world, 1, "Hello", 5);
  len = wait_to_hear (&world, 1, buf);
  /* It does not know the password: it can but send the check back, or repeat an answer. */
  say (&world, 1, buf, len);
  WAIT_FOR (world.context, ics_udp_endpoint_get_dropped (world.endpoint) == 1);
  /* The peer's own answer counts from the address that was asked, only. */
  ics_stun_peer_read (world.stun, buf, len, &world.own.remote.any, &input);
  ck_assert_int_eq (input.type, ICS_STUN_REQUEST);
  say (&world, 2, input.reply, input.reply_len);
  run_idle (&world);
  say (&world, 1, input.reply, input.reply_len);
  WAIT_FOR (world.context, ics_udp_endpoint_get_dropped (world.endpoint) == 2);
  ck_assert_uint_eq (world.n_moved, 0);
  send_one (&world);
  ck_assert_uint_eq (wait_to_hear (&world, 0, buf), 5);
  world_clear (&world);
}
END_TEST

/* A flood from many ports: each gets at most a check, and not more than a few do. */
START_TEST (flood)
{
  guint8 buf[2048];
  gsize sent_to_strangers = 0, n;
  int kept[100]; /* open until the end, so that no port is taken twice */
  World world;

  world_init (&world, FALSE, FALSE, NULL);
  answer (&world, 0);
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    {
      kept[i] = world.peers[2];
      world.peers[2] = open_socket (FALSE, NULL);
      say (&world, 2, "Hello", 5);
      run_idle (&world);
      while ((n = hear (&world, 2, buf)) > 0)
        sent_to_strangers += n;
    }
  WAIT_FOR (world.context,
            ics_udp_endpoint_get_dropped (world.endpoint) == G_N_ELEMENTS (kept) - ICS_FLOW_CANDIDATES);
  ck_assert_uint_le (sent_to_strangers, ICS_FLOW_CANDIDATES * ICS_FLOW_CHECKS_MAX * 200);
  ck_assert_uint_eq (world.received->len, ICS_FLOW_CANDIDATES);
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    close (kept[i]);
  world_clear (&world);
}
END_TEST

/* Policy "lan": the addresses that were offered, and no other. */
START_TEST (other_addresses_not_allowed)
{
  guint8 buf[2048];
  World world;

  world_init (&world, FALSE, TRUE, NULL);
  answer (&world, 0);
  say (&world, 1, "Hello", 5);
  WAIT_FOR (world.context, ics_udp_endpoint_get_dropped (world.endpoint) == 1);
  ck_assert_uint_eq (hear (&world, 1, buf), 0);
  say (&world, 0, "Hello", 5);
  WAIT_FOR (world.context, world.received->len == 1);
  world_clear (&world);
}
END_TEST

START_TEST (no_way_out)
{
  gsize taken;
  World world;

  /* Loopback alone leads there from no network of the test's own; a source of 127.0.0.1 from no other. */
  world_init (&world, FALSE, FALSE, "203.0.113.200");
  ck_assert_int_eq (ics_udp_endpoint_send (world.endpoint, (const guint8 *)"Hello", 5, 5, &taken),
                    ICS_SEND_FAILED);
  ck_assert_uint_eq (taken, 5);
  ck_assert_uint_eq (world.n_down, 1);
  ck_assert_int_eq (ics_udp_endpoint_send (world.endpoint, (const guint8 *)"Hello", 5, 5, &taken),
                    ICS_SEND_FAILED);
  ck_assert_uint_eq (world.n_down, 1);
  world_clear (&world);
}
END_TEST

/* What is larger than the link lets through is lost, and no reason to give the path or the offload up. */
START_TEST (too_large)
{
  static guint8 large[66000];
  guint8 buf[2048];
  gsize taken;
  World world;

  world_init (&world, FALSE, FALSE, NULL);
  answer (&world, 0);
  ck_assert_int_eq (ics_udp_endpoint_send (world.endpoint, large, 65536, 65536, &taken), ICS_SEND_OK);
  ck_assert_uint_eq (taken, 65536);
  ck_assert_uint_eq (world.n_down, 0);
  send_one (&world);
  ck_assert_uint_eq (wait_to_hear (&world, 0, buf), 5);
  world_clear (&world);
}
END_TEST

START_TEST (freed_by_what_it_calls)
{
  World world;

  world_init (&world, FALSE, FALSE, NULL);
  world.free_on_received = TRUE;
  say (&world, 0, "Hello", 5);
  say (&world, 0, "World", 5);
  WAIT_FOR (world.context, world.endpoint == NULL);
  ck_assert_uint_eq (world.received->len, 1);
  run_idle (&world);
  world_clear (&world);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { answers_the_peer, 2 },
    { follows_the_peer, 2 },
    { strangers_move_nothing, 1 },
    { flood, 1 },
    { other_addresses_not_allowed, 1 },
    { no_way_out, 1 },
    { too_large, 1 },
    { freed_by_what_it_calls, 1 },
  };

  isolate ();
  return run_loops ("udp-endpoint", tests, G_N_ELEMENTS (tests));
}
