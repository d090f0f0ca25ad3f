/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/address-scope.h"
#include "agent/nat-discovery-private.h"

#define RTO_MAX G_TIME_SPAN_SECOND

static gboolean
is_over (const IcsNatDiscovery *self, IcsNatAsk ask)
{
  return self->asks[ask].state > ICS_STUN_ASKING;
}

/* RFC 8489 §6.2.1: 500 ms at least, and no repeats before an answer can be here. */
static gint64
retransmission_timeout (const IcsNatDiscovery *self)
{
  return CLAMP (2 * self->slowest, ICS_STUN_RTO, RTO_MAX);
}

static void
start (IcsNatDiscovery *self, gint64 now, IcsNatAsk ask, IcsNatSocket socket, IcsStunQuestion question)
{
  question.rto = retransmission_timeout (self);
  self->sockets[ask] = socket;
  ics_stun_transaction_start (&self->asks[ask], &self->agent, &question, now);
}

/* Asks @to; the answer comes from there. */
static void
start_plain (IcsNatDiscovery *self, gint64 now, IcsNatAsk ask, IcsNatSocket socket, const IcsSockaddr *to)
{
  start (self, now, ask, socket, (IcsStunQuestion){ .to = *to, .from = *to });
}

/* --- what the servers are asked for --- */

static const IcsSockaddr *
primary (const IcsNatDiscovery *self)
{
  return &self->config.servers[self->server];
}

static const IcsSockaddr *
other (const IcsNatDiscovery *self)
{
  return &self->replies[self->server].other;
}

/* A server names addresses; this host sends a few packets there, if such a server could be there: not on this
 * host, nor in its network when the server is outside. */
static gboolean
may_send_to (const IcsNatDiscovery *self, const IcsSockaddr *named, const IcsSockaddr *server)
{
  if (named->any.sa_family != server->any.sa_family || ics_sockaddr_get_port (named) == 0
      || ics_address_scope (named) == ICS_SCOPE_NONE
      || ics_address_scope (named) != ics_address_scope (server))
    return FALSE;
  return !ics_sockaddr_equal (named, &self->config.local[ICS_NAT_SOCKET_MAPPING], FALSE);
}

/* RFC 5780 §7.4: both the address and the port differ. */
static gboolean
has_usable_other (const IcsNatDiscovery *self, guint server)
{
  const IcsSockaddr *address = &self->config.servers[server];
  const IcsStunReply *reply = &self->replies[server];

  return ics_nat_is_answered (self, ICS_NAT_ASK_SERVER + server) && reply->has_other
         && may_send_to (self, &reply->other, address) && !ics_sockaddr_equal (&reply->other, address, FALSE)
         && ics_sockaddr_get_port (&reply->other) != ics_sockaddr_get_port (address)
         && !ics_sockaddr_equal (&reply->other, &reply->mapped, FALSE);
}

/* FALSE if none has answered. */
gboolean
ics_nat_discovery_choose_server (IcsNatDiscovery *self)
{
  for (guint i = 0; i < self->config.n_servers; i++)
    if (has_usable_other (self, i))
      {
        self->server = i;
        return TRUE;
      }
  for (guint i = 0; i < self->config.n_servers; i++)
    if (ics_nat_is_answered (self, ICS_NAT_ASK_SERVER + i))
      {
        self->server = i;
        return TRUE;
      }
  return FALSE;
}

/* --- the steps; each returns TRUE when it is over --- */

/* The next server is asked when the one before has answered, or should have. */
gboolean
ics_nat_discovery_step_servers (IcsNatDiscovery *self, gint64 now)
{
  gboolean over = TRUE;

  for (guint i = 0; i < self->config.n_servers; i++)
    {
      gboolean turn = i == 0 || is_over (self, ICS_NAT_ASK_SERVER + i - 1)
                      || (!ics_nat_is_idle (self, ICS_NAT_ASK_SERVER + i - 1)
                          && now >= self->asks[ICS_NAT_ASK_SERVER + i - 1].started_at + ICS_STUN_RTO);

      if (ics_nat_is_idle (self, ICS_NAT_ASK_SERVER + i) && turn)
        start_plain (self, now, ICS_NAT_ASK_SERVER + i, ICS_NAT_SOCKET_MAPPING, &self->config.servers[i]);
      over = over && is_over (self, ICS_NAT_ASK_SERVER + i);
    }
  return over;
}

