/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/nat-prober.h"
#include "agent/server-lookup.h"
#include "session/engine-legs.h"
#include "session/search-memory.h"

/* What the hosts know of their NATs, and whether the joiner has a search made. */

#define LOOKUP_MS 3000
/* Networks that change, or a peer that says so, make no more than one discovery in this time. */
#define LOOK_GAP_US G_USEC_PER_SEC
/* ICE alone has got through by then, if it can. */
#define ICE_FIRST_US (2 * G_USEC_PER_SEC)

struct _IcsEngineSearch
{
  gint64 look_at, looked_at;
  IcsServerLookup *lookup;
  IcsNatProber *prober;
  IcsNatTraits own, peer;
  gboolean own_known, peer_known;
  gint64 known_at; /* both */
  gboolean ice_failed;
  IcsSearchRoles roles; /* as the plan has them */
  const char *why;      /* as last noted */
  IcsSearchMemory memory;
};

void
ics_search_init (IcsEngine *self)
{
  self->search = g_new0 (IcsEngineSearch, 1);
  self->search->look_at = G_MAXINT64;
  self->search->looked_at = -LOOK_GAP_US;
}

void
ics_search_clear (IcsEngine *self)
{
  g_clear_pointer (&self->search, g_free);
}

void
ics_search_stop (IcsEngine *self)
{
  if (self->search->lookup != NULL)
    ics_server_lookup_cancel (g_steal_pointer (&self->search->lookup));
  g_clear_pointer (&self->search->prober, ics_nat_prober_free);
  self->search->look_at = G_MAXINT64;
}

/* --- what this host's NAT does --- */

static gboolean
is_metered (void)
{
  return g_network_monitor_get_network_metered (g_network_monitor_get_default ());
}

static void
on_both_known (IcsEngine *self)
{
  if (!self->search->own_known || !self->search->peer_known)
    return;
  self->search->known_at = g_get_monotonic_time ();
  ics_engine_wake (self);
}

static void
describe (const IcsNatBehavior *behavior, IcsNatTraits *traits)
{
  *traits = (IcsNatTraits){ .mapping_varies = behavior->mapping_varies, .ports = behavior->ports };
  if (behavior->n_observations > 0)
    {
      g_autoptr (GInetAddress) mapped = ics_sockaddr_to_inet (&behavior->observations[0].mapped);
      g_autofree char *text = g_inet_address_to_string (mapped);

      g_strlcpy (traits->address, text, sizeof traits->address);
    }
}

static void
on_behavior (const IcsNatBehavior *behavior, gpointer user_data)
{
  IcsEngine *self = user_data;
  IcsControl message = { .type = ICS_CONTROL_NAT };

  describe (behavior, &message.nat);
  /* Where no server answers UDP does not get through. */
  message.nat.searches = behavior->answered == ICS_FACT_YES && !self->no_port_search && !is_metered ();
  ics_engine_note (self, "this host's NAT: mapping varies with the destination: %s; ports: %s",
                   ics_fact_to_string (behavior->mapping_varies), ics_nat_ports_to_string (behavior->ports));
  g_clear_pointer (&self->search->prober, ics_nat_prober_free);
  self->search->own = message.nat;
  self->search->own_known = TRUE;
  ics_engine_send_control (self, &message);
  on_both_known (self);
}

/* A TURN server answers on its next port as well (RFC 5780 §6): a second destination. */
static void
on_server (const IcsServerFound *found, gpointer user_data)
{
  IcsEngine *self = user_data;
  g_autoptr (GPtrArray) servers = g_ptr_array_new_with_free_func (g_object_unref);
  IcsNatProberConfig config
      = { .servers = servers, .no_filtering = TRUE, .nat64 = found->nat64, .context = self->context };
  guint16 port;

  self->search->lookup = NULL;
  if (found->server == NULL)
    {
      ics_engine_note (self, "the NAT can not be looked at: %s", found->reason);
      return;
    }
  port = g_inet_socket_address_get_port (found->server);
  g_ptr_array_add (servers, g_object_ref (found->server));
  if (port < G_MAXUINT16)
    g_ptr_array_add (servers,
                     g_inet_socket_address_new (g_inet_socket_address_get_address (found->server), port + 1));
  self->search->prober = ics_nat_prober_start (&config, on_behavior, self);
}

void
ics_search_look (IcsEngine *self)
{
  IcsEngineSearch *search = self->search;

  search->look_at = MAX (g_get_monotonic_time (), search->looked_at + LOOK_GAP_US);
  search->own_known = search->ice_failed = FALSE;
  ics_engine_wake (self);
}

