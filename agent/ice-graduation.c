/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/ice-attempt-private.h"

/* The proven pair of a direct attempt leaves libnice. */

#define STABLE_MIN_US (500 * G_TIME_SPAN_MILLISECOND)
#define STABLE_RTTS 4

/* --- what the endpoint says --- */

static void
on_received (const guint8 *data, gsize len, gsize segment, gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  ics_attempt_events_received (self->events, data, len, segment);
}

static void
on_writable (gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  ics_attempt_events_writable (self->events);
}

static void
on_down (gboolean down, gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  ics_attempt_events_down (self->events, down);
}

/* One that the peer has not offered was made by a NAT: peer-reflexive (RFC 8445 §7.3.1.3). */
static void
on_moved (const IcsFlow *flow, gpointer user_data)
{
  IcsIceAttempt *self = user_data;
  const char *type;

  g_free (self->pair.remote);
  self->pair.remote = ics_sockaddr_to_endpoint (&flow->remote.any);
  type = ics_remote_offer_find (self->remote, self->pair.remote);
  self->pair.remote_type = type != NULL ? type : "prflx";
  if (flow->socket != self->pair_socket)
    {
      self->pair_socket = flow->socket;
      g_free (self->pair.local);
      self->pair.local = ics_udp_endpoint_get_local (self->endpoint, flow->socket);
      self->pair.local_type = "host";
    }
  ics_attempt_events_note (self->events, "pair %s -> %s (%s, %s)", self->pair.local, self->pair.remote,
                           self->pair.local_type, self->pair.remote_type);
  ics_attempt_events_roamed (self->events);
}

static void
on_lost (gpointer user_data)
{
  ics_ice_attempt_set_state (user_data, ICS_ICE_FAILED);
}

static void
on_note (const char *line, gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  ics_attempt_events_note (self->events, "%s", line);
}

static void
on_closing (guint socket, gpointer user_data)
{
  IcsIceAttempt *self = user_data;
  g_autofree char *endpoint = ics_udp_endpoint_get_local (self->endpoint, socket);

  if (self->mapper != NULL)
    ics_port_mapper_drop (self->mapper, endpoint);
}

/* Policy "lan" knows the peer's host candidates only. */
static gboolean
allows_offered (const struct sockaddr *remote, gpointer user_data)
{
  IcsIceAttempt *self = user_data;
  g_autofree char *endpoint = ics_sockaddr_to_endpoint (remote);

  return ics_remote_offer_find (self->remote, endpoint) != NULL;
}

/* --- the step --- */

static void
on_leg_closed (gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  self->leg = NULL;
  ics_udp_endpoint_start (self->endpoint);
}

static void
make_endpoint (IcsIceAttempt *self, GArray *fds, const IcsFlow *flow)
{
  IcsUdpEndpointConfig config = { .fds = fds,
                                  .flow = *flow,
                                  .credentials = { .local_ufrag = self->ufrag,
                                                   .local_pwd = self->pwd,
                                                   .remote_ufrag = ics_remote_offer_get_ufrag (self->remote),
                                                   .remote_pwd = ics_remote_offer_get_pwd (self->remote) },
                                  .controlling = self->config.controlling,
                                  .plain = self->config.plain_udp,
                                  .context = self->config.context };
  IcsUdpEndpointHooks hooks = { .received = on_received,
                                .writable = on_writable,
                                .down = on_down,
                                .moved = on_moved,
                                .lost = on_lost,
                                .closing = on_closing,
                                .note = on_note,
                                .allows = self->config.host_only ? allows_offered : NULL };

  self->pair_socket = flow->socket;
  self->endpoint = ics_udp_endpoint_new (&config, &hooks, self);
  g_array_unref (fds);
}

static void
graduate (IcsIceAttempt *self)
{
  IcsIcePair pair = { 0 };
  IcsFlow flow = { 0 };
  GArray *fds;

  if (self->state != ICS_ICE_CONNECTED || !ics_ice_attempt_get_pair (&self->traversal, &pair))
    return;
  fds = ics_nice_leg_retire (self->leg, &flow, on_leg_closed, self);
  if (fds == NULL)
    {
      ics_attempt_events_note (self->events, "the pair stays with libnice: it has no socket of its own");
      ics_ice_pair_clear (&pair);
      return;
    }
  self->pair = pair;
  g_clear_pointer (&self->gatherer, ics_gatherer_free);
  ics_ice_traffic_stop_consent (self);
  make_endpoint (self, fds, &flow);
}

/* --- when --- */

static gboolean
on_due (gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  ics_ice_graduation_stop (self);
  graduate (self);
  return G_SOURCE_REMOVE;
}

/* Not here and now: the caller may be a signal of libnice, which goes on to use its stream. */
static void
plan (IcsIceAttempt *self)
{
  gint64 now = g_get_monotonic_time (), due = self->pair_since + self->stable_us;

  ics_ice_graduation_stop (self);
  if (ics_nice_leg_is_ready (self->leg))
    due = now;
  self->graduation = g_timeout_source_new ((guint)((MAX (due - now, 0) + 999) / 1000));
  g_source_set_callback (self->graduation, on_due, self, NULL);
  g_source_attach (self->graduation, self->config.context);
}

void
ics_ice_attempt_graduate (IcsTraversal *traversal, gint64 rtt_us)
{
  IcsIceAttempt *self = (IcsIceAttempt *)traversal;

  if (self->config.relay_only || self->config.one_hop || self->state != ICS_ICE_CONNECTED
      || self->endpoint != NULL || self->stable_us != 0)
    return;
  self->stable_us = MAX (STABLE_MIN_US, STABLE_RTTS * rtt_us);
  plan (self);
}

gboolean
ics_ice_attempt_has_graduated (IcsTraversal *traversal)
{
  IcsIceAttempt *self = (IcsIceAttempt *)traversal;

  return self->endpoint != NULL;
}

void
ics_ice_graduation_consider (IcsIceAttempt *self)
{
  if (self->stable_us != 0 && self->endpoint == NULL)
    plan (self);
}

void
ics_ice_graduation_stop (IcsIceAttempt *self)
{
  if (self->graduation == NULL)
    return;
  g_source_destroy (self->graduation);
  g_clear_pointer (&self->graduation, g_source_unref);
}
