/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The packets under way in a world, the next to arrive first. */

typedef enum
{
  PACKET_PING,
  PACKET_PING_IN_DOUBT,
  PACKET_PONG,
  PACKET_DATA,
  PACKET_ACK,
  PACKET_CHALLENGE,
  PACKET_RESPONSE
} PacketType;

typedef struct
{
  gint64 at;
  guint64 order;
  PacketType type;
  int to;
  int path;
  guint path_id;
  guint64 value;
} Packet;

GArray *packet_heap_new (void);
void packet_heap_push (GArray *heap, const Packet *packet);
Packet packet_heap_pop (GArray *heap);
/* When the next one arrives; G_MAXINT64 = none is under way. */
gint64 packet_heap_next (GArray *heap);
