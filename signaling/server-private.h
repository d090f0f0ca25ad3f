/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "signaling/server.h"
#include <libsoup/soup.h>

G_BEGIN_DECLS

/* Between server.c (sockets, the room table's driver) and server-http.c (requests, the upgrade). */

/* One TCP connection, from accept to its end. */
typedef struct
{
  IcsRvServer *server;
  GSocketConnection *base; /* not owned: libsoup owns it, its end is the end of this */
  guint connection;        /* in the room table; 0 = refused there, or over */
  gboolean refused;
  SoupWebsocketConnection *websocket; /* NULL until upgraded */
  GSource *linger;                    /* cuts the connection */
} IcsRvPeerSocket;

struct _IcsRvServer
{
  IcsRvServerConfig config;
  IcsRooms *rooms;
  SoupServer *http;
  GSocketService *service;
  GHashTable *sockets;     /* set of IcsRvPeerSocket */
  GHashTable *connections; /* number -> IcsRvPeerSocket */
  guint n_refused;
  GSource *timer;
  gboolean processing;
  gint64 started;
  void (*stopped) (gpointer);
  gpointer stopped_data;
  GSource *stop_timer;
};

/* server.c */
/* After every input: does what the room table wants done, and arms the timer. */
void ics_rv_server_process (IcsRvServer *self);
/* Cuts the socket after @ms; a shorter time already set stays. */
void ics_rv_peer_socket_linger (IcsRvPeerSocket *socket, guint ms);
/* The room table forgets the connection. */
void ics_rv_peer_socket_detach (IcsRvPeerSocket *socket, gboolean clean);

/* server-http.c */
void ics_rv_server_add_handlers (IcsRvServer *self);
/* What finds the socket's record from a request: libsoup hands the remote address through. */
void ics_rv_server_tag_address (GSocketAddress *remote, IcsRvPeerSocket *socket);

G_END_DECLS
