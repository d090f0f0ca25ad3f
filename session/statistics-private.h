/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "session/tally.h"

G_BEGIN_DECLS

struct _IcsStatistics
{
  gatomicrefcount refs;
  guint64 sent[ICS_N_PATH_KINDS], received[ICS_N_PATH_KINDS]; /* bytes */
  guint64 time[ICS_N_PATH_KINDS];                             /* µs */
  gint64 rtt;                                                 /* µs */
  double loss;
  guint n_shifts, n_stalls, longest_stall_ms;
  guint64 datagrams[ICS_TALLY_N_DATAGRAMS]; /* IcsTallyDatagram */
  guint64 packets_dropped;
};

G_END_DECLS
