/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/punch-search.h"
#include "agent/punch-pairs.h"
#include <string.h>

/* Predicted ports are asked so often, for packets get lost, and the opener's may come later. */
#define ROUNDS 5
#define ROUND_US (400 * G_TIME_SPAN_MILLISECOND)
/* A NAT may forget a mapping that only this host has used after 30 s (RFC 4787 §4.3 asks for two minutes). */
#define REFRESH_US (15 * G_USEC_PER_SEC)
/* So few sockets are no burden: they send as often as the prober does, and somewhat longer. */
#define FEW_SOCKETS ICS_PUNCH_TARGETS_MAX
#define FEW_ROUNDS (2 * ROUNDS)
/* Openers do not know when the prober is through; somebody tells them, or this. */
#define OPENER_LIMIT_US (30 * G_USEC_PER_SEC)

struct _IcsPunchSearch
{
  IcsPunchRole role;
  guint n_sockets;
  IcsPunchState state;
  GRand *random;
  IcsStunPeer *stun; /* answers, and checks pairs */
  IcsStunPeer *mass; /* writes what is sent in great number; nobody waits for the answers */
  IcsPunchPairs pairs;

  IcsFlow targets[ICS_PUNCH_TARGETS_MAX];
  guint n_targets;
  guint random_probes;
  guint round, at; /* what is next */
  gint64 send_at;
  gint64 end_at;
  guint probes;
  gboolean open;
  guint8 tried[65536 / 8];
};

IcsPunchSearch *
ics_punch_search_new (const IcsPunchConfig *config)
{
  IcsPunchSearch *self = g_new0 (IcsPunchSearch, 1);

  self->role = config->role;
  self->n_sockets
      = config->role == ICS_PUNCH_OPENER ? CLAMP (config->n_sockets, 1, ICS_PUNCH_SOCKETS_MAX) : 1;
  self->random = g_rand_new_with_seed (config->seed);
  self->stun = ics_stun_peer_new (&config->credentials, config->controlling);
  self->mass = ics_stun_peer_new (&config->credentials, config->controlling);
  self->send_at = self->end_at = G_MAXINT64;
  ics_punch_pairs_init (&self->pairs, config->controlling);
  return self;
}

void
ics_punch_search_free (IcsPunchSearch *self)
{
  ics_stun_peer_free (self->stun);
  ics_stun_peer_free (self->mass);
  g_rand_free (self->random);
  g_free (self);
}

void
ics_punch_search_start (IcsPunchSearch *self, gint64 now, const IcsFlow *targets, guint n_targets,
                        guint random_probes)
{
  if (self->state != ICS_PUNCH_WAITING || n_targets == 0)
    return;
  self->state = ICS_PUNCH_SEARCHING;
  self->n_targets = MIN (n_targets, ICS_PUNCH_TARGETS_MAX);
  memcpy (self->targets, targets, self->n_targets * sizeof *targets);
  self->random_probes = MIN (random_probes, ICS_PUNCH_PROBES_MAX);
  self->send_at = now;
  if (self->role == ICS_PUNCH_OPENER)
    self->end_at = now + OPENER_LIMIT_US;
}

/* --- in --- */

static void
find_end (IcsPunchSearch *self)
{
  if (ics_punch_pairs_get_selected (&self->pairs) != NULL)
    self->state = ICS_PUNCH_FOUND;
}

gboolean
ics_punch_search_receive (IcsPunchSearch *self, gint64 now, const IcsFlow *from, const guint8 *data,
                          gsize len, IcsPunchPacket *reply)
{
  IcsStunInput input;

  if (self->state == ICS_PUNCH_FAILED || !ics_stun_matches (data, len))
    return FALSE;
  ics_stun_peer_read (self->stun, data, len, &from->remote.any, &input);
  switch (input.type)
    {
    case ICS_STUN_DROPPED:
      return FALSE;
    case ICS_STUN_ANSWER:
      ics_punch_pairs_answered (&self->pairs, now, from, input.id);
      find_end (self);
      return FALSE;
    case ICS_STUN_REQUEST:
      ics_punch_pairs_heard (&self->pairs, now, from, input.nominated);
      find_end (self);
      reply->flow = *from;
      memcpy (reply->data, input.reply, input.reply_len);
      reply->len = input.reply_len;
      return TRUE;
    }
  return FALSE;
}

/* --- out --- */

/* Each port once. */
static guint16
draw_port (IcsPunchSearch *self)
{
  guint16 port;

  do
    port = (guint16)g_rand_int_range (self->random, ICS_PUNCH_PORT_MIN, 65536);
  while ((self->tried[port / 8] & 1u << port % 8) != 0);
  self->tried[port / 8] |= (guint8)(1u << port % 8);
  return port;
}

