/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/port-slot.h"
#include "agent/gateway-client.h"
#include "agent/upnp-client.h"

/* A host that crashes leaves its mapping behind for no longer; a renewal costs two datagrams in five minutes.
 */
#define LIFETIME_S 600

struct _IcsPortSlot
{
  GMainContext *context;
  IcsPortSlotHooks hooks;
  gpointer user_data;
  guint32 local;
  guint16 port;
  guint32 gateway;           /* 0 = none */
  IcsGatewayClient *client;  /* NULL: has nothing to say any more */
  const char *client_reason; /* why it has not */
  guint restarts;            /* of the gateway, as told */
  IcsUpnpClient *upnp;       /* NULL as above */
  const char *upnp_reason;
  gboolean upnp_tried;
  gboolean dropped;       /* what comes is given back */
  IcsPortMapping mapping; /* as told; protocol NULL = none */
};

/* --- words --- */

static char *
to_text (guint32 address, guint16 port)
{
  return g_strdup_printf ("%u.%u.%u.%u:%u", address >> 24, address >> 16 & 255, address >> 8 & 255,
                          address & 255, port);
}

G_GNUC_PRINTF (2, 3)
static void
note (IcsPortSlot *self, const char *format, ...)
{
  g_autofree char *line = NULL;
  va_list args;

  va_start (args, format);
  line = g_strdup_vprintf (format, args);
  va_end (args);
  self->hooks.note (line, self->user_data);
}

gboolean
ics_port_mapping_is_outside (guint32 address)
{
  return address >> 24 != 0 && address >> 24 != 10 && address >> 24 != 127 && address >> 28 < 0xe
         && address >> 20 != 0xac1              /* 172.16.0.0/12 */
         && address >> 16 != 0xc0a8             /* 192.168.0.0/16 */
         && address >> 16 != 0xa9fe             /* 169.254.0.0/16 */
         && address >> 22 != 0x64400000u >> 22; /* 100.64.0.0/10 */
}

/* --- letting go --- */

static void
release_client (IcsPortSlot *self)
{
  if (self->client != NULL)
    ics_gateway_client_release (self->client);
}

static void
release_upnp (IcsPortSlot *self)
{
  if (self->upnp != NULL && !ics_upnp_client_release (self->upnp))
    g_clear_pointer (&self->upnp, ics_upnp_client_free);
}

void
ics_port_slot_drop (IcsPortSlot *self)
{
  self->dropped = TRUE;
  self->mapping.protocol = NULL;
  release_client (self);
  release_upnp (self);
}

/* --- what has come of it --- */

gboolean
ics_port_slot_is_settled (const IcsPortSlot *self)
{
  return self->mapping.protocol != NULL || self->dropped
         || (self->client == NULL && self->upnp == NULL && self->upnp_tried);
}

gboolean
ics_port_slot_is_idle (const IcsPortSlot *self)
{
  return self->client == NULL && self->upnp == NULL;
}

/* Of no use to a peer outside, so the hole is closed again: another NAT is behind this one. */
static void
give_up_inner (IcsPortSlot *self, const char *protocol, const char *inside, const char *outside)
{
  note (self, "%s would map %s as %s, which is not an address of the Internet: the gateway is behind a NAT",
        protocol, inside, outside);
  ics_port_slot_drop (self);
}

static void
take_grant (IcsPortSlot *self, const char *protocol, guint32 external, guint16 external_port)
{
  g_autofree char *inside = to_text (self->local, self->port);
  g_autofree char *outside = to_text (external, external_port);

  if (self->dropped
      || (self->mapping.protocol != NULL && self->mapping.external == external
          && self->mapping.external_port == external_port))
    return;
  if (!ics_port_mapping_is_outside (external))
    {
      give_up_inner (self, protocol, inside, outside);
      return;
    }
  note (self, "%s maps %s as %s", protocol, inside, outside);
  self->mapping = (IcsPortMapping){ .local = self->local,
                                    .external = external,
                                    .port = self->port,
                                    .external_port = external_port,
                                    .protocol = protocol };
  self->hooks.mapped (&self->mapping, self->user_data);
}

static void
note_lost (IcsPortSlot *self)
{
  g_autofree char *inside = to_text (self->local, self->port);

  if (self->mapping.protocol != NULL)
    note (self, "the gateway does not renew its mapping of %s", inside);
  self->mapping.protocol = NULL;
}

