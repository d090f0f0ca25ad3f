/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A server on 127.0.0.1 for one test, on a thread of its own: it does as it is told with each connection, one
 * after the other, and closes it. */
typedef struct _TurnPeer TurnPeer;

/* Blocking. */
typedef void (*TurnPeerScript) (GIOStream *stream, gpointer data);

/* @certificate: a PEM file with the key in it: TLS; NULL: none. */
TurnPeer *turn_peer_start (const char *certificate, TurnPeerScript script, gpointer data);
guint16 turn_peer_get_port (TurnPeer *self);
/* Waits for the script. */
void turn_peer_stop (TurnPeer *self);

/* Scripts, and parts of them. */
void turn_peer_read (GIOStream *stream, gsize len);
void turn_peer_write (GIOStream *stream, GByteArray *bytes);

G_END_DECLS
