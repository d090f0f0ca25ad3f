/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "session/path-info-private.h"
#include "session/tally.h"
#include "signaling/ics-channel.h"
#include "transport/media-hub.h"
#include "transport/quic-stream.h"

G_BEGIN_DECLS

/* The state machine of one link. Lives on the I/O thread, in the thread-default context it is created in;
 * calls its callbacks there, last. */
typedef struct _IcsEngine IcsEngine;

typedef struct
{
  const char *server_uri;
  IcsChannel *channel;   /* instead of the server's; may be NULL */
  const char *nameplate; /* for the code, with a channel; NULL = "1" */
  const char *code;      /* NULL: listen */
  const char *application;
  IcsPathPolicy policy;
  int family;
  const char *const *turn_uris;
  gboolean no_server_turn;
  gboolean no_port_mapping;
  GTlsDatabase *turn_ca; /* trusted for TURN over TLS besides the system's store; may be NULL */
  gboolean no_port_search;
  IcsTally *tally;
  guint timeout_ms;           /* for the peer to come, and without any path; 0 = the defaults */
  guint handshake_timeout_ms; /* from when the peer is there; 0 = the default */
} IcsEngineConfig;

typedef struct
{
  void (*code) (const char *code, gpointer user_data);
  void (*connected) (IcsStreamHub *hub, const char *own_fingerprint, const char *peer_fingerprint,
                     IcsPathInfo *path, gpointer user_data);
  void (*path) (IcsPathInfo *path, gpointer user_data);
  void (*stall) (guint ms, gpointer user_data);
  /* A sentence, as soon as it is known and again when it changes; NULL: the path is direct now. */
  void (*why_not_direct) (const char *why, gpointer user_data);
  void (*stream) (IcsQuicStream *stream, gpointer user_data);
  void (*datagram) (GBytes *payload, gpointer user_data);
  void (*record) (const char *line, gpointer user_data);
  /* The end, once; @error NULL after a clean close. Nothing is called after it; resources may still be on
   * their way out. */
  void (*closed) (const GError *error, gpointer user_data);
  /* Everything is released: the thread may end. */
  void (*finished) (gpointer user_data);
} IcsEngineCallbacks;

/* Copies what it is given. */
IcsEngine *ics_engine_new (const IcsEngineConfig *config, const IcsEngineCallbacks *callbacks,
                           gpointer user_data);
void ics_engine_start (IcsEngine *self);

/* Ends the link: politely with @code and @reason when it is up, at once otherwise. closed() and finished()
 * follow. */
void ics_engine_close (IcsEngine *self, guint64 code, const char *reason);
void ics_engine_set_policy (IcsEngine *self, IcsPathPolicy policy);
gboolean ics_engine_send_datagram (IcsEngine *self, GBytes *payload);
/* RTP from now on. @profiles: names with a blank between, the preferred one first. Once. */
void ics_engine_open_media (IcsEngine *self, IcsMediaHub *hub, const char *profiles, gboolean log_keys);

/* After finished(). */
void ics_engine_free (IcsEngine *self);

G_END_DECLS
