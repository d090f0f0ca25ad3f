/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/gatherer.h"
#include "agent/local-addresses.h"
#include "agent/server-lookup.h"

/* Host candidates wait for the STUN server's name, relayed ones are nothing without the TURN server's. */
#define STUN_LOOKUP_MS 3000
#define TURN_LOOKUP_MS 5000

#define RECEIVE_BUFFER_WANTED (4 * 1024 * 1024)

struct _IcsGatherer
{
  const IcsIceConfig *config;
  IcsNiceLeg *leg;
  IcsAttemptEvents *events;
  GPtrArray *local; /* direct leg: GInetAddress */
  IcsServerLookup *lookup;
  IcsNat64Prefix nat64;       /* of length 0: there is none, or none is needed */
  guint16 tunnel;             /* a port on 127.0.0.1; 0 = none */
  GInetSocketAddress *server; /* TURN over UDP */
  IcsGathererFunc done;
  gpointer user_data;
};

IcsGatherer *
ics_gatherer_new (const IcsIceConfig *config, IcsNiceLeg *leg, IcsAttemptEvents *events)
{
  IcsGatherer *self = g_new0 (IcsGatherer, 1);

  self->config = config;
  self->leg = leg;
  self->events = events;
  if (!config->relay_only)
    self->local = ics_local_addresses_get_until (config->family,
                                                 config->likely_only ? ICS_LOCAL_NETWORK : ICS_LOCAL_BRIDGE);
  return self;
}

void
ics_gatherer_free (IcsGatherer *self)
{
  if (self->lookup != NULL)
    ics_server_lookup_cancel (self->lookup);
  g_clear_pointer (&self->local, g_ptr_array_unref);
  g_clear_object (&self->server);
  g_free (self);
}

gboolean
ics_gatherer_has_only_loopback (IcsGatherer *self)
{
  return self->local != NULL && self->local->len > 0
         && g_inet_address_get_is_loopback (g_ptr_array_index (self->local, 0));
}

static void
note_small_buffer (IcsGatherer *self)
{
  int buffer = ics_nice_leg_get_receive_buffer (self->leg);

  if (buffer < RECEIVE_BUFFER_WANTED)
    ics_attempt_events_note (self->events, "receive buffers of %d KiB only (see net.core.rmem_max)",
                             buffer / 1024);
}

static void
gather (IcsGatherer *self, GPtrArray *local, GInetSocketAddress *server)
{
  gboolean gathering = ics_nice_leg_gather (self->leg, local, server, self->config->turn);

  if (gathering)
    note_small_buffer (self);
  else
    ics_attempt_events_note (self->events, "no socket could be opened on any local address");
  self->done (gathering, self->user_data);
}

static gboolean
has_stun (const IcsGatherer *self)
{
  return self->config->stun != NULL && self->config->stun->transport == ICS_TURN_UDP;
}

static gboolean
needs_nat64 (const IcsGatherer *self)
{
  return self->config->family != 4 && ics_nat64_is_needed ();
}

static void
take_nat64 (IcsGatherer *self, const IcsNat64Prefix *nat64)
{
  g_autoptr (GInetAddress) prefix = NULL;
  g_autofree char *text = NULL;

  if (nat64 == NULL)
    return;
  self->nat64 = *nat64;
  prefix = g_inet_address_new_from_bytes (nat64->bytes, G_SOCKET_FAMILY_IPV6);
  text = g_inet_address_to_string (prefix);
  ics_attempt_events_note (self->events, "IPv4 through this network's NAT64, %s/%u", text, nat64->length);
}

static void
on_stun_found (const IcsServerFound *found, gpointer user_data)
{
  IcsGatherer *self = user_data;

  self->lookup = NULL;
  take_nat64 (self, found->nat64);
  if (found->server == NULL && has_stun (self))
    ics_attempt_events_note (self->events, "the STUN server %s is not to be had: %s",
                             self->config->stun->host, found->reason);
  gather (self, self->local, found->server);
}

/* One local address, or libnice asks for a relay from each. */
static void
on_turn_found (const IcsServerFound *found, gpointer user_data)
{
  IcsGatherer *self = user_data;
  g_autoptr (GPtrArray) local = g_ptr_array_new ();

  self->lookup = NULL;
  take_nat64 (self, found->nat64);
  if (found->server != NULL)
    {
      self->server = g_object_ref (found->server);
      g_ptr_array_add (local, found->source);
      gather (self, local, found->server);
      return;
    }
  ics_attempt_events_note (self->events, "the TURN server %s is not to be had: %s", self->config->turn->host,
                           found->reason);
  self->done (FALSE, self->user_data);
}

/* @server: NULL for the NAT64's prefix alone. */
static void
start_lookup (IcsGatherer *self, const IcsTurnServer *server, guint timeout_ms, IcsServerLookupFunc done)
{
  IcsServerLookupConfig config = { .family = self->config->family,
                                   .context = self->config->context,
                                   .timeout_ms = timeout_ms,
                                   .nat64 = needs_nat64 (self) };

  if (server != NULL)
    {
      config.host = server->host;
      config.port = server->port;
    }
  self->lookup = ics_server_lookup_start (&config, done, self);
}

static void
start_direct (IcsGatherer *self)
{
  if (self->local->len == 0)
    {
      ics_attempt_events_note (self->events, "this host has no address to connect from");
      self->done (FALSE, self->user_data);
    }
  else if (has_stun (self) || needs_nat64 (self))
    start_lookup (self, has_stun (self) ? self->config->stun : NULL, STUN_LOOKUP_MS, on_stun_found);
  else
    gather (self, self->local, NULL);
}

static void
gather_through_tunnel (IcsGatherer *self)
{
  g_autoptr (GPtrArray) local = g_ptr_array_new_with_free_func (g_object_unref);
  GInetAddress *loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) server = g_inet_socket_address_new (loopback, self->tunnel);

  g_ptr_array_add (local, loopback);
  gather (self, local, G_INET_SOCKET_ADDRESS (server));
}

static void
start_relay (IcsGatherer *self)
{
  const IcsTurnServer *turn = self->config->turn;
  g_autofree char *uri = ics_turn_server_to_uri (turn);

  if (turn->username == NULL || turn->password == NULL)
    ics_attempt_events_note (self->events, "%s cannot be used: no credentials for it", uri);
  else if (turn->transport != ICS_TURN_UDP && self->tunnel == 0)
    ics_attempt_events_note (self->events, "%s cannot be used: nothing leads there", uri);
  else if (turn->transport != ICS_TURN_UDP)
    {
      gather_through_tunnel (self);
      return;
    }
  else
    {
      start_lookup (self, turn, TURN_LOOKUP_MS, on_turn_found);
      return;
    }
  self->done (FALSE, self->user_data);
}

void
ics_gatherer_set_tunnel (IcsGatherer *self, guint16 port)
{
  self->tunnel = port;
}

GInetSocketAddress *
ics_gatherer_get_server (IcsGatherer *self)
{
  return self->server;
}

const IcsNat64Prefix *
ics_gatherer_get_nat64 (IcsGatherer *self)
{
  return self->nat64.length != 0 ? &self->nat64 : NULL;
}

void
ics_gatherer_start (IcsGatherer *self, IcsGathererFunc done, gpointer user_data)
{
  self->done = done;
  self->user_data = user_data;
  if (self->config->relay_only)
    start_relay (self);
  else
    start_direct (self);
}