gboolean
ics_nat_discovery_step_sockets (IcsNatDiscovery *self, gint64 now)
{
  if (ics_nat_is_idle (self, ICS_NAT_ASK_FILTERING))
    start_plain (self, now, ICS_NAT_ASK_FILTERING, ICS_NAT_SOCKET_FILTERING, primary (self));
  if (is_over (self, ICS_NAT_ASK_FILTERING) && ics_nat_is_idle (self, ICS_NAT_ASK_HAIRPIN))
    start_plain (self, now, ICS_NAT_ASK_HAIRPIN, ICS_NAT_SOCKET_HAIRPIN, primary (self));
  return is_over (self, ICS_NAT_ASK_HAIRPIN);
}

/* In turn; and no further when the address is silent: somebody else may live there. */
static void
start_mapping_test (IcsNatDiscovery *self, gint64 now)
{
  IcsSockaddr to = *other (self);

  if (ics_nat_is_idle (self, ICS_NAT_ASK_OTHER_ADDRESS))
    {
      ics_sockaddr_set_port (&to, ics_sockaddr_get_port (primary (self)));
      start_plain (self, now, ICS_NAT_ASK_OTHER_ADDRESS, ICS_NAT_SOCKET_MAPPING, &to);
    }
  else if (ics_nat_is_answered (self, ICS_NAT_ASK_OTHER_ADDRESS)
           && ics_nat_is_idle (self, ICS_NAT_ASK_OTHER_BOTH))
    start_plain (self, now, ICS_NAT_ASK_OTHER_BOTH, ICS_NAT_SOCKET_MAPPING, &to);
  else if (ics_nat_is_answered (self, ICS_NAT_ASK_OTHER_BOTH)
           && ics_nat_is_idle (self, ICS_NAT_ASK_OTHER_PORT))
    {
      to = *primary (self);
      ics_sockaddr_set_port (&to, ics_sockaddr_get_port (other (self)));
      start_plain (self, now, ICS_NAT_ASK_OTHER_PORT, ICS_NAT_SOCKET_MAPPING, &to);
    }
}

/* Both at a time: the answer to the one opens no filter for the other. */
static void
start_filtering_tests (IcsNatDiscovery *self, gint64 now)
{
  IcsSockaddr alone = *primary (self);

  if (!ics_nat_is_answered (self, ICS_NAT_ASK_FILTERING) || !ics_nat_is_idle (self, ICS_NAT_ASK_CHANGE_BOTH)
      || self->config.no_filtering)
    return;
  ics_sockaddr_set_port (&alone, ics_sockaddr_get_port (other (self)));
  start (self, now, ICS_NAT_ASK_CHANGE_BOTH, ICS_NAT_SOCKET_FILTERING,
         (IcsStunQuestion){ .to = *primary (self),
                            .from = *other (self),
                            .change = ICS_STUN_CHANGE_IP | ICS_STUN_CHANGE_PORT });
  start (self, now, ICS_NAT_ASK_CHANGE_PORT, ICS_NAT_SOCKET_FILTERING,
         (IcsStunQuestion){ .to = *primary (self), .from = alone, .change = ICS_STUN_CHANGE_PORT });
}

/* Each socket to the mapping of the other, as the same server saw them. */
static void
start_hairpin_tests (IcsNatDiscovery *self, gint64 now)
{
  const IcsSockaddr *mapping = &self->replies[self->server].mapped;
  const IcsSockaddr *hairpin = &self->replies[ICS_NAT_ASK_HAIRPIN].mapped;

  if (!ics_nat_is_idle (self, ICS_NAT_ASK_SELF) || self->config.no_filtering
      || !ics_nat_is_answered (self, ICS_NAT_ASK_HAIRPIN) || self->behavior.translated != ICS_FACT_YES
      || !may_send_to (self, mapping, primary (self)) || !ics_sockaddr_equal (mapping, hairpin, FALSE)
      || ics_sockaddr_get_port (hairpin) == 0)
    return;
  start_plain (self, now, ICS_NAT_ASK_SELF, ICS_NAT_SOCKET_HAIRPIN, mapping);
  start_plain (self, now, ICS_NAT_ASK_SELF_BACK, ICS_NAT_SOCKET_MAPPING, hairpin);
}

gboolean
ics_nat_discovery_step_tests (IcsNatDiscovery *self, gint64 now)
{
  gboolean over = TRUE;

  if (has_usable_other (self, self->server))
    {
      start_mapping_test (self, now);
      start_filtering_tests (self, now);
    }
  start_hairpin_tests (self, now);
  for (guint i = 0; i < ICS_NAT_N_ASKS; i++)
    over = over && self->asks[i].state != ICS_STUN_ASKING;
  return over;
}
