/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The mapping of one UDP socket: PCP or NAT-PMP at the gateway, UPnP where that gives nothing, or nothing
 * soon; the first that grants is kept, the other one let go. Addresses are IPv4 in host byte order. */

typedef struct _IcsPortSlot IcsPortSlot;

typedef struct
{
  guint32 local;
  guint32 external;
  guint16 port;
  guint16 external_port;
  const char *protocol; /* "pcp", "nat-pmp", "upnp" */
} IcsPortMapping;

typedef struct
{
  guint32 local;
  guint16 port;
  GMainContext *context;
} IcsPortSlotConfig;

/* On the context, never inside a call. Only changed, the last one to run, may free the slot. */
typedef struct
{
  /* Granted, or granted again with another address or port. */
  void (*mapped) (const IcsPortMapping *mapping, gpointer user_data);
  void (*changed) (gpointer user_data); /* look whether it is settled, or idle */
  void (*note) (const char *line, gpointer user_data);
} IcsPortSlotHooks;

IcsPortSlot *ics_port_slot_new (const IcsPortSlotConfig *config, const IcsPortSlotHooks *hooks,
                                gpointer user_data);
void ics_port_slot_free (IcsPortSlot *self);

/* Asks the gateway. Without one the slot is settled. */
void ics_port_slot_start (IcsPortSlot *self);
/* If nothing is granted yet. */
void ics_port_slot_try_upnp (IcsPortSlot *self);
/* Gives back what there is and what may come. */
void ics_port_slot_drop (IcsPortSlot *self);

/* Nothing has to be waited for: granted, or not to be had. */
gboolean ics_port_slot_is_settled (const IcsPortSlot *self);
/* Nothing is mapped, nor asked for. */
gboolean ics_port_slot_is_idle (const IcsPortSlot *self);
gboolean ics_port_slot_is_for (const IcsPortSlot *self, guint32 local, guint16 port);

/* Whether an address is one under which the Internet can reach a host: neither private (RFC 1918) nor shared
 * (RFC 6598), link-local, loopback or multicast. */
gboolean ics_port_mapping_is_outside (guint32 address);

G_END_DECLS
