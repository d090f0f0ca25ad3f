/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/address-scope.h"
#include "agent/local-addresses.h"
#include "agent/punch-attempt-private.h"
#include <sodium.h>
#include <string.h>

#define LOOKUP_MS 3000

void
ics_punch_attempt_fail (IcsPunchAttempt *self, const char *why)
{
  ics_attempt_events_note (self->parent.events, "%s", why);
  g_clear_pointer (&self->sockets, ics_punch_sockets_free);
  ics_traversal_set_state (&self->parent, ICS_ICE_FAILED);
}

/* --- the search --- */

void
ics_punch_attempt_make_search (IcsPunchAttempt *self)
{
  const IcsPunchConfig config = { .role = self->parent.config.opens ? ICS_PUNCH_OPENER : ICS_PUNCH_PROBER,
                                  .controlling = self->parent.config.controlling,
                                  .credentials = { self->parent.ufrag, self->parent.pwd,
                                                   ics_remote_offer_get_ufrag (self->parent.remote),
                                                   ics_remote_offer_get_pwd (self->parent.remote) },
                                  .n_sockets = self->n_sockets,
                                  .seed = randombytes_random () };

  self->search = ics_punch_search_new (&config);
}

/* The peer's candidates at its first address: one host is searched, not a list of the peer's choice. */
static guint
get_targets (IcsPunchAttempt *self, IcsFlow targets[ICS_PUNCH_TARGETS_MAX])
{
  const IcsRemoteCandidateList *offered = ics_remote_offer_get_candidates (self->parent.remote);
  guint n = 0;

  for (guint i = 0; i < offered->len && n < ICS_PUNCH_TARGETS_MAX; i++)
    {
      const IcsRemoteCandidate *candidate = &offered->items[i];
      IcsFlow *target = &targets[n];

      if (candidate->type != ICS_CANDIDATE_SRFLX
          || !g_str_equal (candidate->address, offered->items[0].address))
        continue;
      *target = (IcsFlow){ 0 };
      ics_sockaddr_parse (&target->remote, candidate->address, candidate->port);
      n++;
    }
  return n;
}

/* On the internet, or as near as this host's own outside address is: no peer has hosts of this network probed
 * that it does not share. What is near is not behind a NAT64. */
static gboolean
may_search (const IcsPunchAttempt *self, const IcsFlow *target)
{
  IcsAddressScope scope = ics_address_scope (&target->remote);

  return scope == ICS_SCOPE_GLOBAL || (self->nat64.length == 0 && scope == ics_address_scope (&self->mapped));
}

void
ics_punch_attempt_start_search (IcsPunchAttempt *self, gint64 now)
{
  IcsFlow targets[ICS_PUNCH_TARGETS_MAX];
  guint n = get_targets (self, targets), random = 0;
  g_autofree char *first = n > 0 ? ics_sockaddr_to_endpoint (&targets[0].remote.any) : NULL;

  if (n == 0 || !may_search (self, &targets[0]))
    {
      ics_punch_attempt_fail (self, "the peer has told no address where it can be searched for");
      return;
    }
  if (self->parent.config.opens)
    ics_attempt_events_note (self->parent.events, "opening %u mappings towards %s", self->n_sockets, first);
  else if (n > 1)
    ics_attempt_events_note (self->parent.events, "probing %u predicted ports from %s on", n, first);
  else
    {
      random = ICS_PUNCH_PROBES_MAX;
      ics_attempt_events_note (self->parent.events, "probing up to %u random ports of %s", random, first);
    }
  ics_punch_search_start (self->search, now, targets, n, random);
}

static void
on_found (IcsPunchAttempt *self)
{
  const IcsFlow *found = ics_punch_search_get_found (self->search);
  int fd = ics_punch_sockets_steal (self->sockets, self->first + found->socket);

  if (self->parent.config.opens)
    ics_attempt_events_note (self->parent.events, "the search found a pair");
  else
    ics_attempt_events_note (self->parent.events, "the search found a pair after %u probes",
                             ics_punch_search_get_probes (self->search));
  g_clear_pointer (&self->sockets, ics_punch_sockets_free);
  ics_punch_traffic_start (self, fd, found);
  ics_traversal_set_state (&self->parent, ICS_ICE_CONNECTED);
}

