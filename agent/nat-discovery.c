/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/nat-discovery.h"
#include "agent/address-scope.h"
#include "agent/nat-discovery-private.h"
#include <string.h>

/* A host whose packets get lost cannot tell silence from loss. */
#define LOSSES_MAX 1

IcsNatDiscovery *
ics_nat_discovery_new (const IcsNatDiscoveryConfig *config, gint64 now)
{
  IcsNatDiscovery *self = g_new0 (IcsNatDiscovery, 1);

  self->config = *config;
  self->config.n_servers = MIN (config->n_servers, ICS_NAT_SERVERS_MAX);
  self->ends_at = now + ICS_NAT_DISCOVERY_LONGEST;
  ics_nat_behavior_init (&self->behavior);
  ics_stun_transaction_init_agent (&self->agent);
  ics_nat_discovery_handle_timeout (self, now);
  return self;
}

void
ics_nat_discovery_free (IcsNatDiscovery *self)
{
  g_free (self);
}

/* --- conclusions --- */

static gboolean
is_silent (const IcsNatDiscovery *self, IcsNatAsk ask)
{
  return self->asks[ask].state == ICS_STUN_SILENT;
}

/* RFC 5780 §4.4. Silence counts only where the one who should have spoken has been heard, and little is lost
 * on the way. */
static void
conclude_filtering (IcsNatDiscovery *self)
{
  gboolean reliable = self->losses <= LOSSES_MAX && ics_nat_is_answered (self, ICS_NAT_ASK_OTHER_BOTH);

  if (ics_nat_is_answered (self, ICS_NAT_ASK_CHANGE_BOTH))
    self->behavior.filtering = ICS_NAT_ENDPOINT_INDEPENDENT;
  else if (reliable && is_silent (self, ICS_NAT_ASK_CHANGE_BOTH)
           && ics_nat_is_answered (self, ICS_NAT_ASK_CHANGE_PORT))
    self->behavior.filtering = ICS_NAT_ADDRESS_DEPENDENT;
  else if (reliable && is_silent (self, ICS_NAT_ASK_CHANGE_BOTH) && is_silent (self, ICS_NAT_ASK_CHANGE_PORT)
           && ics_nat_is_answered (self, ICS_NAT_ASK_OTHER_PORT))
    self->behavior.filtering = ICS_NAT_ADDRESS_AND_PORT_DEPENDENT;
}

/* A mapping that depends on the destination is another one than the one that was asked. */
static void
conclude_hairpin (IcsNatDiscovery *self)
{
  if (self->hairpinned)
    self->behavior.hairpin = ICS_FACT_YES;
  else if (is_silent (self, ICS_NAT_ASK_SELF) && is_silent (self, ICS_NAT_ASK_SELF_BACK)
           && self->losses <= LOSSES_MAX && self->behavior.mapping == ICS_NAT_ENDPOINT_INDEPENDENT)
    self->behavior.hairpin = ICS_FACT_NO;
}

/* What has not come to its end by itself concludes nothing. */
static void
give_up (IcsNatDiscovery *self)
{
  for (guint i = 0; i < ICS_NAT_N_ASKS; i++)
    if (self->asks[i].state == ICS_STUN_ASKING)
      {
        ics_stun_transaction_cancel (&self->asks[i], &self->agent);
        self->asks[i].state = ICS_STUN_IDLE;
      }
}

static void
finish (IcsNatDiscovery *self)
{
  give_up (self);
  self->step = ICS_NAT_STEP_DONE;
  conclude_filtering (self);
  conclude_hairpin (self);
}

static void
advance (IcsNatDiscovery *self, gint64 now)
{
  if (self->step == ICS_NAT_STEP_SERVERS && ics_nat_discovery_step_servers (self, now))
    {
      if (self->behavior.answered == ICS_FACT_UNKNOWN && self->config.n_servers > 0)
        self->behavior.answered = ICS_FACT_NO;
      if (!ics_nat_discovery_choose_server (self))
        finish (self);
      else
        self->step = ICS_NAT_STEP_SOCKETS;
    }
  if (self->step == ICS_NAT_STEP_SOCKETS && ics_nat_discovery_step_sockets (self, now))
    self->step = ICS_NAT_STEP_TESTS;
  if (self->step == ICS_NAT_STEP_TESTS && ics_nat_discovery_step_tests (self, now))
    finish (self);
}

/* --- the verbs --- */

/* Karn's rule: the answer to a repeated question may be to any of the repeats. */
static void
note_timing (IcsNatDiscovery *self, gint64 now, const IcsStunTransaction *ask)
{
  gint64 rtt = now - ask->sent_at;

  self->slowest = MAX (self->slowest, now - ask->started_at);
  if (ask->sent == 1)
    self->behavior.rtt = self->behavior.rtt < 0 ? rtt : MIN (rtt, self->behavior.rtt);
  else if (self->step != ICS_NAT_STEP_SERVERS)
    self->losses += ask->sent - 1;
}

