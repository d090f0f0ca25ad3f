/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/nat64-lookup.h"
#include <gio/gio.h>

G_BEGIN_DECLS

/* Finds the address of a STUN or TURN server that this host has a route to, bounded in time. An address
 * literal needs no name server. IPv4 comes first: that is where NATs are, and libnice asks every relay for an
 * IPv4 address. */

typedef struct _IcsServerLookup IcsServerLookup;

/* @server, and @source, the address from which this host reaches it, borrowed; both NULL if there is none,
 * with @reason in people's words. The lookup is gone when this runs. */
typedef void (*IcsServerLookupFunc) (GInetSocketAddress *server, GInetAddress *source, const char *reason,
                                     gpointer user_data);

typedef struct
{
  const char *host; /* a name or an address literal */
  guint16 port;
  int family;            /* 0 any, 4 or 6 */
  GMainContext *context; /* of the calling thread; where the function runs */
  guint timeout_ms;
  const IcsNat64Answer *nat64; /* taken where no own address will do; NULL: none; until the end */
} IcsServerLookupConfig;

/* @done never runs before this returns. */
IcsServerLookup *ics_server_lookup_start (const IcsServerLookupConfig *config, IcsServerLookupFunc done,
                                          gpointer user_data);

/* Before @done ran only: it will not run. */
void ics_server_lookup_cancel (IcsServerLookup *self);

G_END_DECLS
