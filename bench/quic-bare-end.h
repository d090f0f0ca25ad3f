/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bench/udp-batch.h"

#include <ngtcp2/ngtcp2.h>

/* One end of the bare connection: the side that sends is the client. */
typedef struct _BareEnd BareEnd;

typedef struct
{
  UdpBatch *udp;
  gboolean sends;
  ngtcp2_cc_algo congestion;
  guint streams;
  guint64 window; /* bytes a stream */
  gsize packet, ack_every;
  double seconds;
  gint64 skip_us;
} BareConfig;

BareEnd *bare_end_new (const BareConfig *config);
void bare_end_free (BareEnd *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BareEnd, bare_end_free)

guint64 bare_now (void); /* monotonic, ns */

void bare_end_read (BareEnd *self, const guint8 *data, gsize len);
void bare_end_tick (BareEnd *self);
gboolean bare_end_write (BareEnd *self); /* TRUE: there is more to send at once */
guint64 bare_end_expiry (BareEnd *self);
gboolean bare_end_is_blocked (BareEnd *self); /* the socket is full */
gboolean bare_end_is_over (BareEnd *self);
void bare_end_report (BareEnd *self);
