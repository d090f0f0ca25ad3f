/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/nat64-address.h"
#include "agent/stream-frame.h"
#include "agent/tcp-attempt-private.h"
#include <glib-unix.h>
#include <unistd.h>

/* The connections of an attempt, as the race wants them. */

/* Connections that are accepted at a time, so that other sources of the context get their turn. */
#define ACCEPTS_PER_DISPATCH 16

/* --- one connection --- */

static void
link_free (gpointer data)
{
  IcsTcpLink *link = data;

  g_clear_pointer (&link->connection, ics_tcp_connection_free);
  g_free (link);
}

static void
on_opened (gpointer user_data)
{
  IcsTcpLink *link = user_data;
  IcsTcpAttempt *self = link->attempt;

  ics_tcp_race_opened (self->race, g_get_monotonic_time (), link->number);
  ics_tcp_links_run (self);
}

static void
on_frame (const guint8 *data, gsize len, gpointer user_data)
{
  ics_tcp_traffic_take (user_data, data, len);
}

static void
on_writable (gpointer user_data)
{
  IcsTcpLink *link = user_data;

  if (link == link->attempt->selected)
    ics_attempt_events_writable (link->attempt->parent.events);
}

static void
on_closed (const char *reason, gpointer user_data)
{
  IcsTcpLink *link = user_data;
  IcsTcpAttempt *self = link->attempt;
  guint number = link->number;

  if (link == self->selected)
    {
      ics_attempt_events_note (self->parent.events, "the connection is gone: %s", reason);
      self->selected = NULL;
    }
  g_hash_table_remove (self->links, GUINT_TO_POINTER (number));
  ics_tcp_race_closed (self->race, g_get_monotonic_time (), number);
  ics_tcp_links_run (self);
}

static const IcsTcpConnectionHooks hooks
    = { .opened = on_opened, .frame = on_frame, .writable = on_writable, .closed = on_closed };

static void
add_link (IcsTcpAttempt *self, guint number, int fd, gboolean connecting, const IcsSockaddr *remote)
{
  IcsTcpLink *link = g_new0 (IcsTcpLink, 1);

  link->attempt = self;
  link->number = number;
  link->remote = *remote;
  link->connection
      = ics_tcp_connection_new (fd, connecting, ICS_STUN_MESSAGE_MAX, self->parent.config.context);
  ics_tcp_connection_set_hooks (link->connection, &hooks, link);
  g_hash_table_insert (self->links, GUINT_TO_POINTER (number), link);
}

GHashTable *
ics_tcp_links_new (void)
{
  return g_hash_table_new_full (NULL, NULL, NULL, link_free);
}

void
ics_tcp_links_close_all (IcsTcpAttempt *self)
{
  self->selected = NULL;
  g_hash_table_remove_all (self->links);
}

/* --- what comes in --- */

/* With policy "lan" from where the peer says it is, port and all; else from one of its addresses, as a NAT
 * may change the port. Others may come as well, but count for less. */
static gboolean
is_expected (IcsTcpAttempt *self, const IcsSockaddr *from)
{
  const IcsRemoteCandidateList *offer = ics_remote_offer_get_candidates (self->parent.remote);
  IcsSockaddr sender, offered;

  ics_nat64_inwards (&self->nat64, &from->any, &sender);
  for (guint i = 0; i < offer->len; i++)
    if (ics_sockaddr_parse (&offered, offer->items[i].address, offer->items[i].port)
        && ics_sockaddr_equal (&offered, &sender, self->parent.config.host_only))
      return TRUE;
  return FALSE;
}

static guint
admit (IcsTcpAttempt *self, const IcsSockaddr *from)
{
  gboolean expected = is_expected (self, from);

  if (self->stun == NULL || (self->parent.config.host_only && !expected))
    return 0;
  return ics_tcp_race_accepted (self->race, g_get_monotonic_time (), expected);
}

static gboolean
on_incoming (int fd, G_GNUC_UNUSED GIOCondition condition, gpointer user_data)
{
  IcsTcpListener *listener = user_data;
  IcsTcpAttempt *self = listener->attempt;

  for (guint i = 0; i < ACCEPTS_PER_DISPATCH; i++)
    {
      IcsSockaddr from = { 0 };
      int accepted = ics_tcp_socket_accept (fd, &from);
      guint number;

      if (accepted < 0)
        break;
      number = admit (self, &from);
      if (number != 0)
        add_link (self, number, accepted, FALSE, &from);
      else
        close (accepted);
    }
  ics_tcp_links_run (self);
  return G_SOURCE_CONTINUE;
}

static void
listen_on (IcsTcpAttempt *self, IcsTcpListener *listener, int family)
{
  listener->attempt = self;
  if (self->parent.config.family != 0 && self->parent.config.family != family)
    return;
  listener->fd = ics_tcp_socket_listen (family, &listener->port);
  if (listener->fd < 0)
    return;
  listener->source = g_unix_fd_source_new (listener->fd, G_IO_IN);
  g_source_set_callback (listener->source, G_SOURCE_FUNC (on_incoming), listener, NULL);
  g_source_attach (listener->source, self->parent.config.context);
}

