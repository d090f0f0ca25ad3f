/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/gateway-epoch.h"
#include "agent/port-map.h"

G_BEGIN_DECLS

/* A mapping goes from step to step and keeps time (port-map.c), and takes in what comes (port-map-answers.c).
 */

typedef enum
{
  ICS_PORT_MAP_ASK_PCP,
  ICS_PORT_MAP_ASK_NAT_PMP_ADDRESS,
  ICS_PORT_MAP_ASK_NAT_PMP_MAP
} IcsPortMapStep;

struct _IcsPortMap
{
  IcsPortMapConfig config;
  IcsPortMapStatus status;
  IcsPortMapStep step;
  guint sent;        /* in this step */
  gint64 send_at;    /* G_MAXINT64: nothing more in this step */
  gint64 give_up_at; /* this step */
  gint64 asked_at;   /* the last request */
  gint64 expires_at; /* the mapping */
  guint32 external;  /* NAT-PMP: the address, before the port is known */
  IcsGatewayEpoch epoch;
};

/* port-map.c */
void ics_port_map_seek (IcsPortMap *self, gint64 now); /* from the first step on */
void ics_port_map_try_nat_pmp (IcsPortMap *self, gint64 now);
void ics_port_map_begin (IcsPortMap *self, gint64 now, IcsPortMapStep step);
void ics_port_map_grant (IcsPortMap *self, gint64 now, guint32 external, guint16 port, guint32 lifetime);
void ics_port_map_refuse (IcsPortMap *self, const char *reason);
void ics_port_map_stop (IcsPortMap *self, IcsPortMapState state);
gboolean ics_port_map_epoch_fits (const IcsPortMap *self, gint64 now, guint32 epoch);

G_END_DECLS
