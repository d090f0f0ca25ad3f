/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "session/ics-statistics.h"

G_BEGIN_DECLS

/* What a link counts, for IcsStatistics. Counted on the I/O thread and, where it says so, by others; read
 * from any thread. Times are monotonic µs. */
typedef struct _IcsTally IcsTally;

IcsTally *ics_tally_new (void);
IcsTally *ics_tally_ref (IcsTally *self);
void ics_tally_unref (IcsTally *self);

void ics_tally_add_sent (IcsTally *self, IcsPathKind kind, gsize len);
void ics_tally_add_received (IcsTally *self, IcsPathKind kind, gsize len);
/* The traffic is on a path of @kind now. */
void ics_tally_on_path (IcsTally *self, gint64 now, IcsPathKind kind, IcsPathReason reason);
void ics_tally_end (IcsTally *self, gint64 now);
/* Of the path that the traffic is on. */
void ics_tally_set_quality (IcsTally *self, gint64 rtt, double loss);
void ics_tally_add_stall (IcsTally *self, guint ms);
void ics_tally_set_packets_dropped (IcsTally *self, guint64 packets);

typedef enum
{
  ICS_TALLY_SENT,
  ICS_TALLY_UNSENT, /* no room; from any thread */
  ICS_TALLY_RECEIVED,
  ICS_TALLY_MISSED /* by an application that was busy */
} IcsTallyDatagram;

#define ICS_TALLY_N_DATAGRAMS 4

void ics_tally_add_datagram (IcsTally *self, IcsTallyDatagram what);

/* (transfer full) */
IcsStatistics *ics_tally_get (IcsTally *self, gint64 now);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsTally, ics_tally_unref)

G_END_DECLS
