/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/punch-attempt-private.h"

/* What goes over the pair that a search has found. */

static void
on_received (const guint8 *data, gsize len, gsize segment, gpointer user_data)
{
  IcsPunchAttempt *self = user_data;

  ics_attempt_events_received (self->events, data, len, segment);
}

static void
on_writable (gpointer user_data)
{
  IcsPunchAttempt *self = user_data;

  ics_attempt_events_writable (self->events);
}

static void
on_down (gboolean down, gpointer user_data)
{
  IcsPunchAttempt *self = user_data;

  ics_attempt_events_down (self->events, down);
}

static void
set_remote (IcsPunchAttempt *self, const IcsFlow *flow)
{
  const char *type;

  g_free (self->pair.remote);
  self->pair.remote = ics_sockaddr_to_endpoint (&flow->remote.any);
  type = ics_remote_offer_find (self->remote, self->pair.remote);
  self->pair.remote_type = type != NULL ? type : "prflx";
  ics_attempt_events_note (self->events, "pair %s -> %s (%s, %s)", self->pair.local, self->pair.remote,
                           self->pair.local_type, self->pair.remote_type);
}

static void
on_moved (const IcsFlow *flow, gpointer user_data)
{
  IcsPunchAttempt *self = user_data;

  set_remote (self, flow);
  ics_attempt_events_roamed (self->events);
}

static void
on_lost (gpointer user_data)
{
  ics_punch_attempt_set_state (user_data, ICS_ICE_FAILED);
}

static void
on_note (const char *line, gpointer user_data)
{
  IcsPunchAttempt *self = user_data;

  ics_attempt_events_note (self->events, "%s", line);
}

static const IcsUdpEndpointHooks hooks = {
  .received = on_received,
  .writable = on_writable,
  .down = on_down,
  .moved = on_moved,
  .lost = on_lost,
  .note = on_note,
};

/* The endpoint sends by itself, so it is told what to write on the socket. */
void
ics_punch_traffic_start (IcsPunchAttempt *self, int fd, const IcsFlow *found)
{
  g_autoptr (GArray) fds = g_array_new (FALSE, FALSE, sizeof (int));
  IcsUdpEndpointConfig config = { .fds = fds,
                                  .credentials = { .local_ufrag = self->ufrag,
                                                   .local_pwd = self->pwd,
                                                   .remote_ufrag = ics_remote_offer_get_ufrag (self->remote),
                                                   .remote_pwd = ics_remote_offer_get_pwd (self->remote) },
                                  .controlling = self->config.controlling,
                                  .plain = self->config.plain_udp,
                                  .context = self->config.context };

  g_array_append_val (fds, fd);
  ics_nat64_outwards (&self->nat64, &found->remote.any, &config.flow.remote);
  self->endpoint = ics_udp_endpoint_new (&config, &hooks, self);
  self->pair.local = ics_udp_endpoint_get_local (self->endpoint, 0);
  self->pair.local_type = "host";
  self->pair.transport = "udp";
  set_remote (self, &config.flow);
  ics_udp_endpoint_start (self->endpoint);
}

IcsSendResult
ics_punch_traffic_send_segments (IcsTraversal *traversal, const guint8 *data, gsize len, gsize segment,
                                 gsize *taken)
{
  IcsPunchAttempt *self = (IcsPunchAttempt *)traversal;

  *taken = len;
  if (self->state != ICS_ICE_CONNECTED)
    return ICS_SEND_FAILED;
  return ics_udp_endpoint_send (self->endpoint, data, len, segment, taken);
}

GInetAddress *
ics_punch_traffic_get_base (IcsTraversal *traversal)
{
  IcsPunchAttempt *self = (IcsPunchAttempt *)traversal;

  return self->endpoint != NULL ? ics_udp_endpoint_get_base (self->endpoint) : NULL;
}

void
ics_punch_traffic_confirm_consent (IcsTraversal *traversal, gint64 asked_at)
{
  IcsPunchAttempt *self = (IcsPunchAttempt *)traversal;

  /* What a peer says of the future is not to be believed. */
  if (self->endpoint != NULL)
    ics_udp_endpoint_confirm_consent (self->endpoint, MIN (asked_at, g_get_monotonic_time ()));
}

gboolean
ics_punch_traffic_get_pair (IcsTraversal *traversal, IcsIcePair *pair)
{
  IcsPunchAttempt *self = (IcsPunchAttempt *)traversal;

  if (self->endpoint == NULL)
    return FALSE;
  *pair = self->pair;
  pair->local = g_strdup (pair->local);
  pair->remote = g_strdup (pair->remote);
  return TRUE;
}
