/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "turn-fallback/turn-talk.h"
#include "turn-fallback/turn-tunnel.h"

G_BEGIN_DECLS

/* Between the files turn-tunnel*.c. */

#define ICS_TUNNEL_BUFFER (64 * 1024)

typedef enum
{
  ICS_TUNNEL_DIALLING,  /* to the server */
  ICS_TUNNEL_LISTENING, /* for the client */
  ICS_TUNNEL_CARRYING,
  ICS_TUNNEL_REDIRECTED, /* carrying nothing while dialling anew */
  ICS_TUNNEL_ENDED
} IcsTunnelState;

/* One direction: what was read waits in @queue until it is written, and only then more is read. */
typedef struct
{
  guint8 buffer[ICS_TUNNEL_BUFFER];
  GByteArray *queue;
  GByteArray *writing; /* what a write under way holds; else NULL */
  gboolean reading;
} IcsTunnelDirection;

/* Reference-counted: whatever is under way holds a reference. */
struct _IcsTurnTunnel
{
  IcsTurnServer *server;
  IcsTurnServer *target; /* where it goes: @server, or where that one sent us */
  char *uri;
  GTlsDatabase *ca;
  int family;
  guint timeout_ms;
  IcsTurnTunnelCallbacks callbacks;
  gpointer user_data;
  gboolean muted;

  IcsTunnelState state;
  GCancellable *cancellable;
  GSocket *listener;
  GSource *accepting;
  GSource *patience; /* for the client */
  guint n_strangers;
  GSocketConnection *client;
  GSocketConnection *outer;
  gboolean redirected, through_proxy;
  IcsTurnTalk *talk;
  IcsTunnelDirection up, down;
  gint64 asked_at; /* a request without an answer so far; 0 = none */
  gint64 rtt;      /* µs; -1 = not measured */
};

/* turn-tunnel.c: the server, the begin and the end */
IcsTurnTunnel *ics_tunnel_hold (IcsTurnTunnel *self);
void ics_tunnel_release (IcsTurnTunnel *self);
void ics_tunnel_note (IcsTurnTunnel *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
void ics_tunnel_end (IcsTurnTunnel *self);
/* The same question on another connection: a server may take a second one on the same for a repetition
 * (coturn 4.6 answers it with no address then). */
void ics_tunnel_dial_anew (IcsTurnTunnel *self);
/* On to the server that @answer names; or the end. */
void ics_tunnel_redirect (IcsTurnTunnel *self, const IcsTurnAnswer *answer);

/* turn-tunnel-client.c */
void ics_tunnel_listen (IcsTurnTunnel *self);
void ics_tunnel_stop_listening (IcsTurnTunnel *self);

/* turn-tunnel-carry.c: both ends are there */
void ics_tunnel_carry (IcsTurnTunnel *self);

G_END_DECLS
