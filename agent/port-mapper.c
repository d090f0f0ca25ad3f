/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/port-mapper.h"
#include "agent/local-addresses.h"
#include "base/timeout.h"
#include <string.h>

/* UPnP begins when PCP and NAT-PMP have nothing, and at the latest then. */
#define UPNP_AFTER_MS 500
/* ICE waits for nobody: what is not there by then will not be signalled. */
#define PATIENCE_MS 4000
#define FAREWELL_MS 1000

struct _IcsPortMapper
{
  GMainContext *context;
  IcsPortMapperHooks hooks;
  gpointer user_data;
  GPtrArray *slots; /* IcsPortSlot */
  GSource *upnp_after, *patience, *farewell;
  gboolean started, settled;
  gboolean closing;
  void (*closed) (gpointer);
  gpointer closed_data;
};

/* --- time --- */

static GSource *
after (IcsPortMapper *self, guint ms, GSourceFunc func)
{
  GSource *source = g_timeout_source_new (ms);

  g_source_set_callback (source, func, self, NULL);
  g_source_attach (source, self->context);
  return source;
}

static gboolean
on_farewell (gpointer user_data)
{
  IcsPortMapper *self = user_data;
  void (*closed) (gpointer) = self->closed;
  gpointer closed_data = self->closed_data;

  ics_timeout_clear (&self->upnp_after);
  ics_timeout_clear (&self->patience);
  ics_timeout_clear (&self->farewell);
  g_ptr_array_unref (self->slots);
  g_main_context_unref (self->context);
  g_free (self);
  if (closed != NULL)
    closed (closed_data);
  return G_SOURCE_REMOVE;
}

static void
leave_in (IcsPortMapper *self, guint ms)
{
  ics_timeout_clear (&self->farewell);
  self->farewell = after (self, ms, on_farewell);
}

/* --- what has come of it --- */

static gboolean
all (IcsPortMapper *self, gboolean (*is) (const IcsPortSlot *))
{
  for (guint i = 0; i < self->slots->len; i++)
    if (!is (self->slots->pdata[i]))
      return FALSE;
  return TRUE;
}

static void
settle (IcsPortMapper *self)
{
  self->settled = TRUE;
  ics_timeout_clear (&self->patience);
  self->hooks.settled (self->user_data);
}

static void
on_slot_changed (gpointer user_data)
{
  IcsPortMapper *self = user_data;

  if (self->closing && all (self, ics_port_slot_is_idle))
    leave_in (self, 0);
  else if (!self->closing && !self->settled && all (self, ics_port_slot_is_settled))
    settle (self);
}

static void
on_slot_mapped (const IcsPortMapping *mapping, gpointer user_data)
{
  IcsPortMapper *self = user_data;

  if (!self->closing)
    self->hooks.mapped (mapping, self->user_data);
}

static void
on_slot_note (const char *line, gpointer user_data)
{
  IcsPortMapper *self = user_data;

  if (!self->closing)
    self->hooks.note (line, self->user_data);
}

static const IcsPortSlotHooks slot_hooks
    = { .mapped = on_slot_mapped, .changed = on_slot_changed, .note = on_slot_note };

static gboolean
on_upnp_after (gpointer user_data)
{
  IcsPortMapper *self = user_data;

  ics_timeout_clear (&self->upnp_after);
  for (guint i = 0; i < self->slots->len; i++)
    ics_port_slot_try_upnp (self->slots->pdata[i]);
  return G_SOURCE_REMOVE;
}

/* --- from birth to death --- */

IcsPortMapper *
ics_port_mapper_new (GMainContext *context, const IcsPortMapperHooks *hooks, gpointer user_data)
{
  IcsPortMapper *self = g_new0 (IcsPortMapper, 1);

  self->context = g_main_context_ref (context);
  self->hooks = *hooks;
  self->user_data = user_data;
  self->slots = g_ptr_array_new_with_free_func ((GDestroyNotify)ics_port_slot_free);
  return self;
}

/* FALSE when it is not one of IPv4. */
static gboolean
parse_endpoint (const char *endpoint, guint32 *address, guint16 *port)
{
  const char *colon = strrchr (endpoint, ':');
  g_autofree char *host = colon != NULL ? g_strndup (endpoint, (gsize)(colon - endpoint)) : NULL;
  g_autoptr (GInetAddress) inet = host != NULL ? g_inet_address_new_from_string (host) : NULL;
  guint32 raw;

  if (inet == NULL || g_inet_address_get_family (inet) != G_SOCKET_FAMILY_IPV4)
    return FALSE;
  memcpy (&raw, g_inet_address_to_bytes (inet), sizeof raw);
  *address = GUINT32_FROM_BE (raw);
  *port = (guint16)g_ascii_strtoull (colon + 1, NULL, 10);
  return TRUE;
}

void
ics_port_mapper_add (IcsPortMapper *self, const char *endpoint)
{
  guint32 address;
  guint16 port;
  IcsPortSlotConfig config = { .context = self->context };

  if (self->started || !parse_endpoint (endpoint, &address, &port) || address >> 24 == 127
      || self->slots->len >= ICS_LOCAL_ADDRESSES_MAX)
    return;
  config.local = address;
  config.port = port;
  g_ptr_array_add (self->slots, ics_port_slot_new (&config, &slot_hooks, self));
}

static gboolean
on_patience_over (gpointer user_data)
{
  IcsPortMapper *self = user_data;

  for (guint i = 0; i < self->slots->len; i++)
    if (!ics_port_slot_is_settled (self->slots->pdata[i]))
      ics_port_slot_drop (self->slots->pdata[i]);
  settle (self);
  return G_SOURCE_REMOVE;
}

void
ics_port_mapper_start (IcsPortMapper *self)
{
  self->started = TRUE;
  for (guint i = 0; i < self->slots->len; i++)
    ics_port_slot_start (self->slots->pdata[i]);
  self->upnp_after = after (self, UPNP_AFTER_MS, on_upnp_after);
  self->patience = after (self, all (self, ics_port_slot_is_settled) ? 0 : PATIENCE_MS, on_patience_over);
}

void
ics_port_mapper_drop (IcsPortMapper *self, const char *endpoint)
{
  guint32 address;
  guint16 port;

  if (!parse_endpoint (endpoint, &address, &port))
    return;
  for (guint i = 0; i < self->slots->len; i++)
    if (ics_port_slot_is_for (self->slots->pdata[i], address, port))
      ics_port_slot_drop (self->slots->pdata[i]);
}

void
ics_port_mapper_close (IcsPortMapper *self, void (*closed) (gpointer), gpointer closed_data)
{
  self->closing = TRUE;
  self->closed = closed;
  self->closed_data = closed_data;
  ics_timeout_clear (&self->patience);
  ics_timeout_clear (&self->upnp_after);
  for (guint i = 0; i < self->slots->len; i++)
    ics_port_slot_drop (self->slots->pdata[i]);
  leave_in (self, all (self, ics_port_slot_is_idle) ? 0 : FAREWELL_MS);
}
