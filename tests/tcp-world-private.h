/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tests/tcp-world.h"

/* Between tcp-world.c, which has the clock and the cores, and tcp-world-net.c, which has the NATs and the
 * hosts' TCP. */

typedef enum
{
  SYN,
  SYN_ACK,
  ACK,
  RST,
  FIN,
  CHECK,
  ANSWER
} Kind;

typedef enum
{
  START,   /* the signal */
  SEGMENT, /* arrives at the NAT of @host */
  REPEAT,  /* of a SYN of @host */
  EXPIRY,  /* the core's timer */
  REFUSED  /* a connection that the system did not let it open */
} EventType;

typedef struct
{
  gint64 at;
  guint64 order;
  EventType type;
  guint host, way;
  Kind kind;
  guint from, to; /* ports outside */
  guint life, of; /* the sender's incarnation; the one that is answered, 0 = none */
  gboolean flag;  /* nominate, nominating */
  guint conn, tries;
} Event;

typedef enum
{
  SENT,     /* SYN */
  RECEIVED, /* SYN, and one's own is not acknowledged */
  OPEN
} State;

typedef struct
{
  guint way, port; /* the remote one, as it is seen here */
  State state;
  guint conn; /* 0: it came in, and the core does not know it yet */
  guint life, peer_life;
  gboolean nominating; /* the check that is under way */
} Socket;

typedef struct
{
  guint inside, outside, remote;
} Mapping;

typedef struct
{
  IcsTcpRace *race;
  GPtrArray *sockets;           /* Socket */
  GArray *mappings[WORLD_WAYS]; /* Mapping */
  GHashTable *strangers;        /* conn of the core */
  guint port;                   /* inside */
  guint signalled[WORLD_WAYS];  /* the outside one that the server saw */
  guint selected;
  gboolean failed;
  guint most;
} Host;

struct _World
{
  WorldConfig config;
  GRand *random;
  Host hosts[2];
  GPtrArray *events; /* Event */
  gint64 now, began, ended;
  guint64 order;
  guint lives;
  guint told_strangers;
};

Event *world_plan (World *self, gint64 at, Event event);
guint world_map_out (World *self, guint host, guint way, guint remote);
void world_send_from (World *self, guint host, const Socket *socket, Kind kind, gboolean flag);
Socket *world_find_conn (Host *host, guint conn);
Socket *world_find (Host *host, guint way, guint port);
Socket *world_add_socket (World *self, Host *host, guint way, guint port);
void world_forget (World *self, guint host, Socket *socket);
void world_on_segment (World *self, const Event *event);
void world_send_syn (World *self, guint host, Socket *socket, guint tries);
void world_repeat (World *self, const Event *event);
