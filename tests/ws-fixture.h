/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/ics-error.h"
#include "signaling/server.h"
#include "signaling/ws-channel.h"
#include "tests/wait.h"

/* A real server and real clients on loopback, in one main context. */

typedef struct
{
  IcsRvServer *server;
  GTlsCertificate *certificate; /* NULL = plain */
  char *uri;
  guint16 port;
} Server;

typedef struct
{
  IcsWsChannel *channel;
  GPtrArray *signals; /* GBytes */
  guint64 data_bytes;
  guint data_frames;
  guint32 next_serial;
  guint writable;
  guint turn;
  gboolean seen[ICS_CHANNEL_CLOSED + 1];
} Client;

/* Again with the same @s: at the same port. @rooms NULL = the defaults. */
void server_start (Server *s, const IcsRoomsConfig *rooms);
void server_end (Server *s);

void client_start (Client *c, const IcsWsChannelConfig *config);
void client_end (Client *c);

IcsChannelState state_of (Client *c);
void wait_state (Client *c, IcsChannelState state);

/* Conditions for a Client. */
gboolean has_signal (gpointer c);
gboolean has_data (gpointer c);

/* Waits for the end. */
void assert_error (Client *c, IcsError code);

/* @a gets a room, @b joins it. */
void pair_at (const char *uri_a, const char *uri_b, Client *a, Client *b);

gboolean send_text (Client *c, const char *text);
gboolean send_data (Client *c, guint32 serial, gsize len);
