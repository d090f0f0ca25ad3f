/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/ice-attempt-private.h"

/* What an attempt lets the gateway map, and what it makes of that. A mapping belongs to a socket; libnice and
 * the endpoint share those sockets, so it lasts as long as the attempt does. */

/* RFC 6544 §4.2 has the type preference: above what a STUN server saw, below what the peer does. Its local
 * preference (RFC 8445 §5.1.2.1) is the highest one, and the component is 1. */
#define NAT_ASSISTED_PREFERENCE 105u
#define PRIORITY (NAT_ASSISTED_PREFERENCE << 24 | 65535u << 8 | 255u)

static char *
address_to_text (guint32 address)
{
  return g_strdup_printf ("%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255,
                          address & 255);
}

/* The peer need not know of mappings to use it: it is a server-reflexive candidate (RFC 8839 §5.1). */
static char *
to_line (const IcsPortMapping *mapping)
{
  g_autofree char *external = address_to_text (mapping->external);
  g_autofree char *base = address_to_text (mapping->local);

  return g_strdup_printf (
      "candidate:mapped%x 1 UDP %u %s %u typ srflx raddr %s rport %u " ICS_CANDIDATE_MAPPING_ATTRIBUTE " %s",
      mapping->local, PRIORITY, external, mapping->external_port, base, mapping->port, mapping->protocol);
}

static void
on_mapped (const IcsPortMapping *mapping, gpointer user_data)
{
  IcsIceAttempt *self = user_data;
  g_autofree char *address = address_to_text (mapping->external);
  g_autofree char *endpoint = g_strdup_printf ("%s:%u", address, mapping->external_port);
  g_autofree char *line = to_line (mapping);

  if (!g_ptr_array_find_with_equal_func (self->mapped, endpoint, g_str_equal, NULL))
    g_ptr_array_add (self->mapped, g_strdup (endpoint));
  /* A NAT that keeps ports has shown the same address to the STUN server. */
  ics_ice_attempt_signal (self, ICS_CANDIDATE_MAPPED, line, endpoint);
}

static void
on_settled (gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  self->mapping = FALSE;
  ics_ice_attempt_consider_gathered (self);
}

static void
on_note (const char *line, gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  ics_attempt_events_note (self->parent.events, "%s", line);
}

void
ics_ice_mapping_init (IcsIceAttempt *self)
{
  const IcsPortMapperHooks hooks = { .mapped = on_mapped, .settled = on_settled, .note = on_note };

  self->mapped = g_ptr_array_new_with_free_func (g_free);
  if (!self->parent.config.port_mapping || self->parent.config.relay_only || self->parent.config.host_only
      || self->parent.config.one_hop)
    return;
  self->mapper = ics_port_mapper_new (self->parent.config.context, &hooks, self);
  self->mapping = TRUE;
}

void
ics_ice_mapping_add_socket (IcsIceAttempt *self, const char *endpoint)
{
  if (self->mapper != NULL)
    ics_port_mapper_add (self->mapper, endpoint);
}

void
ics_ice_mapping_start (IcsIceAttempt *self)
{
  if (self->mapper != NULL)
    ics_port_mapper_start (self->mapper);
}

void
ics_ice_mapping_name_pair (IcsIceAttempt *self, IcsIcePair *pair)
{
  const char *offered = ics_remote_offer_find (self->parent.remote, pair->remote);

  if (g_ptr_array_find_with_equal_func (self->mapped, pair->local, g_str_equal, NULL))
    pair->local_type = ICS_CANDIDATE_MAPPED;
  if (g_strcmp0 (offered, ICS_CANDIDATE_MAPPED) == 0)
    pair->remote_type = ICS_CANDIDATE_MAPPED;
}