static void
on_search_failed (IcsPunchAttempt *self)
{
  g_autofree char *text = self->parent.config.opens
                              ? g_strdup ("the search ended without an answer")
                              : g_strdup_printf ("the search ended after %u probes without an answer",
                                                 ics_punch_search_get_probes (self->search));

  ics_punch_attempt_fail (self, text);
}

/* The opener surveys as late as can be: a prediction does not last. */
static void
consider_survey (IcsPunchAttempt *self, gint64 now)
{
  gboolean peer_known = ics_remote_offer_get_ufrag (self->parent.remote) != NULL
                        && ics_remote_offer_get_candidates (self->parent.remote)->len > 0;

  if (self->sockets != NULL && self->survey == NULL && !self->surveyed
      && (!self->parent.config.opens || peer_known))
    ics_punch_offer_start (self, now);
}

/* --- time --- */

/* The prober takes what comes from the credentials on, and begins when the opener is ready. */
static void
consider_probing (IcsPunchAttempt *self, gint64 now)
{
  if (self->parent.config.opens || !self->surveyed
      || ics_remote_offer_get_ufrag (self->parent.remote) == NULL)
    return;
  if (self->search == NULL)
    ics_punch_attempt_make_search (self);
  if (ics_remote_offer_has_ended (self->parent.remote)
      && ics_punch_search_get_state (self->search) == ICS_PUNCH_WAITING)
    ics_punch_attempt_start_search (self, now);
}

static void
drive_search (IcsPunchAttempt *self, gint64 now)
{
  IcsPunchPacket packet;

  while (ics_punch_search_poll (self->search, now, &packet))
    ics_punch_sockets_send (self->sockets, self->first + packet.flow.socket, &packet.flow.remote.any,
                            packet.data, packet.len);
  if (ics_punch_search_is_open (self->search))
    ics_punch_offer_end (self);
  switch (ics_punch_search_get_state (self->search))
    {
    case ICS_PUNCH_WAITING:
    case ICS_PUNCH_SEARCHING:
      break;
    case ICS_PUNCH_FOUND:
      on_found (self);
      break;
    case ICS_PUNCH_FAILED:
      on_search_failed (self);
      break;
    }
}

static void
rearm (IcsPunchAttempt *self)
{
  gint64 next = self->limit_at;

  if (self->survey != NULL)
    next = MIN (next, ics_punch_survey_next_timeout (self->survey));
  if (self->search != NULL)
    next = MIN (next, ics_punch_search_next_timeout (self->search));
  ics_punch_sockets_set_timeout (self->sockets, next);
}

/* The sockets are gone when the search is over. */
static void
step (IcsPunchAttempt *self, gint64 now)
{
  if (self->sockets != NULL)
    consider_survey (self, now);
  if (self->sockets != NULL && self->survey != NULL)
    ics_punch_offer_drive (self, now);
  if (self->sockets != NULL)
    consider_probing (self, now);
  if (self->sockets != NULL && self->search != NULL)
    drive_search (self, now);
  if (self->sockets != NULL && now >= self->limit_at)
    ics_punch_attempt_fail (self, "the search took too long");
  if (self->sockets != NULL)
    rearm (self);
}

static void
on_timeout (gint64 now, gpointer user_data)
{
  step (user_data, now);
}

static void
on_received (guint socket, const guint8 *data, gsize len, const struct sockaddr *from, gpointer user_data)
{
  IcsPunchAttempt *self = user_data;
  IcsFlow flow = { .socket = socket - self->first };
  IcsPunchPacket reply;

  if (self->survey != NULL)
    ics_punch_survey_receive (self->survey, socket, data, len, from);
  if (self->search == NULL || socket < self->first)
    return;
  ics_sockaddr_set (&flow.remote, from);
  if (ics_punch_search_receive (self->search, g_get_monotonic_time (), &flow, data, len, &reply))
    ics_punch_sockets_send (self->sockets, socket, &reply.flow.remote.any, reply.data, reply.len);
}

/* --- the start --- */

