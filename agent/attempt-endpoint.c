/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/attempt-endpoint.h"

static void
on_received (const guint8 *data, gsize len, gsize segment, gpointer user_data)
{
  IcsAttemptEndpoint *self = user_data;

  ics_attempt_events_received (self->traversal->events, data, len, segment);
}

static void
on_writable (gpointer user_data)
{
  IcsAttemptEndpoint *self = user_data;

  ics_attempt_events_writable (self->traversal->events);
}

static void
on_down (gboolean down, gpointer user_data)
{
  IcsAttemptEndpoint *self = user_data;

  ics_attempt_events_down (self->traversal->events, down);
}

static void
on_moved (const IcsFlow *flow, gpointer user_data)
{
  IcsAttemptEndpoint *self = user_data;

  ics_attempt_endpoint_name_pair (self, flow);
  ics_attempt_events_roamed (self->traversal->events);
}

static void
on_lost (gpointer user_data)
{
  IcsAttemptEndpoint *self = user_data;

  ics_traversal_set_state (self->traversal, ICS_ICE_FAILED);
}

static void
on_closing (guint socket, gpointer user_data)
{
  IcsAttemptEndpoint *self = user_data;

  if (self->closing != NULL)
    self->closing (socket, self->traversal);
}

static void
on_note (const char *line, gpointer user_data)
{
  IcsAttemptEndpoint *self = user_data;

  ics_attempt_events_note (self->traversal->events, "%s", line);
}

/* Policy "lan" knows the peer's host candidates only. */
static gboolean
allows_offered (const struct sockaddr *remote, gpointer user_data)
{
  IcsAttemptEndpoint *self = user_data;
  g_autofree char *endpoint = ics_sockaddr_to_endpoint (remote);

  return ics_remote_offer_find (self->traversal->remote, endpoint) != NULL;
}

void
ics_attempt_endpoint_open (IcsAttemptEndpoint *self, IcsTraversal *traversal, GArray *fds,
                           const IcsFlow *flow, void (*closing) (guint socket, gpointer attempt))
{
  IcsUdpEndpointConfig config
      = { .fds = fds,
          .flow = *flow,
          .credentials = { .local_ufrag = traversal->ufrag,
                           .local_pwd = traversal->pwd,
                           .remote_ufrag = ics_remote_offer_get_ufrag (traversal->remote),
                           .remote_pwd = ics_remote_offer_get_pwd (traversal->remote) },
          .controlling = traversal->config.controlling,
          .plain = traversal->config.plain_udp,
          .context = traversal->config.context };
  IcsUdpEndpointHooks hooks = { .received = on_received,
                                .writable = on_writable,
                                .down = on_down,
                                .moved = on_moved,
                                .lost = on_lost,
                                .closing = on_closing,
                                .note = on_note,
                                .allows = traversal->config.host_only ? allows_offered : NULL };

  self->traversal = traversal;
  self->closing = closing;
  self->socket = flow->socket;
  self->endpoint = ics_udp_endpoint_new (&config, &hooks, self);
}

void
ics_attempt_endpoint_close (IcsAttemptEndpoint *self)
{
  g_clear_pointer (&self->endpoint, ics_udp_endpoint_free);
}

void
ics_attempt_endpoint_clear (IcsAttemptEndpoint *self)
{
  ics_attempt_endpoint_close (self);
  ics_ice_pair_clear (&self->pair);
}

/* One that the peer has not offered was made by a NAT: peer-reflexive (RFC 8445 §7.3.1.3). */
void
ics_attempt_endpoint_name_pair (IcsAttemptEndpoint *self, const IcsFlow *flow)
{
  IcsIcePair *pair = &self->pair;
  const char *type;

  g_free (pair->remote);
  pair->remote = ics_sockaddr_to_endpoint (&flow->remote.any);
  type = ics_remote_offer_find (self->traversal->remote, pair->remote);
  pair->remote_type = type != NULL ? type : "prflx";
  if (pair->local == NULL || flow->socket != self->socket)
    {
      self->socket = flow->socket;
      g_free (pair->local);
      pair->local = ics_udp_endpoint_get_local (self->endpoint, flow->socket);
      pair->local_type = "host";
      pair->transport = "udp";
    }
  ics_attempt_events_note (self->traversal->events, "pair %s -> %s (%s, %s)", pair->local, pair->remote,
                           pair->local_type, pair->remote_type);
}

void
ics_attempt_endpoint_get_pair (const IcsAttemptEndpoint *self, IcsIcePair *pair)
{
  *pair = self->pair;
  pair->local = g_strdup (pair->local);
  pair->remote = g_strdup (pair->remote);
}