static void
plan_next (IcsPunchSearch *self, gint64 now)
{
  self->send_at
      = MAX (self->send_at + ICS_PUNCH_INTERVAL_US, now - (ICS_PUNCH_BURST - 1) * ICS_PUNCH_INTERVAL_US);
}

static void
end_round (IcsPunchSearch *self, gint64 now, gint64 pause)
{
  self->round++;
  self->at = 0;
  self->send_at = now + pause;
}

static void
end_probes (IcsPunchSearch *self, gint64 now)
{
  self->send_at = G_MAXINT64;
  self->end_at = now + ICS_PUNCH_GRACE_US;
}

static void
next_opener (IcsPunchSearch *self, gint64 now, IcsFlow *flow)
{
  *flow = self->targets[0];
  flow->socket = self->at++;
  plan_next (self, now);
  if (self->at < self->n_sockets)
    return;
  self->open = TRUE;
  end_round (self, now, self->n_sockets <= FEW_SOCKETS && self->round < FEW_ROUNDS ? ROUND_US : REFRESH_US);
}

static void
next_probe (IcsPunchSearch *self, gint64 now, IcsFlow *flow)
{
  *flow = self->targets[self->random_probes > 0 ? 0 : self->at];
  flow->socket = 0;
  self->probes++;
  plan_next (self, now);
  if (self->random_probes > 0)
    {
      ics_sockaddr_set_port (&flow->remote, draw_port (self));
      if (self->probes == self->random_probes)
        end_probes (self, now);
    }
  else if (++self->at == self->n_targets)
    {
      end_round (self, now, ROUND_US);
      if (self->round == ROUNDS)
        end_probes (self, now);
    }
}

/* While a pair is being checked nothing else is tried. */
static gboolean
may_search (const IcsPunchSearch *self)
{
  return self->state == ICS_PUNCH_SEARCHING && ics_punch_pairs_is_empty (&self->pairs);
}

static void
handle_timeout (IcsPunchSearch *self, gint64 now)
{
  ics_punch_pairs_handle_timeout (&self->pairs, now);
  if (may_search (self) && now >= self->end_at)
    self->state = ICS_PUNCH_FAILED;
}

gboolean
ics_punch_search_poll (IcsPunchSearch *self, gint64 now, IcsPunchPacket *packet)
{
  IcsPunchPair *pair;
  guint8 id[ICS_STUN_ID_LEN];

  if (self->state == ICS_PUNCH_FOUND || self->state == ICS_PUNCH_FAILED)
    return FALSE;
  handle_timeout (self, now);
  pair = ics_punch_pairs_poll (&self->pairs, now);
  if (pair != NULL)
    {
      packet->flow = pair->flow;
      packet->len = ics_stun_peer_write_check (self->stun, pair->nominating, packet->data, id);
      ics_punch_pair_asked (pair, now, id);
      return packet->len > 0;
    }
  if (!may_search (self) || now < self->send_at)
    return FALSE;
  if (self->role == ICS_PUNCH_OPENER)
    next_opener (self, now, &packet->flow);
  else
    next_probe (self, now, &packet->flow);
  packet->len = ics_stun_peer_write_check (self->mass, FALSE, packet->data, id);
  return packet->len > 0;
}

gint64
ics_punch_search_next_timeout (const IcsPunchSearch *self)
{
  if (self->state == ICS_PUNCH_FOUND || self->state == ICS_PUNCH_FAILED)
    return G_MAXINT64;
  if (!ics_punch_pairs_is_empty (&self->pairs))
    return ics_punch_pairs_next_timeout (&self->pairs);
  return self->state == ICS_PUNCH_SEARCHING ? MIN (self->send_at, self->end_at) : G_MAXINT64;
}

/* --- questions --- */

IcsPunchState
ics_punch_search_get_state (const IcsPunchSearch *self)
{
  return self->state;
}

const IcsFlow *
ics_punch_search_get_found (const IcsPunchSearch *self)
{
  return ics_punch_pairs_get_selected (&self->pairs);
}

gboolean
ics_punch_search_is_open (const IcsPunchSearch *self)
{
  return self->open;
}

guint
ics_punch_search_get_probes (const IcsPunchSearch *self)
{
  return self->probes;
}

double
ics_punch_search_chance (guint mappings, guint probes)
{
  double miss = 1;

  for (guint i = 0; i < probes; i++)
    miss *= (double)(ICS_PUNCH_PORTS - mappings - i) / (ICS_PUNCH_PORTS - i);
  return 1 - miss;
}