static void
on_server (const IcsServerFound *found, gpointer user_data)
{
  static const IcsPunchSocketsHooks hooks = { .received = on_received, .timeout = on_timeout };
  IcsPunchAttempt *self = user_data;
  g_autoptr (GSocketAddress) local = NULL;
  IcsSockaddr server;

  self->lookup = NULL;
  if (found->server == NULL)
    {
      g_autofree char *why = g_strdup_printf ("the STUN server %s is not to be had: %s",
                                              self->parent.config.stun->host, found->reason);

      ics_punch_attempt_fail (self, why);
      return;
    }
  if (found->nat64 != NULL)
    self->nat64 = *found->nat64;
  ics_remote_offer_set_nat64 (self->parent.remote, &self->nat64);
  local = g_inet_socket_address_new (found->source, 0);
  g_socket_address_to_native (G_SOCKET_ADDRESS (found->server), &server, sizeof server, NULL);
  ics_nat64_inwards (&self->nat64, &server.any, &self->server);
  g_socket_address_to_native (local, &self->source, sizeof self->source, NULL);
  self->sockets = ics_punch_sockets_new (&hooks, self, &self->nat64, self->parent.config.context);
  step (self, g_get_monotonic_time ());
}

static gboolean
start (IcsTraversal *traversal, GError **error)
{
  IcsPunchAttempt *self = (IcsPunchAttempt *)traversal;
  IcsServerLookupConfig config
      = { .family = 4, .context = self->parent.config.context, .timeout_ms = LOOKUP_MS };

  if (self->parent.config.stun == NULL || self->limit_at != 0)
    {
      g_set_error_literal (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT, "A search needs a STUN server");
      return FALSE;
    }
  config.host = self->parent.config.stun->host;
  config.port = self->parent.config.stun->port;
  config.nat64 = self->parent.config.family != 4 && ics_nat64_is_needed ();
  self->limit_at = g_get_monotonic_time () + (gint64)self->parent.config.limit_ms * G_TIME_SPAN_MILLISECOND;
  self->lookup = ics_server_lookup_start (&config, on_server, self);
  return TRUE;
}

static void
something_came (IcsTraversal *traversal)
{
  step ((IcsPunchAttempt *)traversal, g_get_monotonic_time ());
}

/* --- from birth to death --- */

static void
stop (IcsTraversal *traversal)
{
  IcsPunchAttempt *self = (IcsPunchAttempt *)traversal;

  g_clear_pointer (&self->lookup, ics_server_lookup_cancel);
  g_clear_pointer (&self->sockets, ics_punch_sockets_free);
  ics_attempt_endpoint_close (&self->udp);
}

static void
clear (IcsTraversal *traversal)
{
  IcsPunchAttempt *self = (IcsPunchAttempt *)traversal;

  g_clear_pointer (&self->survey, ics_punch_survey_free);
  g_clear_pointer (&self->search, ics_punch_search_free);
  ics_attempt_endpoint_clear (&self->udp);
}

static const IcsTraversalClass punch_class = {
  .start = start,
  .credentials_came = something_came,
  .candidate_came = something_came,
  .candidates_ended = something_came,
  .send_segments = ics_punch_traffic_send_segments,
  .get_base = ics_punch_traffic_get_base,
  .confirm_consent = ics_punch_traffic_confirm_consent,
  .get_pair = ics_punch_traffic_get_pair,
  .stop = stop,
  .clear = clear,
};

IcsTraversal *
ics_punch_attempt_new (const IcsIceConfig *config, const IcsIceCallbacks *callbacks, gpointer user_data)
{
  IcsPunchAttempt *self = ics_traversal_new (&punch_class, sizeof *self, config, callbacks, user_data);
  g_autoptr (GPtrArray) local = ics_local_addresses_get (config->family);
  IcsCandidateRules rules = { .family = 4 };

  ics_traversal_make_credentials (&self->parent);
  rules.allow_loopback = local->len > 0 && g_inet_address_get_is_loopback (g_ptr_array_index (local, 0));
  self->parent.remote = ics_remote_offer_new (&rules, self->parent.events);
  return &self->parent;
}
