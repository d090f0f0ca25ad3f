/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/tcp-attempt-private.h"
#include <string.h>

/* What goes over the connections: checks on all of them, datagrams on the selected one. */

void
ics_tcp_traffic_check (IcsTcpLink *link, gboolean nominate)
{
  guint8 check[ICS_STUN_MESSAGE_MAX];
  gsize len = ics_stun_peer_write_check (link->attempt->stun, nominate, check, link->check_id);

  link->checking = TRUE;
  link->checked_at = g_get_monotonic_time ();
  link->nominating = nominate;
  ics_tcp_connection_send_small (link->connection, check, len);
}

static void
on_answer (IcsTcpLink *link, gint64 now, const IcsStunInput *input)
{
  IcsTcpAttempt *self = link->attempt;

  /* An answer to what another connection was asked proves nothing about this one. */
  if (!link->checking || memcmp (input->id, link->check_id, ICS_STUN_ID_LEN) != 0)
    {
      self->dropped++;
      return;
    }
  link->checking = FALSE;
  link->rtt_us = link->rtt_us > 0 ? MIN (link->rtt_us, now - link->checked_at) : now - link->checked_at;
  if (link == self->selected)
    ics_consent_answered (&self->consent, now);
  else
    ics_tcp_race_answered (self->race, now, link->number, link->nominating);
}

static void
drop_link (IcsTcpLink *link, gint64 now)
{
  IcsTcpAttempt *self = link->attempt;
  guint number = link->number;

  self->dropped++;
  g_hash_table_remove (self->links, GUINT_TO_POINTER (number));
  ics_tcp_race_closed (self->race, now, number);
}

/* Who is not the peer gets no answer, and no second chance. */
static void
take_stun (IcsTcpLink *link, const guint8 *data, gsize len)
{
  IcsTcpAttempt *self = link->attempt;
  gint64 now = g_get_monotonic_time ();
  IcsStunInput input;

  ics_stun_peer_read (self->stun, data, len, &link->remote.any, &input);
  switch (input.type)
    {
    case ICS_STUN_DROPPED:
      if (link == self->selected)
        self->dropped++;
      else
        drop_link (link, now);
      break;
    case ICS_STUN_REQUEST:
      ics_tcp_connection_send_small (link->connection, input.reply, input.reply_len);
      ics_tcp_race_asked (self->race, now, link->number, input.nominated);
      break;
    case ICS_STUN_ANSWER:
      on_answer (link, now, &input);
      break;
    }
  ics_tcp_links_run (self);
}

void
ics_tcp_traffic_take (IcsTcpLink *link, const guint8 *data, gsize len)
{
  IcsTcpAttempt *self = link->attempt;

  if (ics_stun_matches (data, len) || link != self->selected)
    take_stun (link, data, len);
  else if (len > 0)
    ics_attempt_events_received (self->parent.events, data, len, len);
}

void
ics_tcp_traffic_handle_timeout (IcsTcpAttempt *self, gint64 now)
{
  if (self->selected == NULL)
    return;
  switch (ics_consent_handle_timeout (&self->consent, now))
    {
    case ICS_CONSENT_WAIT:
      break;
    case ICS_CONSENT_CHECK:
      ics_tcp_traffic_check (self->selected, TRUE);
      break;
    case ICS_CONSENT_LOST:
      ics_traversal_lose_consent (&self->parent);
      break;
    }
}

IcsSendResult
ics_tcp_attempt_send_segments (IcsTraversal *traversal, const guint8 *data, gsize len, gsize segment,
                               gsize *taken)
{
  IcsTcpAttempt *self = (IcsTcpAttempt *)traversal;

  if (self->selected == NULL)
    return ICS_SEND_FAILED;
  return ics_tcp_connection_send (self->selected->connection, data, len, segment, taken);
}

GInetAddress *
ics_tcp_attempt_get_base (IcsTraversal *traversal)
{
  IcsTcpAttempt *self = (IcsTcpAttempt *)traversal;

  return self->selected != NULL ? ics_tcp_connection_get_base (self->selected->connection) : NULL;
}

gboolean
ics_tcp_attempt_get_pair (IcsTraversal *traversal, IcsIcePair *pair)
{
  IcsTcpAttempt *self = (IcsTcpAttempt *)traversal;
  const char *type;

  if (self->selected == NULL)
    return FALSE;
  pair->local = ics_tcp_connection_get_local (self->selected->connection);
  pair->remote = ics_sockaddr_to_endpoint (&self->selected->remote.any);
  type = ics_remote_offer_find (self->parent.remote, pair->remote);
  pair->local_type = "host";
  pair->remote_type = type != NULL ? type : "prflx";
  pair->transport = "tcp";
  return TRUE;
}

void
ics_tcp_attempt_confirm_consent (IcsTraversal *traversal, gint64 asked_at)
{
  IcsTcpAttempt *self = (IcsTcpAttempt *)traversal;

  if (self->selected != NULL)
    ics_consent_answered (&self->consent, asked_at);
}
