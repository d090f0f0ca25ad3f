/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/engine-legs.h"
#include "session/server-way.h"

/* The TURN servers that this host knows: those that the user named, then the rendezvous server's. */

static GPtrArray *
known_servers (IcsEngine *self, guint i)
{
  IcsWsChannel *ws = ics_pairing_get_ws (self);

  if (i == 0)
    return self->own_turn;
  return ws != NULL && !self->no_server_turn ? ics_ws_channel_get_turn_servers (ws) : NULL;
}

static gboolean
is_listed (GPtrArray *list, const IcsTurnServer *server)
{
  g_autofree char *uri = ics_turn_server_to_uri (server);

  for (guint i = 0; i < list->len; i++)
    {
      g_autofree char *other = ics_turn_server_to_uri (list->pdata[i]);

      if (g_str_equal (uri, other))
        return TRUE;
    }
  return FALSE;
}

/* Those of one kind to which there is such a way, up to @end in all. */
static void
add_servers (IcsEngine *self, GPtrArray *list, gboolean stream, IcsServerWay way, guint end)
{
  for (guint i = 0; i < 2; i++)
    {
      GPtrArray *known = known_servers (self, i);

      for (guint k = 0; known != NULL && k < known->len && list->len < end; k++)
        {
          IcsTurnServer *server = known->pdata[k];

          if ((server->transport != ICS_TURN_UDP) == stream && !server->is_stun && !is_listed (list, server)
              && ics_server_way (server, self->family) == way)
            g_ptr_array_add (list, server);
        }
    }
}

/* Those without a way are as good as others where none has one: the network may come back. */
static void
add_kind (IcsEngine *self, GPtrArray *list, gboolean stream, guint max)
{
  guint begin = list->len;

  for (IcsServerWay way = ICS_WAY_OPEN; way <= ICS_WAY_NONE; way++)
    if (way != ICS_WAY_NONE || list->len == begin)
      add_servers (self, list, stream, way, begin + max);
}

/* UDP first, and what is reached most surely first. (element-type IcsTurnServer), not copied. */
static GPtrArray *
usable_servers (IcsEngine *self)
{
  GPtrArray *list = g_ptr_array_new ();

  add_kind (self, list, FALSE, ICS_LEG_SERVERS_MAX);
  add_kind (self, list, TRUE, ICS_LEG_STREAMS_MAX);
  return list;
}

/* A TURN server answers STUN requests too (RFC 8656 §5), and at the same port over TCP. */
const IcsTurnServer *
ics_servers_get_stun (IcsEngine *self, IcsLeg leg)
{
  for (guint i = 0; i < 2; i++)
    {
      GPtrArray *known = known_servers (self, i);

      for (guint k = 0; known != NULL && k < known->len; k++)
        {
          const IcsTurnServer *server = known->pdata[k];

          if (server->transport == ICS_TURN_UDP || (leg == ICS_LEG_TCP && server->transport == ICS_TURN_TCP))
            return server;
        }
    }
  return NULL;
}

static GStrv
server_uris (IcsEngine *self)
{
  g_autoptr (GPtrArray) servers = usable_servers (self);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; i < servers->len; i++)
    {
      g_autofree char *uri = ics_turn_server_to_uri (servers->pdata[i]);

      g_strv_builder_add (builder, uri);
    }
  return g_strv_builder_end (builder);
}

/* Policy "relay" promises not to show this host's addresses. Relayed addresses are IPv4. */
static gboolean
can_be_plain (IcsEngine *self)
{
  return self->policy == ICS_PATH_POLICY_AUTO && self->family != 6;
}

/* With policy "lan" at either end nobody uses what a gateway maps. */
static gboolean
shows_addresses_outside (IcsEngine *self)
{
  return !self->no_port_mapping && self->family != 6 && self->policy != ICS_PATH_POLICY_LAN
         && self->peer_policy != ICS_PATH_POLICY_LAN;
}

static gboolean
configure_relay (IcsEngine *self, const IcsLegRoute *route, IcsIceConfig *config)
{
  g_autoptr (GPtrArray) servers = usable_servers (self);
  guint place = self->joiner ? route->joiner_server : route->listener_server;

  config->relay_only = TRUE;
  config->turn = place < servers->len ? servers->pdata[place] : NULL;
  return config->turn != NULL;
}

gboolean
ics_servers_configure (IcsEngine *self, IcsLeg leg, const IcsLegRoute *route, IcsIceConfig *config)
{
  *config = (IcsIceConfig){ .controlling = self->joiner, .family = self->family, .context = self->context };
  config->one_hop = leg == ICS_LEG_TURN && route->relays != ICS_RELAYS_BOTH;
  if (leg == ICS_LEG_TURN && ics_relays_include (route->relays, self->joiner))
    return configure_relay (self, route, config);
  config->host_only = self->policy == ICS_PATH_POLICY_LAN;
  config->stun = config->host_only ? NULL : ics_servers_get_stun (self, leg);
  config->port_mapping = leg == ICS_LEG_DIRECT && shows_addresses_outside (self);
  if (leg == ICS_LEG_SEARCH)
    {
      config->opens = ics_relays_include (route->relays, self->joiner);
      return config->stun != NULL && ics_search_begin (self);
    }
  return leg != ICS_LEG_TURN || can_be_plain (self);
}

void
ics_servers_get_routes (IcsEngine *self, const IcsLegEnd *listener, IcsLegRoutes *routes)
{
  g_auto (GStrv) uris = server_uris (self);
  IcsLegEnd own = { .servers = (const char *const *)uris, .plain = can_be_plain (self) };

  ics_leg_routes_relayed (routes, &own, listener);
}

void
ics_servers_announce (IcsEngine *self)
{
  IcsControl message
      = { .type = ICS_CONTROL_RELAYS, .servers = server_uris (self), .plain = can_be_plain (self) };

  ics_engine_send_control (self, &message);
  g_strfreev (message.servers);
}
