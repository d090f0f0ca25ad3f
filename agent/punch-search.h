/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/udp-flow.h"

G_BEGIN_DECLS

/* The search for a way through a NAT that maps anew for each destination (RFC 4787 §4.1). Sans-IO: time is
 * monotonic µs.
 *
 * The opener sends from many sockets to the one outside address of the prober; each makes a mapping. The
 * prober sends from one socket to many ports of the opener's outside address: to those that were predicted,
 * else to random ones. What comes through on either side is an authenticated STUN check; it is answered, its
 * pair is checked back, and the controlling host nominates the first pair that works.
 *
 * With N = 64,512 ports (1024 to 65535), k mappings and n random probes one hits with
 * 1 - prod (i = 0 … n-1) of (N - k - i) / (N - i): 98.4 % for k = 256 and n = 1,024. */

#define ICS_PUNCH_SOCKETS_MAX 256
#define ICS_PUNCH_PROBES_MAX 1024
#define ICS_PUNCH_TARGETS_MAX 32
#define ICS_PUNCH_PORT_MIN 1024
#define ICS_PUNCH_PORTS (65536 - ICS_PUNCH_PORT_MIN)
/* 300 packets a second, to spare the NATs; a timer that was late catches up with a few at once. */
#define ICS_PUNCH_INTERVAL_US (G_USEC_PER_SEC / 300)
#define ICS_PUNCH_BURST 8
/* The prober waits so long for an answer to its last probes. */
#define ICS_PUNCH_GRACE_US (3 * G_USEC_PER_SEC)

typedef enum
{
  ICS_PUNCH_OPENER,
  ICS_PUNCH_PROBER
} IcsPunchRole;

typedef enum
{
  ICS_PUNCH_WAITING, /* answers, asks nobody by itself */
  ICS_PUNCH_SEARCHING,
  ICS_PUNCH_FOUND, /* the end: both hosts agree on a pair */
  ICS_PUNCH_FAILED /* the end */
} IcsPunchState;

typedef struct
{
  IcsPunchRole role;
  gboolean controlling;
  IcsStunCredentials credentials; /* copied */
  guint n_sockets;                /* of the opener, at most 256; the prober has one */
  guint32 seed;                   /* of the random ports */
} IcsPunchConfig;

typedef struct
{
  IcsFlow flow;
  guint8 data[ICS_STUN_MESSAGE_MAX];
  gsize len;
} IcsPunchPacket;

typedef struct _IcsPunchSearch IcsPunchSearch;

IcsPunchSearch *ics_punch_search_new (const IcsPunchConfig *config);
void ics_punch_search_free (IcsPunchSearch *self);

/* @targets: their sockets do not matter. Opener: one, the prober's outside address. Prober: the addresses at
 * which the opener may be; with @random_probes (at most 1,024) random ports of the first one instead. Counts
 * once. */
void ics_punch_search_start (IcsPunchSearch *self, gint64 now, const IcsFlow *targets, guint n_targets,
                             guint random_probes);

/* TRUE: @reply is to be sent. What is not authentic is dropped. */
gboolean ics_punch_search_receive (IcsPunchSearch *self, gint64 now, const IcsFlow *from, const guint8 *data,
                                   gsize len, IcsPunchPacket *reply);

/* The next packet to send now, or FALSE. */
gboolean ics_punch_search_poll (IcsPunchSearch *self, gint64 now, IcsPunchPacket *packet);
/* Earliest time at which poll() or the state has something new; G_MAXINT64 = never. */
gint64 ics_punch_search_next_timeout (const IcsPunchSearch *self);

IcsPunchState ics_punch_search_get_state (const IcsPunchSearch *self);
/* The pair, once found. */
const IcsFlow *ics_punch_search_get_found (const IcsPunchSearch *self);
/* The opener's first packets are all on their way: the prober can begin. */
gboolean ics_punch_search_is_open (const IcsPunchSearch *self);
/* Packets so far that were no answers, checks of a pair, or openers: the probes. */
guint ics_punch_search_get_probes (const IcsPunchSearch *self);

/* The odds above. */
double ics_punch_search_chance (guint mappings, guint probes);

G_END_DECLS
