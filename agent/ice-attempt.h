/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/ice-pair.h"
#include "base/turn-uri.h"
#include <gio/gio.h>

G_BEGIN_DECLS

/* One attempt to find one kind of path with ICE (RFC 8445), on libnice: either relayed candidates only, or
 * host and server-reflexive ones. Runs on the GMainContext it is given and must be used from there only. */

typedef struct _IcsIceAttempt IcsIceAttempt;

typedef enum
{
  ICS_ICE_GATHERING, /* no remote credentials yet */
  ICS_ICE_CHECKING,
  ICS_ICE_CONNECTED, /* a pair is selected: datagrams can be tried; proof is the path probe's business */
  ICS_ICE_FAILED
} IcsIceState;

typedef struct
{
  gboolean controlling;
  gboolean relay_only; /* force-relay, only relayed candidates are signalled */
  gboolean one_hop;    /* one host relays, the other is plain: the peer is what this one is not. Else both are
                          alike */
  gboolean host_only;  /* no STUN server, host candidates only, at both ends of the pair (policy "lan") */
  gboolean likely_only;      /* not from the addresses of VPNs and of networks inside this host */
  int family;                /* 0 any, 4 or 6 */
  const IcsTurnServer *stun; /* direct leg: STUN server; host may be a name; may be NULL */
  const IcsTurnServer *turn; /* relay leg: with credentials; host may be a name */
  gboolean port_mapping;     /* direct leg: ask the gateway for port mappings, and signal them */
  gboolean plain_udp;        /* after graduation: no segmentation offload, even if there is */
  guint limit_ms;            /* from the start, and again from the peer's credentials; 0 = 30 s */
  GMainContext *context;
} IcsIceConfig;

typedef struct
{
  /* A local candidate in RFC 8839 syntax without "a=": "candidate:1 1 UDP 2130706431 192.0.2.1 5000 typ
   * host". */
  void (*candidate) (IcsIceAttempt *self, const char *line, gpointer user_data);
  void (*gathered) (IcsIceAttempt *self, gpointer user_data); /* end of candidates (RFC 8838) */
  void (*state) (IcsIceAttempt *self, IcsIceState state, gpointer user_data);
  void (*received) (IcsIceAttempt *self, const guint8 *data, gsize len, gpointer user_data);
  void (*writable) (IcsIceAttempt *self, gpointer user_data); /* after a send that said BLOCKED */
  /* A hard error: the system has no way out for this path, or has one again. May be NULL. */
  void (*down) (IcsIceAttempt *self, gboolean down, gpointer user_data);
  /* The peer moved to another address, proven by an answer from there. May be NULL. */
  void (*roamed) (IcsIceAttempt *self, gpointer user_data);
  /* One line for the record, in people's words: a check, a pair, an outcome. */
  void (*note) (IcsIceAttempt *self, const char *line, gpointer user_data);
} IcsIceCallbacks;

typedef enum
{
  ICS_SEND_OK,
  ICS_SEND_BLOCKED, /* try again later; the datagram was not taken */
  ICS_SEND_FAILED   /* the datagram is lost */
} IcsSendResult;

IcsIceAttempt *ics_ice_attempt_new (const IcsIceConfig *config, const IcsIceCallbacks *callbacks,
                                    gpointer user_data);

/* Before the start, for TURN over TCP or TLS: the server is reached by TCP to @port on 127.0.0.1, as plain
 * TURN. */
void ics_ice_attempt_set_tunnel (IcsIceAttempt *self, guint16 port);

/* Starts to gather. The credentials are known before. */
gboolean ics_ice_attempt_start (IcsIceAttempt *self, GError **error);
void ics_ice_attempt_get_credentials (IcsIceAttempt *self, const char **ufrag, const char **pwd);

/* The peer's side, trickled (RFC 8838). Candidates may come before the credentials. Returns FALSE (drop and
 * count) for a line that does not parse, is of the wrong type for this leg or family, or comes after the
 * 32nd. */
void ics_ice_attempt_set_remote_credentials (IcsIceAttempt *self, const char *ufrag, const char *pwd);
gboolean ics_ice_attempt_add_remote_candidate (IcsIceAttempt *self, const char *line);
void ics_ice_attempt_end_of_candidates (IcsIceAttempt *self);

IcsIceState ics_ice_attempt_get_state (IcsIceAttempt *self);
IcsSendResult ics_ice_attempt_send (IcsIceAttempt *self, const guint8 *data, gsize len);

/* Sends @len bytes as datagrams of @segment bytes each (the last may be shorter). @taken: bytes that were
 * sent or lost; less than @len only with BLOCKED, then the rest is the caller's. FAILED: the last datagram
 * was lost; so may others be. */
IcsSendResult ics_ice_attempt_send_segments (IcsIceAttempt *self, const guint8 *data, gsize len,
                                             gsize segment, gsize *taken);

/* The address of this host that the selected pair is sent from, below a relay too: (transfer full)
 * (nullable).
 */
GInetAddress *ics_ice_attempt_get_base (IcsIceAttempt *self);

/* The path over this attempt is proven, its round-trip time is @rtt_us. As soon as the pair is stable
 * (libnice has nothing left to check, or the pair has been the same for max(500 ms, 4 RTT)) a direct one
 * leaves libnice, and goes on over the same sockets in batches. May be called again; does nothing on a relay
 * leg. */
void ics_ice_attempt_graduate (IcsIceAttempt *self, gint64 rtt_us);
gboolean ics_ice_attempt_has_graduated (IcsIceAttempt *self);

/* The peer has answered an authenticated question of @asked_at (monotonic µs) on this path: it consents to
 * what is sent there (RFC 7675). 30 s without end in ICS_ICE_FAILED. After graduation STUN asks too. */
void ics_ice_attempt_confirm_consent (IcsIceAttempt *self, gint64 asked_at);

/* The selected pair, copied; FALSE if there is none. Free with ics_ice_pair_clear(). */
gboolean ics_ice_attempt_get_pair (IcsIceAttempt *self, IcsIcePair *pair);

/* Ends the attempt: no callback runs after this returns; the agent is closed asynchronously (allocations
 * released), then freed, then @closed runs (may be NULL). The pointer is dead for the caller from here on. */
void ics_ice_attempt_free (IcsIceAttempt *self, void (*closed) (gpointer), gpointer closed_data);

G_END_DECLS
