/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/port-slot.h"

G_BEGIN_DECLS

/* The port mappings of the sockets of one attempt. */

typedef struct _IcsPortMapper IcsPortMapper;

/* On the context, never inside a call into the mapper; they may close it. */
typedef struct
{
  /* Granted, or granted again with another address or port. */
  void (*mapped) (const IcsPortMapping *mapping, gpointer user_data);
  /* Once: no first mapping will come after this. In 4 s at most. */
  void (*settled) (gpointer user_data);
  void (*note) (const char *line, gpointer user_data);
} IcsPortMapperHooks;

IcsPortMapper *ics_port_mapper_new (GMainContext *context, const IcsPortMapperHooks *hooks,
                                    gpointer user_data);

/* A UDP socket of this host, "192.0.2.1:5000"; what is not IPv4, or loopback, is passed over. Before start.
 */
void ics_port_mapper_add (IcsPortMapper *self, const char *endpoint);
void ics_port_mapper_start (IcsPortMapper *self);

/* That socket is closed: gives its mapping back. */
void ics_port_mapper_drop (IcsPortMapper *self, const char *endpoint);

/* Gives all mappings back, waits for the gateway's answer for 1 s at most, frees all, then calls @closed (may
 * be NULL), never before this returns. No hook runs any more. */
void ics_port_mapper_close (IcsPortMapper *self, void (*closed) (gpointer), gpointer closed_data);

G_END_DECLS
