/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/nat64-lookup.h"
#include <gio/gio.h>

G_BEGIN_DECLS

/* Finds the address of a STUN or TURN server that this host has a route to, bounded in time. An address
 * literal needs no name server. IPv4 comes first: that is where NATs are, and libnice asks every relay for an
 * IPv4 address. */

typedef struct _IcsServerLookup IcsServerLookup;

/* All borrowed. */
typedef struct
{
  GInetSocketAddress *server;  /* NULL: there is none */
  GInetAddress *source;        /* from which this host reaches it; NULL as well */
  const char *reason;          /* why there is none, in people's words */
  const IcsNat64Prefix *nat64; /* of this network; NULL: it was not asked for, or there is none */
} IcsServerFound;

/* The lookup is gone when this runs. */
typedef void (*IcsServerLookupFunc) (const IcsServerFound *found, gpointer user_data);

typedef struct
{
  const char *host; /* a name or an address literal; NULL, with @nat64: the prefix is all that is wanted */
  guint16 port;
  int family;            /* 0 any, 4 or 6; of the server's own addresses */
  GMainContext *context; /* of the calling thread; where the function runs */
  guint timeout_ms;      /* of the name */
  gboolean nat64; /* IPv4 has to go through a NAT64: its prefix is asked for before, and the way through it is
                     taken where no own address will do */
} IcsServerLookupConfig;

/* @done never runs before this returns. */
IcsServerLookup *ics_server_lookup_start (const IcsServerLookupConfig *config, IcsServerLookupFunc done,
                                          gpointer user_data);

/* Before @done ran only: it will not run. */
void ics_server_lookup_cancel (IcsServerLookup *self);

G_END_DECLS
