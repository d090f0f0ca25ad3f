/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/tcp-gatherer.h"
#include "agent/local-addresses.h"
#include "agent/server-lookup.h"
#include "agent/tcp-mapping.h"

#define LOOKUP_MS 3000
/* RFC 6544 §4.2, RFC 8445 §5.1.2: the type, the direction (a NAT in between favours simultaneous open), then
 * the order in which they are found. */
#define TYPE_HOST 126u
#define TYPE_SRFLX 100u
#define DIRECTION_HOST_SO 2u
#define DIRECTION_SRFLX_SO 6u
#define OTHER_MAX 8191u

struct _IcsTcpGatherer
{
  const IcsIceConfig *config;
  IcsAttemptEvents *events;
  guint16 port4, port6;
  GPtrArray *local; /* GInetAddress */
  IcsServerLookup *lookup;
  IcsNat64Prefix nat64;
  IcsTcpMapping *mapping;
  char *base; /* where the question to the server comes from, without the port */
  guint16 base_port;
  guint n_candidates;
  IcsTcpGathererFunc done;
  gpointer user_data;
};

IcsTcpGatherer *
ics_tcp_gatherer_new (const IcsIceConfig *config, IcsAttemptEvents *events, IcsTcpGathererFunc done,
                      gpointer user_data)
{
  IcsTcpGatherer *self = g_new0 (IcsTcpGatherer, 1);

  self->config = config;
  self->events = events;
  self->done = done;
  self->user_data = user_data;
  self->local = ics_local_addresses_get (config->family);
  return self;
}

void
ics_tcp_gatherer_free (IcsTcpGatherer *self)
{
  if (self->lookup != NULL)
    ics_server_lookup_cancel (self->lookup);
  g_clear_pointer (&self->mapping, ics_tcp_mapping_free);
  g_ptr_array_unref (self->local);
  g_free (self->base);
  g_free (self);
}

gboolean
ics_tcp_gatherer_has_only_loopback (const IcsTcpGatherer *self)
{
  return self->local->len > 0 && g_inet_address_get_is_loopback (self->local->pdata[0]);
}

static guint32
priority (IcsTcpGatherer *self, IcsCandidateType type)
{
  guint32 other = OTHER_MAX - MIN (self->n_candidates, OTHER_MAX);
  guint32 direction = type == ICS_CANDIDATE_HOST ? DIRECTION_HOST_SO : DIRECTION_SRFLX_SO;

  return (type == ICS_CANDIDATE_HOST ? TYPE_HOST : TYPE_SRFLX) << 24 | (direction << 13 | other) << 8 | 255u;
}

/* Every local port listens and connects: all candidates are for simultaneous open, which is also to be had by
 * connecting to them. */
static void
tell (IcsTcpGatherer *self, IcsCandidateType type, const char *address, guint16 port, const char *related)
{
  g_autofree char *line
      = g_strdup_printf ("candidate:%u 1 TCP %u %s %u typ %s%s tcptype so", self->n_candidates + 1,
                         priority (self, type), address, port, ics_candidate_type_to_string (type), related);

  self->n_candidates++;
  ics_attempt_events_note (self->events, "gathered %s tcp %s port %u", ics_candidate_type_to_string (type),
                           address, port);
  ics_attempt_events_candidate (self->events, line);
}

static void
tell_hosts (IcsTcpGatherer *self)
{
  for (guint i = 0; i < self->local->len; i++)
    {
      g_autofree char *text = g_inet_address_to_string (self->local->pdata[i]);
      guint16 port = g_inet_address_get_family (self->local->pdata[i]) == G_SOCKET_FAMILY_IPV6 ? self->port6
                                                                                               : self->port4;

      if (port != 0)
        tell (self, ICS_CANDIDATE_HOST, text, port, "");
    }
}

static void
on_mapped (const IcsSockaddr *mapped, const char *reason, gpointer user_data)
{
  IcsTcpGatherer *self = user_data;

  if (mapped != NULL)
    {
      g_autoptr (GInetAddress) address = ics_sockaddr_to_inet (mapped);
      g_autofree char *text = g_inet_address_to_string (address);
      g_autofree char *related = g_strdup_printf (" raddr %s rport %u", self->base, self->base_port);
      guint16 port = ics_sockaddr_get_port (mapped);

      if (port != self->base_port || !g_str_equal (text, self->base))
        tell (self, ICS_CANDIDATE_SRFLX, text, port, related);
    }
  else
    ics_attempt_events_note (self->events, "no address from %s over TCP: %s", self->config->stun->host,
                             reason);
  self->done (self->user_data);
}

static void
ask (IcsTcpGatherer *self, const IcsServerFound *found)
{
  IcsSockaddr address;

  g_socket_address_to_native (G_SOCKET_ADDRESS (found->server), &address, sizeof address, NULL);
  self->base = g_inet_address_to_string (found->source);
  self->base_port = address.any.sa_family == AF_INET6 ? self->port6 : self->port4;
  self->mapping = ics_tcp_mapping_new (self->base_port, &address, self->config->context, on_mapped, self);
}

static void
on_server_found (const IcsServerFound *found, gpointer user_data)
{
  IcsTcpGatherer *self = user_data;

  self->lookup = NULL;
  if (found->nat64 != NULL)
    self->nat64 = *found->nat64;
  if (found->server != NULL)
    {
      ask (self, found);
      return;
    }
  if (self->config->stun != NULL)
    ics_attempt_events_note (self->events, "the STUN server %s is not to be had: %s",
                             self->config->stun->host, found->reason);
  self->done (self->user_data);
}

void
ics_tcp_gatherer_start (IcsTcpGatherer *self, guint16 port4, guint16 port6)
{
  const IcsTurnServer *stun = self->config->stun;
  IcsServerLookupConfig lookup
      = { .family = self->config->family, .context = self->config->context, .timeout_ms = LOOKUP_MS };

  self->port4 = port4;
  self->port6 = port6;
  tell_hosts (self);
  /* Behind a translator is no LAN. */
  lookup.nat64 = self->config->family != 4 && !self->config->host_only && ics_nat64_is_needed ();
  if (stun == NULL && !lookup.nat64)
    {
      self->done (self->user_data);
      return;
    }
  if (stun != NULL)
    {
      lookup.host = stun->host;
      lookup.port = stun->port;
    }
  self->lookup = ics_server_lookup_start (&lookup, on_server_found, self);
}

const IcsNat64Prefix *
ics_tcp_gatherer_get_nat64 (const IcsTcpGatherer *self)
{
  return &self->nat64;
}
