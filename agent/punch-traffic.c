/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/punch-attempt-private.h"

/* What goes over the pair that a search has found. */

/* The endpoint sends by itself, so it is told what to write on the socket. */
void
ics_punch_traffic_start (IcsPunchAttempt *self, int fd, const IcsFlow *found)
{
  g_autoptr (GArray) fds = g_array_new (FALSE, FALSE, sizeof (int));
  IcsFlow flow = { .socket = 0 };

  g_array_append_val (fds, fd);
  ics_nat64_outwards (&self->nat64, &found->remote.any, &flow.remote);
  ics_attempt_endpoint_open (&self->udp, &self->parent, fds, &flow, NULL);
  ics_attempt_endpoint_name_pair (&self->udp, &flow);
  ics_udp_endpoint_start (self->udp.endpoint);
}

IcsSendResult
ics_punch_traffic_send_segments (IcsTraversal *traversal, const guint8 *data, gsize len, gsize segment,
                                 gsize *taken)
{
  return ics_udp_endpoint_send (((IcsPunchAttempt *)traversal)->udp.endpoint, data, len, segment, taken);
}

GInetAddress *
ics_punch_traffic_get_base (IcsTraversal *traversal)
{
  IcsPunchAttempt *self = (IcsPunchAttempt *)traversal;

  return self->udp.endpoint != NULL ? ics_udp_endpoint_get_base (self->udp.endpoint) : NULL;
}

void
ics_punch_traffic_confirm_consent (IcsTraversal *traversal, gint64 asked_at)
{
  IcsPunchAttempt *self = (IcsPunchAttempt *)traversal;

  if (self->udp.endpoint != NULL)
    ics_udp_endpoint_confirm_consent (self->udp.endpoint, asked_at);
}

gboolean
ics_punch_traffic_get_pair (IcsTraversal *traversal, IcsIcePair *pair)
{
  IcsPunchAttempt *self = (IcsPunchAttempt *)traversal;

  if (self->udp.endpoint != NULL)
    ics_attempt_endpoint_get_pair (&self->udp, pair);
  return self->udp.endpoint != NULL;
}