/* No server sees a host under such an address, but one on the same machine. */
static gboolean
can_be_mapped (const IcsSockaddr *mapped, const IcsSockaddr *server)
{
  IcsAddressScope scope = ics_address_scope (mapped);

  return mapped->any.sa_family == server->any.sa_family && scope != ICS_SCOPE_NONE
         && (scope != ICS_SCOPE_LOOPBACK || ics_address_scope (server) == ICS_SCOPE_LOOPBACK);
}

static void
note_mapped (IcsNatDiscovery *self, IcsNatAsk ask)
{
  const IcsStunTransaction *transaction = &self->asks[ask];
  IcsNatObservation seen = { .socket = self->sockets[ask],
                             .local = self->config.local[self->sockets[ask]],
                             .server = transaction->question.to,
                             .mapped = self->replies[ask].mapped };

  if (transaction->question.change == ICS_STUN_CHANGE_NONE && can_be_mapped (&seen.mapped, &seen.server))
    ics_nat_behavior_observe (&self->behavior, &seen);
}

static gboolean
read_answer (IcsNatDiscovery *self, gint64 now, IcsNatAsk ask, const guint8 *data, gsize len,
             const IcsSockaddr *from)
{
  IcsStunTransaction *transaction = &self->asks[ask];

  if (!ics_stun_transaction_read (transaction, &self->agent, data, len, from, &self->replies[ask]))
    return FALSE;
  self->behavior.answered = ICS_FACT_YES;
  if (transaction->state == ICS_STUN_ANSWERED)
    {
      note_timing (self, now, transaction);
      note_mapped (self, ask);
    }
  return TRUE;
}

static gboolean
read_hairpin (IcsNatDiscovery *self, IcsNatSocket socket, const guint8 *data, gsize len)
{
  IcsNatAsk ask = socket == ICS_NAT_SOCKET_MAPPING ? ICS_NAT_ASK_SELF : ICS_NAT_ASK_SELF_BACK;

  if (socket == ICS_NAT_SOCKET_FILTERING || !ics_stun_transaction_is_request (&self->asks[ask], data, len))
    return FALSE;
  self->hairpinned = TRUE;
  ics_stun_transaction_cancel (&self->asks[ICS_NAT_ASK_SELF], &self->agent);
  ics_stun_transaction_cancel (&self->asks[ICS_NAT_ASK_SELF_BACK], &self->agent);
  return TRUE;
}

void
ics_nat_discovery_handle_input (IcsNatDiscovery *self, gint64 now, IcsNatSocket socket, const guint8 *data,
                                gsize len, const struct sockaddr *from)
{
  gboolean known = FALSE;
  IcsSockaddr source;

  if (self->step == ICS_NAT_STEP_DONE || !ics_sockaddr_set (&source, from))
    return;
  for (guint i = 0; i < ICS_NAT_ASK_SELF && !known; i++)
    known = self->sockets[i] == socket && read_answer (self, now, i, data, len, &source);
  if (known || read_hairpin (self, socket, data, len))
    advance (self, now);
  else
    self->dropped++;
}

void
ics_nat_discovery_handle_timeout (IcsNatDiscovery *self, gint64 now)
{
  for (guint i = 0; i < ICS_NAT_N_ASKS; i++)
    ics_stun_transaction_handle_timeout (&self->asks[i], &self->agent, now);
  if (self->step != ICS_NAT_STEP_DONE && now >= self->ends_at)
    finish (self);
  else
    advance (self, now);
}

gint64
ics_nat_discovery_next_timeout (const IcsNatDiscovery *self)
{
  gint64 next = self->ends_at;

  if (self->step == ICS_NAT_STEP_DONE)
    return G_MAXINT64;
  for (guint i = 0; i < ICS_NAT_N_ASKS; i++)
    next = MIN (next, ics_stun_transaction_next_timeout (&self->asks[i]));
  for (guint i = 1; self->step == ICS_NAT_STEP_SERVERS && i < self->config.n_servers; i++)
    if (ics_nat_is_idle (self, ICS_NAT_ASK_SERVER + i) && !ics_nat_is_idle (self, ICS_NAT_ASK_SERVER + i - 1))
      next = MIN (next, self->asks[ICS_NAT_ASK_SERVER + i - 1].started_at + ICS_STUN_RTO);
  return next;
}

gboolean
ics_nat_discovery_poll (IcsNatDiscovery *self, gint64 now, IcsNatPacket *packet)
{
  for (guint i = 0; i < ICS_NAT_N_ASKS; i++)
    if (ics_stun_transaction_poll (&self->asks[i], now))
      {
        packet->socket = self->sockets[i];
        packet->to = self->asks[i].question.to;
        packet->len = self->asks[i].len;
        memcpy (packet->data, self->asks[i].data, self->asks[i].len);
        return TRUE;
      }
  return FALSE;
}

const IcsNatBehavior *
ics_nat_discovery_get (const IcsNatDiscovery *self)
{
  return &self->behavior;
}

gboolean
ics_nat_discovery_is_done (const IcsNatDiscovery *self)
{
  return self->step == ICS_NAT_STEP_DONE;
}

guint64
ics_nat_discovery_get_dropped (const IcsNatDiscovery *self)
{
  return self->dropped;
}
