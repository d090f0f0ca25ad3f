/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/ice-pair.h"
#include "base/turn-uri.h"
#include <gio/gio.h>

G_BEGIN_DECLS

/* One attempt to find one kind of path between two hosts, whatever it does for it. All are ICE (RFC 8445, RFC
 * 6544) in what they exchange: credentials, candidates, the end of candidates. An attempt runs on the
 * GMainContext it is given and must be used from there only. */

typedef struct _IcsTraversal IcsTraversal;

typedef enum
{
  ICS_ICE_GATHERING, /* no remote credentials yet */
  ICS_ICE_CHECKING,
  ICS_ICE_CONNECTED, /* a pair is selected: datagrams can be tried; proof is the path probe's business */
  ICS_ICE_FAILED
} IcsIceState;

/* "gathering", "connected". */
const char *ics_ice_state_to_string (IcsIceState state);

/* What an attempt is told. Each kind looks at what concerns it, and copies what it needs. */
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
  gboolean opens;            /* search leg: this host opens the mappings, the peer probes */
  guint limit_ms;            /* from the start, and again from the peer's credentials; 0 = 30 s */
  gint64 signal_rtt_us;      /* round-trip time of what carries the signals; 0 = unknown */
  GMainContext *context;
} IcsIceConfig;

/* They fire from the main loop, never from within a call of the owner's, and any of them may free it. */
typedef struct
{
  /* A local candidate in RFC 8839 syntax without "a=": "candidate:1 1 UDP 2130706431 192.0.2.1 5000 typ
   * host". */
  void (*candidate) (IcsTraversal *self, const char *line, gpointer user_data);
  void (*gathered) (IcsTraversal *self, gpointer user_data); /* end of candidates (RFC 8838) */
  void (*state) (IcsTraversal *self, IcsIceState state, gpointer user_data);
  /* @len bytes that came together, datagrams of @segment bytes each (the last may be shorter). */
  void (*received) (IcsTraversal *self, const guint8 *data, gsize len, gsize segment, gpointer user_data);
  void (*writable) (IcsTraversal *self, gpointer user_data); /* after a send that said BLOCKED */
  /* A hard error: the system has no way out for this path, or has one again. May be NULL. */
  void (*down) (IcsTraversal *self, gboolean down, gpointer user_data);
  /* The peer moved to another address, proven by an answer from there. May be NULL. */
  void (*roamed) (IcsTraversal *self, gpointer user_data);
  /* One line for the record, in people's words: a check, a pair, an outcome. */
  void (*note) (IcsTraversal *self, const char *line, gpointer user_data);
} IcsIceCallbacks;

typedef enum
{
  ICS_SEND_OK,
  ICS_SEND_BLOCKED, /* try again later; the datagram was not taken */
  ICS_SEND_FAILED   /* the datagram is lost */
} IcsSendResult;

/* How each kind is made: ics_ice_attempt_new(), for example. */
typedef IcsTraversal *(*IcsTraversalNew) (const IcsIceConfig *config, const IcsIceCallbacks *callbacks,
                                          gpointer user_data);

/* Starts to gather. The credentials are known before. */
gboolean ics_traversal_start (IcsTraversal *self, GError **error);
void ics_traversal_get_credentials (IcsTraversal *self, const char **ufrag, const char **pwd);

/* The peer's side, trickled (RFC 8838). Candidates may come before the credentials. Returns FALSE (drop and
 * count) for a line that does not parse, is of the wrong type for this attempt or family, or comes after the
 * 32nd. */
void ics_traversal_set_remote_credentials (IcsTraversal *self, const char *ufrag, const char *pwd);
gboolean ics_traversal_add_remote_candidate (IcsTraversal *self, const char *line);
void ics_traversal_end_of_candidates (IcsTraversal *self);

IcsIceState ics_traversal_get_state (IcsTraversal *self);
IcsSendResult ics_traversal_send (IcsTraversal *self, const guint8 *data, gsize len);

/* Sends @len bytes as datagrams of @segment bytes each (the last may be shorter). @taken: bytes that were
 * sent or lost; less than @len only with BLOCKED, then the rest is the caller's. FAILED: the last datagram
 * was lost; so may others be. */
IcsSendResult ics_traversal_send_segments (IcsTraversal *self, const guint8 *data, gsize len, gsize segment,
                                           gsize *taken);

/* The address of this host that the selected pair is sent from, below a relay too: (transfer full)
 * (nullable). */
GInetAddress *ics_traversal_get_base (IcsTraversal *self);

/* The path over this attempt is proven, its round-trip time is @rtt_us: what was needed for the search alone
 * can go. May be called again. */
void ics_traversal_graduate (IcsTraversal *self, gint64 rtt_us);

/* The peer has answered an authenticated question of @asked_at (monotonic µs) on this path: it consents to
 * what is sent there (RFC 7675). 30 s without end in ICS_ICE_FAILED. */
void ics_traversal_confirm_consent (IcsTraversal *self, gint64 asked_at);

/* The selected pair, copied; FALSE if there is none. Free with ics_ice_pair_clear(). */
gboolean ics_traversal_get_pair (IcsTraversal *self, IcsIcePair *pair);

/* Ends the attempt: no callback runs after this returns. What it holds is released asynchronously, then
 * @closed runs (may be NULL). The pointer is dead for the caller from here on. */
void ics_traversal_free (IcsTraversal *self, void (*closed) (gpointer), gpointer closed_data);

G_END_DECLS