gboolean
ics_tcp_links_listen (IcsTcpAttempt *self)
{
  listen_on (self, &self->listeners[0], 4);
  listen_on (self, &self->listeners[1], 6);
  return self->listeners[0].fd >= 0 || self->listeners[1].fd >= 0;
}

void
ics_tcp_links_stop_listening (IcsTcpAttempt *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->listeners); i++)
    {
      IcsTcpListener *listener = &self->listeners[i];

      if (listener->source == NULL)
        continue;
      g_source_destroy (listener->source);
      g_clear_pointer (&listener->source, g_source_unref);
      close (listener->fd);
      listener->fd = -1;
    }
}

/* --- what the race wants --- */

/* An active candidate connects, and can not be connected to (RFC 6544 §4.5). */
void
ics_tcp_links_add_targets (IcsTcpAttempt *self)
{
  const IcsRemoteCandidateList *offer = ics_remote_offer_get_candidates (self->parent.remote);

  for (; self->n_seen < offer->len; self->n_seen++)
    if (offer->items[self->n_seen].tcptype != ICS_TCPTYPE_ACTIVE && ics_tcp_race_add_target (self->race))
      g_array_append_val (self->targets, self->n_seen);
}

/* Behind a NAT64 the address is one of the other family, unless that would be another machine. */
static void
find_way (IcsTcpAttempt *self, const IcsRemoteCandidate *candidate, IcsSockaddr *to)
{
  IcsRemoteCandidate translated;

  if (self->nat64.length != 0 && ics_remote_candidate_translate (candidate, &self->nat64, &translated))
    candidate = &translated;
  ics_sockaddr_parse (to, candidate->address, candidate->port);
}

/* One that exists already, because the peer was first, can not be made again: that one is as good. */
static void
connect_to (IcsTcpAttempt *self, const IcsTcpRaceAction *action)
{
  guint place = g_array_index (self->targets, guint, action->target);
  const IcsRemoteCandidate *candidate = &ics_remote_offer_get_candidates (self->parent.remote)->items[place];
  const IcsTcpListener *listener;
  IcsSockaddr to;
  int fd = -1;

  find_way (self, candidate, &to);
  listener = &self->listeners[to.any.sa_family == AF_INET6 ? 1 : 0];
  if (listener->fd >= 0)
    fd = ics_tcp_socket_connect (listener->port, &to);
  if (fd >= 0)
    add_link (self, action->conn, fd, TRUE, &to);
  else
    ics_tcp_race_closed (self->race, g_get_monotonic_time (), action->conn);
}

static void
select_link (IcsTcpAttempt *self, IcsTcpLink *link)
{
  g_autofree char *local = ics_tcp_connection_get_local (link->connection);
  g_autofree char *remote = ics_sockaddr_to_endpoint (&link->remote.any);
  const char *control = ics_tcp_connection_mend_congestion (link->connection, link->rtt_us);

  self->selected = link;
  ics_tcp_connection_set_max (link->connection, ICS_FRAME_MAX);
  ics_consent_init (&self->consent, g_get_monotonic_time (), self->random);
  ics_tcp_links_stop_listening (self);
  g_clear_pointer (&self->gatherer, ics_tcp_gatherer_free);
  ics_attempt_events_note (self->parent.events, "connection %s -> %s selected", local, remote);
  if (control != NULL)
    ics_attempt_events_note (self->parent.events, "BBR would go by a false round-trip time: %s instead",
                             control);
  ics_traversal_set_state (&self->parent, ICS_ICE_CONNECTED);
}

static void
fail (IcsTcpAttempt *self)
{
  if (self->parent.state != ICS_ICE_CONNECTED)
    ics_attempt_events_note (self->parent.events, "no connection came about");
  ics_tcp_links_stop_listening (self);
  ics_traversal_set_state (&self->parent, ICS_ICE_FAILED);
}

static void
carry_out (IcsTcpAttempt *self, const IcsTcpRaceAction *action)
{
  IcsTcpLink *link = g_hash_table_lookup (self->links, GUINT_TO_POINTER (action->conn));

  switch (action->type)
    {
    case ICS_TCP_RACE_CONNECT:
      connect_to (self, action);
      break;
    case ICS_TCP_RACE_CHECK:
      if (link != NULL)
        ics_tcp_traffic_check (link, action->nominate);
      break;
    case ICS_TCP_RACE_CLOSE:
      if (link == self->selected)
        self->selected = NULL;
      g_hash_table_remove (self->links, GUINT_TO_POINTER (action->conn));
      break;
    case ICS_TCP_RACE_SELECTED:
      if (link != NULL)
        select_link (self, link);
      break;
    case ICS_TCP_RACE_FAILED:
      fail (self);
      break;
    }
}

void
ics_tcp_links_run (IcsTcpAttempt *self)
{
  IcsTcpRaceAction action;

  while (ics_tcp_race_poll (self->race, &action))
    carry_out (self, &action);
  ics_tcp_attempt_rearm (self);
}
