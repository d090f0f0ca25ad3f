/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "signaling/rooms.h"

/* A room table, a virtual clock, and what the table's clients have heard from it. */

#define SECOND ((gint64)G_USEC_PER_SEC)
#define N_CLIENTS 8

typedef struct
{
  guint connection; /* 0 = none */
  guint closed;     /* close code, once the server closed */
  IcsRvMessage welcome;
  gboolean welcomed;
  gboolean joined;
  gboolean has_error;
  IcsRvError error;
  IcsRvPeer peer;
  char reason[32];
  GQueue frames; /* signals and data, as they came */
  gsize granted;
  guint beats;
  guint turns;
} Client;

typedef struct
{
  IcsRooms *rooms;
  gint64 now;
  Client clients[N_CLIENTS];
} World;

void world_init (World *w, const IcsRoomsConfig *config);
void client_reset (Client *c);
void world_clear (World *w);
/* Does what the table wants done. */
void drain (World *w);
/* The client with the number @i connects, and no more. */
Client *connect_from (World *w, guint i, const char *address);
void request (World *w, Client *c, const char *text);
/* Connects, and asks for a room. */
Client *allocate (World *w, guint i);
/* Connects, and joins. */
Client *join (World *w, guint i, guint nameplate);
/* Comes back as the client it was, with what its welcome said. */
void resume (World *w, Client *c);
void cut (World *w, Client *c);
/* Lets time pass, while clients beat as they must. */
void advance (World *w, gint64 span);
void send_frame (World *w, Client *c, guint8 type, gconstpointer payload, gsize len);
void send_credit (World *w, Client *c, guint32 amount);
/* The next frame the client has got. */
void assert_next (Client *c, guint8 type, const char *payload);
guint64 stat_of (World *w, IcsRoomsStat stat);
/* Two clients in one room, the first two. */
void pair (World *w, Client **a, Client **b);
/* A world with such a pair; @window 0 = the default. */
void world_init_pair (World *w, guint window, Client **a, Client **b);
