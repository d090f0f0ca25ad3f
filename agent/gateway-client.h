/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/port-map.h"
#include <gio/gio.h>

G_BEGIN_DECLS

/* An IcsPortMap with a socket and a clock: maps one UDP port of this host at the gateway of the default
 * route, listens to what that announces, and follows when the default route gets another gateway. */

typedef struct _IcsGatewayClient IcsGatewayClient;

typedef struct
{
  guint32 local; /* IPv4, in host byte order */
  guint16 port;
  guint32 lifetime; /* seconds */
  IcsPortMapChoice choice;
  GMainContext *context;
} IcsGatewayClientConfig;

/* @changed: look at the status; never inside a call, may free the client. NULL when there is no gateway. */
IcsGatewayClient *ics_gateway_client_new (const IcsGatewayClientConfig *config, void (*changed) (gpointer),
                                          gpointer user_data);
void ics_gateway_client_free (IcsGatewayClient *self);

const IcsPortMapStatus *ics_gateway_client_get_status (const IcsGatewayClient *self);
guint32 ics_gateway_client_get_gateway (const IcsGatewayClient *self);

/* Renews the mapping at once, if there is one. */
void ics_gateway_client_refresh (IcsGatewayClient *self);
/* Gives the mapping back; OVER in half a second at most. */
void ics_gateway_client_release (IcsGatewayClient *self);

G_END_DECLS
