/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/udp-endpoint-private.h"

/* So that other sources of the context get their turn. */
#define DATAGRAMS_PER_DISPATCH 1024

static void
on_answer (IcsUdpEndpoint *self, gint64 now, const IcsFlow *flow, const IcsStunInput *input)
{
  if (ics_flow_table_answered (&self->flows, now, flow, input->id))
    {
      g_autofree char *remote = ics_sockaddr_to_endpoint (&flow->remote.any);

      ics_udp_endpoint_note (self, "the peer is at %s now", remote);
      ics_consent_answered (&self->consent, now);
      /* Which nominates it. */
      ics_consent_ask (&self->consent, now);
      ics_udp_endpoint_follow_blocked (self);
      self->hooks.moved (flow, self->user_data);
    }
  else if (ics_flow_equal (flow, &self->flows.current))
    {
      ics_flow_table_heard (&self->flows, now, flow);
      ics_consent_answered (&self->consent, now);
    }
}

static void
receive_stun (IcsUdpEndpoint *self, gint64 now, const IcsFlow *flow, const guint8 *data, gsize len)
{
  IcsStunInput input;

  ics_stun_peer_read (self->stun, data, len, &flow->remote.any, &input);
  switch (input.type)
    {
    case ICS_STUN_DROPPED:
      self->dropped++;
      return;
    case ICS_STUN_REQUEST:
      ics_udp_endpoint_send_stun (self, flow, input.reply, input.reply_len);
      ics_flow_table_heard_check (&self->flows, now, flow, input.nominated);
      break;
    case ICS_STUN_ANSWER:
      on_answer (self, now, flow, &input);
      break;
    }
  self->slots[flow->socket].heard_at = now;
}

/* What is on top authenticates its datagrams, so those from an address that is being asked can be let
 * through: the first round trip after a change of address is not lost. */
static gboolean
is_acceptable (IcsUdpEndpoint *self, gint64 now, const IcsFlow *flow)
{
  gboolean acceptable = ics_flow_table_heard (&self->flows, now, flow) != ICS_FLOW_UNKNOWN;

  if (acceptable)
    self->slots[flow->socket].heard_at = now;
  return acceptable;
}

/* The bytes from @at on up to the next datagram that is STUN's. */
static gsize
get_run (const IcsUdpMessage *message, gsize at)
{
  gsize end = at;

  while (end < message->len
         && !ics_stun_matches (message->data + end, MIN (message->segment, message->len - end)))
    end += message->segment;
  return MIN (end, message->len) - at;
}

static void
take_message (IcsUdpEndpoint *self, gint64 now, const IcsUdpMessage *message)
{
  const IcsFlow *flow = &message->from;

  if (!ics_flow_equal (flow, &self->flows.current) && self->hooks.allows != NULL
      && !self->hooks.allows (&flow->remote.any, self->user_data))
    {
      self->dropped++;
      return;
    }
  for (gsize at = 0, len; at < message->len && !self->stopped; at += len)
    {
      const guint8 *data = message->data + at;

      len = MIN (message->segment, message->len - at);
      if (ics_stun_matches (data, len))
        {
          receive_stun (self, now, flow, data, len);
          continue;
        }
      len = get_run (message, at);
      if (is_acceptable (self, now, flow))
        self->hooks.received (data, len, message->segment, self->user_data);
      else
        self->dropped += (len + message->segment - 1) / message->segment;
    }
}

/* Returns how many datagrams came. */
static gsize
receive_batch (IcsUdpEndpoint *self, gint64 now, guint socket)
{
  guint n = ics_udp_batch_receive (self->batch, self->slots[socket].socket);
  gsize datagrams = 0;

  for (guint i = 0; i < n && !self->stopped; i++)
    {
      IcsUdpMessage message;

      ics_udp_batch_get (self->batch, i, &message);
      message.from.socket = socket;
      datagrams += 1 + (message.segment > 0 ? message.len / message.segment : 0);
      take_message (self, now, &message);
    }
  return datagrams;
}

void
ics_udp_endpoint_receive (IcsUdpEndpoint *self, gint64 now, guint socket)
{
  gsize total = 0, some;

  do
    {
      some = receive_batch (self, now, socket);
      total += some;
    }
  while (some > 0 && total < DATAGRAMS_PER_DISPATCH && !self->stopped);
}
