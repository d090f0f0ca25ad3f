/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Maps one UDP port of this host at the gateway by UPnP (WANIPConnection), on miniupnpc. That blocks, so it
 * runs on a thread of its own, which this host's own context never waits for. Only a device that is the
 * gateway itself is asked. Addresses are IPv4 in host byte order. */

typedef struct _IcsUpnpClient IcsUpnpClient;

typedef enum
{
  ICS_UPNP_SEEKING,
  ICS_UPNP_GRANTED, /* and renewed at half of its lifetime */
  ICS_UPNP_REFUSED, /* not to be had, or not any more */
  ICS_UPNP_OVER     /* given back */
} IcsUpnpState;

typedef struct
{
  guint32 local;
  guint16 port;
  guint32 gateway;
  guint32 lifetime; /* seconds */
  GMainContext *context;
} IcsUpnpConfig;

typedef struct
{
  IcsUpnpState state;
  guint32 external; /* GRANTED */
  guint16 external_port;
  const char *reason; /* REFUSED: static, in people's words */
} IcsUpnpStatus;

/* @changed: look at the status; on the context, never inside a call, may free the client. NULL when too many
 * are at it already. */
IcsUpnpClient *ics_upnp_client_new (const IcsUpnpConfig *config, void (*changed) (gpointer),
                                    gpointer user_data);

/* What the thread is at it finishes by itself; a mapping that was not released stays until it lapses. */
void ics_upnp_client_free (IcsUpnpClient *self);

IcsUpnpStatus ics_upnp_client_get_status (IcsUpnpClient *self);

/* Gives the mapping back. FALSE: there is none, nothing follows. TRUE: OVER or REFUSED follow when the
 * gateway has answered; wait for it, but not for long. */
gboolean ics_upnp_client_release (IcsUpnpClient *self);

G_END_DECLS
