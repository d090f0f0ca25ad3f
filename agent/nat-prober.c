/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/nat-prober.h"
#include "agent/local-addresses.h"
#include "agent/nat64-address.h"
#include <unistd.h>

/* Read from one socket before the others have their turn. */
#define READS_MAX 16

/* Larger than any answer that is of use; what is cut off does not parse. */
#define DATAGRAM_MAX 1500

struct _IcsNatProber
{
  IcsNatDiscovery *discovery;
  GSource *source;
  int fds[ICS_NAT_N_SOCKETS];
  gpointer tags[ICS_NAT_N_SOCKETS];
  IcsNat64Prefix nat64;
  IcsNatProberFunc done;
  gpointer user_data;
};

typedef struct
{
  GSource parent;
  IcsNatProber *prober;
} ProberSource;

static void
close_sockets (IcsNatProber *self)
{
  for (guint i = 0; i < ICS_NAT_N_SOCKETS; i++)
    {
      if (self->tags[i] != NULL)
        g_source_remove_unix_fd (self->source, self->tags[i]);
      if (self->fds[i] >= 0)
        close (self->fds[i]);
      self->tags[i] = NULL;
      self->fds[i] = -1;
    }
}

static void
read_socket (IcsNatProber *self, guint i)
{
  guint8 data[DATAGRAM_MAX];

  for (guint n = 0; n < READS_MAX; n++)
    {
      IcsSockaddr from = { 0 }, sender;
      socklen_t from_len = sizeof from;
      ssize_t len = recvfrom (self->fds[i], data, sizeof data, 0, &from.any, &from_len);

      if (len < 0)
        return;
      ics_nat64_inwards (&self->nat64, &from.any, &sender);
      ics_nat_discovery_handle_input (self->discovery, g_get_monotonic_time (), i, data, (gsize)len,
                                      &sender.any);
    }
}

/* A packet that the system does not take is lost, as any may be. */
static void
send_packets (IcsNatProber *self)
{
  IcsNatPacket packet;

  while (ics_nat_discovery_poll (self->discovery, g_get_monotonic_time (), &packet))
    {
      IcsSockaddr to;

      ics_nat64_outwards (&self->nat64, &packet.to.any, &to);
      if (sendto (self->fds[packet.socket], packet.data, packet.len, 0, &to.any, ics_sockaddr_len (&to)) < 0)
        g_debug ("nat-prober: %s", g_strerror (errno));
    }
}

static void
rearm (IcsNatProber *self)
{
  gint64 next = ics_nat_discovery_next_timeout (self->discovery);

  g_source_set_ready_time (self->source, next == G_MAXINT64 ? -1 : next);
}

static gboolean
dispatch (GSource *source, G_GNUC_UNUSED GSourceFunc callback, G_GNUC_UNUSED gpointer user_data)
{
  IcsNatProber *self = ((ProberSource *)source)->prober;

  for (guint i = 0; i < ICS_NAT_N_SOCKETS; i++)
    if (g_source_query_unix_fd (source, self->tags[i]) != 0)
      read_socket (self, i);
  ics_nat_discovery_handle_timeout (self->discovery, g_get_monotonic_time ());
  send_packets (self);
  if (!ics_nat_discovery_is_done (self->discovery))
    {
      rearm (self);
      return G_SOURCE_CONTINUE;
    }
  close_sockets (self);
  self->done (ics_nat_discovery_get (self->discovery), self->user_data);
  return G_SOURCE_REMOVE;
}

static GSourceFuncs source_funcs = { NULL, NULL, dispatch, NULL, NULL, NULL };

static int
open_socket (GInetAddress *address, IcsSockaddr *bound)
{
  g_autoptr (GSocketAddress) any_port = g_inet_socket_address_new (address, 0);
  socklen_t len = sizeof *bound;
  int fd = socket (g_inet_address_get_family (address), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

  if (fd < 0)
    return -1;
  if (g_socket_address_to_native (any_port, bound, sizeof *bound, NULL)
      && bind (fd, &bound->any, ics_sockaddr_len (bound)) == 0 && getsockname (fd, &bound->any, &len) == 0)
    return fd;
  close (fd);
  return -1;
}

/* FALSE if there is no way to the first server. */
static gboolean
open_sockets (IcsNatProber *self, GInetSocketAddress *server, IcsNatDiscoveryConfig *config)
{
  g_autoptr (GInetAddress) source = ics_local_address_towards (g_inet_socket_address_get_address (server),
                                                               g_inet_socket_address_get_port (server));

  if (source == NULL)
    return FALSE;
  for (guint i = 0; i < ICS_NAT_N_SOCKETS; i++)
    {
      self->fds[i] = open_socket (source, &config->local[i]);
      if (self->fds[i] < 0)
        return FALSE;
    }
  return TRUE;
}

static void
start (IcsNatProber *self, const IcsNatDiscoveryConfig *config, GMainContext *context)
{
  self->discovery = ics_nat_discovery_new (config, g_get_monotonic_time ());
  self->source = g_source_new (&source_funcs, sizeof (ProberSource));
  ((ProberSource *)self->source)->prober = self;
  for (guint i = 0; i < ICS_NAT_N_SOCKETS; i++)
    self->tags[i] = g_source_add_unix_fd (self->source, self->fds[i], G_IO_IN);
  send_packets (self);
  rearm (self);
  g_source_attach (self->source, context);
}

IcsNatProber *
ics_nat_prober_start (const IcsNatProberConfig *config, IcsNatProberFunc done, gpointer user_data)
{
  g_autoptr (IcsNatProber) self = g_new0 (IcsNatProber, 1);
  IcsNatDiscoveryConfig discovery = { .no_filtering = config->no_filtering };
  IcsSockaddr server;

  self->done = done;
  self->user_data = user_data;
  for (guint i = 0; i < ICS_NAT_N_SOCKETS; i++)
    self->fds[i] = -1;
  if (config->nat64 != NULL)
    self->nat64 = *config->nat64;
  for (guint i = 0; i < config->servers->len && i < ICS_NAT_SERVERS_MAX; i++)
    if (g_socket_address_to_native (config->servers->pdata[i], &server, sizeof server, NULL))
      ics_nat64_inwards (&self->nat64, &server.any, &discovery.servers[discovery.n_servers++]);
  if (discovery.n_servers == 0 || !open_sockets (self, config->servers->pdata[0], &discovery))
    return NULL;
  start (self, &discovery, config->context);
  return g_steal_pointer (&self);
}

void
ics_nat_prober_free (IcsNatProber *self)
{
  close_sockets (self);
  if (self->source != NULL)
    g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
  g_clear_pointer (&self->discovery, ics_nat_discovery_free);
  g_free (self);
}

const IcsNatBehavior *
ics_nat_prober_get (IcsNatProber *self)
{
  return ics_nat_discovery_get (self->discovery);
}
