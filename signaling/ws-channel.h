/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "signaling/ics-channel.h"

G_BEGIN_DECLS

/* The client side of the rendezvous protocol (docs/protocol.md) over WebSocket. Reconnects with jittered
 * backoff and resumes its place in the room. Lives on the thread-default context it was created in. */

#define ICS_TYPE_WS_CHANNEL (ics_ws_channel_get_type ())
G_DECLARE_FINAL_TYPE (IcsWsChannel, ics_ws_channel, ICS, WS_CHANNEL, GObject)

typedef struct
{
  const char *server_uri;   /* ws://, wss://, http:// or https://; path "/" means the default endpoint */
  const char *nameplate;    /* the room to join, or NULL to be given a new one */
  int family;               /* 0 any, 4 or 6: connect over this address family only */
  guint connect_timeout_ms; /* for one connection attempt; 0 = 15000 */
  gint64 give_up_after_us;  /* how long to try to get back after an interruption, before the peer was there;
                             * afterwards there is no end to it; 0 = 600 s */
} IcsWsChannelConfig;

/* Copies @config. Errors surface as state CLOSED with an ICS_ERROR:
 *   INVALID_ARGUMENT      the URI does not parse
 *   SERVER_UNREACHABLE    the first connection failed (at once, no retries), or give_up_after_us passed
 *   SERVER_REFUSED        a limit of the server; its message says which
 *   NO_PEER               no such nameplate (never given, burnt, or expired)
 *   LINK_LOST             the peer left
 *   PROTOCOL              the server broke the protocol */
IcsWsChannel *ics_ws_channel_new (const IcsWsChannelConfig *config);

/* The nameplate that the server gave or that was joined; NULL before. Signal: IcsWsChannel::nameplate(str).
 */
const char *ics_ws_channel_get_nameplate (IcsWsChannel *self);

/* TURN servers and credentials the server handed out: (transfer none) (element-type IcsTurnServer), may be
 * empty, never NULL. IcsTurnServer is in base/turn-uri.h. Signal: IcsWsChannel::turn-servers(). */
GPtrArray *ics_ws_channel_get_turn_servers (IcsWsChannel *self);

/* Asks for fresh credentials; the signal turn-servers follows. */
void ics_ws_channel_refresh_turn_servers (IcsWsChannel *self);

/* The network changed: connects anew at once, without regard to what seems to be connected, and begins with
 * the shortest pauses again. Does nothing before the first connection is up. */
void ics_ws_channel_reconnect (IcsWsChannel *self);

/* The own address of the connection: (transfer full) (nullable). */
GInetAddress *ics_ws_channel_get_local_address (IcsWsChannel *self);

/* TRUE once the peer closed the channel on purpose (it said so), as against being lost. */
gboolean ics_ws_channel_peer_left (IcsWsChannel *self);

/* Numbers of frames dropped as malformed or over a limit, for the record. */
guint64 ics_ws_channel_get_dropped (IcsWsChannel *self);

G_END_DECLS
