/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/ics-error.h"
#include "signaling/rendezvous.h"
#include "signaling/ws-channel.h"
#include <libsoup/soup.h>

G_BEGIN_DECLS

/* Between ws-channel.c (the object and the interface), ws-channel-connection.c (connecting, interruption and
 * return) and ws-channel-inbox.c (what comes from the server). */

#define ICS_WS_CHANNEL_BACKOFF_FIRST_MS 200

struct _IcsWsChannel
{
  GObject parent_instance;

  char *server_uri;
  char *wanted; /* the nameplate to join */
  int family;
  guint connect_timeout_ms;
  gint64 give_up_after;

  GUri *uri;
  IcsChannelState state;
  SoupWebsocketConnection *websocket;
  GCancellable *dialing; /* the attempt under way, or NULL */
  GSource *retry;
  GSource *beat;
  GSource *closing;
  gint64 heard;
  gint64 interrupted_at;
  guint backoff_ms;

  gboolean placed;
  gboolean joined; /* the peer has been there */
  gboolean peer_left;
  IcsRvMessage place;
  char *nameplate;
  GPtrArray *turn;

  gsize credit;
  gsize received; /* cost not yet credited to the server */
  guint64 dropped;
};

/* ws-channel.c */
void ics_ws_channel_set_state (IcsWsChannel *self, IcsChannelState state);
/* The end, with @error (transfer full) or without. */
void ics_ws_channel_finish (IcsWsChannel *self, GError *error);
void ics_ws_channel_fail (IcsWsChannel *self, IcsError code, const char *message);
gboolean ics_ws_channel_is_connected (IcsWsChannel *self);
void ics_ws_channel_send_frame (IcsWsChannel *self, GBytes *frame);
void ics_ws_channel_send_request (IcsWsChannel *self, IcsRvMessage *request);

/* ws-channel-connection.c */
void ics_ws_channel_dial (IcsWsChannel *self);
void ics_ws_channel_interrupt (IcsWsChannel *self, const char *why);
/* Drops the connection and gives up every attempt to get one. */
void ics_ws_channel_disconnect (IcsWsChannel *self);

/* ws-channel-inbox.c */
void ics_ws_channel_take_text (IcsWsChannel *self, const char *text, gsize len);
void ics_ws_channel_take_binary (IcsWsChannel *self, GBytes *frame);

G_END_DECLS