static void
look (IcsEngine *self, gint64 now)
{
  const IcsTurnServer *stun = ics_servers_get_stun (self, ICS_LEG_SEARCH);
  IcsServerLookupConfig config = { .family = 4,
                                   .context = self->context,
                                   .timeout_ms = LOOKUP_MS,
                                   .nat64 = self->family != 4 && ics_nat64_is_needed () };

  ics_search_stop (self);
  self->search->looked_at = now;
  /* IPv6 has no such NATs, only what it reaches IPv4 through; and with policy relay nobody learns this host's
   * address. */
  if (stun == NULL || self->family == 6 || (ics_engine_allowed (self) & 1u << ICS_PATH_DIRECT) == 0)
    return;
  config.host = stun->host;
  config.port = stun->port;
  self->search->lookup = ics_server_lookup_start (&config, on_server, self);
}

void
ics_search_handle_control (IcsEngine *self, const IcsControl *message)
{
  self->search->peer = message->nat;
  self->search->peer_known = TRUE;
  on_both_known (self);
}

void
ics_search_add_facts (IcsEngine *self, IcsDirectFacts *facts)
{
  const IcsEngineSearch *search = self->search;

  facts->own.mapping_varies = search->own_known ? search->own.mapping_varies : ICS_FACT_UNKNOWN;
  facts->own.ports = search->own.ports;
  facts->peer.mapping_varies = search->peer.mapping_varies;
  facts->peer.ports = search->peer.ports;
}

/* --- attempts --- */

gboolean
ics_search_begin (IcsEngine *self)
{
  IcsEngineSearch *search = self->search;

  if (!search->own_known || !search->peer_known || !search->own.searches || !search->peer.searches
      || self->policy == ICS_PATH_POLICY_LAN)
    return FALSE;
  if (ics_search_memory_begin (&search->memory, g_get_monotonic_time (), search->own.address,
                               search->peer.address))
    return TRUE;
  ics_engine_note (self, "no search between these networks for now: it was in vain");
  return FALSE;
}

void
ics_search_attempt_ended (IcsEngine *self, IcsLeg leg, gboolean found)
{
  IcsEngineSearch *search = self->search;
  gboolean predicted
      = search->own.ports != ICS_NAT_PORTS_RANDOM && search->peer.ports != ICS_NAT_PORTS_RANDOM;

  if (leg == ICS_LEG_DIRECT && !found)
    search->ice_failed = TRUE;
  if (leg != ICS_LEG_SEARCH)
    return;
  if (found)
    ics_search_memory_found (&search->memory, search->own.address, search->peer.address);
  else
    ics_search_memory_failed (&search->memory, g_get_monotonic_time (), search->own.address,
                              search->peer.address, predicted);
}

/* --- the joiner decides --- */

static gint64
begin_at (const IcsEngineSearch *search)
{
  return search->ice_failed ? search->known_at : search->known_at + ICE_FIRST_US;
}

static IcsSearchRoles
choose (IcsEngine *self, gint64 now)
{
  IcsEngineSearch *search = self->search;
  const char *why;
  IcsSearchRoles roles;

  if (!search->own_known || !search->peer_known || self->policy == ICS_PATH_POLICY_LAN
      || self->peer_policy == ICS_PATH_POLICY_LAN
      || (ics_engine_allowed (self) & 1u << ICS_PATH_DIRECT) == 0
      /* One over TCP is no reason to be content. */
      || ics_leg_plan_serves (self->legs[ICS_LEG_DIRECT].plan))
    return ICS_SEARCH_NONE;
  roles = ics_search_choose (&search->own, &search->peer, &why);
  if (why != NULL && why != search->why)
    ics_engine_note (self, "no search for a way through the NATs: %s", why);
  search->why = why;
  return now >= begin_at (search) ? roles : ICS_SEARCH_NONE;
}

static void
set_roles (IcsEngine *self, IcsSearchRoles roles, gint64 now)
{
  IcsLegRoutes routes = { .len = roles == ICS_SEARCH_NONE ? 0 : 1 };

  if (roles == self->search->roles)
    return;
  self->search->roles = roles;
  routes.items[0].relays = roles == ICS_SEARCH_JOINER_OPENS ? ICS_RELAYS_JOINER : ICS_RELAYS_LISTENER;
  ics_leg_plan_set_routes (self->legs[ICS_LEG_SEARCH].plan, now, &routes);
}

void
ics_search_handle_timeout (IcsEngine *self, gint64 now)
{
  if (now >= self->search->look_at)
    look (self, now);
  if (self->joiner && self->paths != NULL)
    set_roles (self, choose (self, now), now);
}

gint64
ics_search_next_timeout (IcsEngine *self)
{
  const IcsEngineSearch *search = self->search;
  gint64 now = g_get_monotonic_time (), next = search->look_at;

  if (self->joiner && search->own_known && search->peer_known && begin_at (search) > now)
    next = MIN (next, begin_at (search));
  return next;
}
