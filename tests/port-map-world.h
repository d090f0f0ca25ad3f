/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/port-map.h"

/* A gateway that speaks PCP or NAT-PMP, and a host that asks it for one mapping, on a virtual clock. */

#define MS G_TIME_SPAN_MILLISECOND
#define SECOND G_USEC_PER_SEC
#define CLIENT 0xc0a80102u   /* 192.168.1.2 */
#define EXTERNAL 0xc6336512u /* 198.51.101.18 */
#define PORT 40000
#define LIFETIME 600

typedef struct
{
  gboolean pcp, nat_pmp;
  guint8 result;
  guint32 lifetime;
  guint32 external;
  guint16 next_port;
  gint64 booted;
  /* its one mapping */
  guint16 port;
  gint64 expires_at;
  guint8 nonce[ICS_PCP_NONCE_LEN];
} Gateway;

typedef struct
{
  guint8 data[64];
  gsize len;
} Message;

typedef struct
{
  GRand *random;
  IcsPortMap *map;
  Gateway gateway;
  gint64 now;
} World;

/* FALSE: it says nothing. */
gboolean gateway_serve (Gateway *gateway, gint64 now, const Message *request, Message *answer);
/* It forgets everything. */
void gateway_restart (Gateway *gateway, gint64 now);
guint32 gateway_epoch (const Gateway *gateway, gint64 now);

World world_new (guint32 seed);
World world_new_with (guint32 seed, IcsPortMapChoice choice);
void world_clear (World *world);
const IcsPortMapStatus *world_status (World *world);
/* What is due now; FALSE: nothing. */
gboolean world_take_request (World *world, Message *request);
void world_deliver (World *world, const Message *answer);
/* All that is due now, answered by the gateway at once. */
void world_exchange (World *world);
/* To the next time-out, which must lie ahead. */
void world_advance (World *world);
void world_advance_until (World *world, gint64 when);
/* The gateway tells all hosts of itself. */
void world_announce (World *world, guint32 external);