static void
note_refused (IcsPortSlot *self)
{
  g_autofree char *inside = to_text (self->local, self->port);
  g_autofree char *gateway = to_text (self->gateway, ICS_PCP_SERVER_PORT);

  if (!self->dropped && self->client_reason != NULL && self->upnp_reason != NULL)
    note (self, "%s is not mapped by %s; PCP and NAT-PMP: %s; UPnP: %s", inside, gateway, self->client_reason,
          self->upnp_reason);
}

/* --- UPnP --- */

static void
on_upnp_changed (gpointer user_data)
{
  IcsPortSlot *self = user_data;
  IcsUpnpStatus status = ics_upnp_client_get_status (self->upnp);

  switch (status.state)
    {
    case ICS_UPNP_SEEKING:
      break;
    case ICS_UPNP_GRANTED:
      release_client (self);
      take_grant (self, "upnp", status.external, status.external_port);
      break;
    case ICS_UPNP_REFUSED:
    case ICS_UPNP_OVER:
      g_clear_pointer (&self->upnp, ics_upnp_client_free);
      note_lost (self);
      self->upnp_reason = status.reason;
      note_refused (self);
      /* To some gateways the mapping that was given back is the same as that of PCP. */
      if (self->client != NULL)
        ics_gateway_client_refresh (self->client);
      break;
    }
  self->hooks.changed (self->user_data);
}

void
ics_port_slot_try_upnp (IcsPortSlot *self)
{
  IcsUpnpConfig config = { .local = self->local,
                           .port = self->port,
                           .gateway = self->gateway,
                           .lifetime = LIFETIME_S,
                           .context = self->context };

  if (self->upnp_tried || self->dropped || self->mapping.protocol != NULL)
    return;
  self->upnp_tried = TRUE;
  self->upnp = ics_upnp_client_new (&config, on_upnp_changed, self);
}

/* --- PCP and NAT-PMP --- */

static void
note_restart (IcsPortSlot *self, guint restarts)
{
  if (restarts != self->restarts)
    note (self, "the gateway had lost its mappings, and maps again");
  self->restarts = restarts;
}

static void
take_client_grant (IcsPortSlot *self, const IcsPortMapStatus *status)
{
  const char *protocol = status->protocol == ICS_PORT_MAP_PCP ? "pcp" : "nat-pmp";

  if (g_strcmp0 (self->mapping.protocol, "upnp") == 0)
    {
      release_client (self);
      return;
    }
  note_restart (self, status->restarts);
  release_upnp (self);
  take_grant (self, protocol, status->external, status->external_port);
}

static void
on_client_changed (gpointer user_data)
{
  IcsPortSlot *self = user_data;
  const IcsPortMapStatus *status = ics_gateway_client_get_status (self->client);

  switch (status->state)
    {
    case ICS_PORT_MAP_SEEKING:
      note_lost (self);
      break;
    case ICS_PORT_MAP_GRANTED:
      take_client_grant (self, status);
      break;
    case ICS_PORT_MAP_REFUSED:
      self->client_reason = status->reason;
      g_clear_pointer (&self->client, ics_gateway_client_free);
      note_refused (self);
      ics_port_slot_try_upnp (self);
      break;
    case ICS_PORT_MAP_RELEASING:
      break;
    case ICS_PORT_MAP_OVER:
      g_clear_pointer (&self->client, ics_gateway_client_free);
      break;
    }
  self->hooks.changed (self->user_data);
}

void
ics_port_slot_start (IcsPortSlot *self)
{
  IcsGatewayClientConfig config
      = { .local = self->local, .port = self->port, .lifetime = LIFETIME_S, .context = self->context };

  self->client = ics_gateway_client_new (&config, on_client_changed, self);
  if (self->client != NULL)
    self->gateway = ics_gateway_client_get_gateway (self->client);
  else
    self->upnp_tried = TRUE;
}

/* --- from birth to death --- */

IcsPortSlot *
ics_port_slot_new (const IcsPortSlotConfig *config, const IcsPortSlotHooks *hooks, gpointer user_data)
{
  IcsPortSlot *self = g_new0 (IcsPortSlot, 1);

  self->context = g_main_context_ref (config->context);
  self->local = config->local;
  self->port = config->port;
  self->hooks = *hooks;
  self->user_data = user_data;
  return self;
}

void
ics_port_slot_free (IcsPortSlot *self)
{
  g_clear_pointer (&self->client, ics_gateway_client_free);
  g_clear_pointer (&self->upnp, ics_upnp_client_free);
  g_main_context_unref (self->context);
  g_free (self);
}

gboolean
ics_port_slot_is_for (const IcsPortSlot *self, guint32 local, guint16 port)
{
  return self->local == local && self->port == port;
}
