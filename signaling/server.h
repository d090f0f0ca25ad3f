/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "signaling/rooms.h"
#include <gio/gio.h>

G_BEGIN_DECLS

/* The rendezvous server: the room table on libsoup's HTTP server and WebSocket. Lives on the thread-default
 * context it was created in. */
typedef struct _IcsRvServer IcsRvServer;

typedef struct
{
  GTlsCertificate *certificate; /* with its key; NULL = plain */
  IcsRoomsConfig rooms;
  /* TURN servers for one member, credentials fresh: (transfer full) (element-type IcsTurnServer). NULL =
   * none. */
  GPtrArray *(*turn_servers) (gpointer user_data);
  gpointer user_data;
} IcsRvServerConfig;

IcsRvServer *ics_rv_server_new (const IcsRvServerConfig *config);
/* Cuts what is left. */
void ics_rv_server_free (IcsRvServer *self);

/* Binds @address; the IPv6 wildcard takes IPv4 as well, and only that on a host without IPv6. Returns the
 * bound address (port 0 replaced), or NULL. */
GSocketAddress *ics_rv_server_listen (IcsRvServer *self, GSocketAddress *address, GError **error);

/* Takes no more connections and closes those that are there (1001, going away). @stopped runs once they are
 * gone, within two seconds. */
void ics_rv_server_stop (IcsRvServer *self, void (*stopped) (gpointer), gpointer user_data);

/* As /healthz shows it. */
char *ics_rv_server_get_health (IcsRvServer *self);
IcsRooms *ics_rv_server_get_rooms (IcsRvServer *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsRvServer, ics_rv_server_free)

G_END_DECLS
