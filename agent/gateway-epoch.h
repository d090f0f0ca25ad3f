/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a gateway says of the time since it began to keep its mappings, beside the time that has passed here:
 * where they do not fit, it has forgotten them. Pure; time is monotonic µs. */
typedef struct
{
  gboolean known;
  guint32 epoch; /* seconds, of the last answer */
  gint64 at;     /* when that came */
} IcsGatewayEpoch;

/* TRUE also for the first one. @epoch in seconds; RFC 6887 §8.5, RFC 6886 §3.6. */
gboolean ics_gateway_epoch_fits_pcp (const IcsGatewayEpoch *self, gint64 now, guint32 epoch);
gboolean ics_gateway_epoch_fits_nat_pmp (const IcsGatewayEpoch *self, gint64 now, guint32 epoch);
void ics_gateway_epoch_set (IcsGatewayEpoch *self, gint64 now, guint32 epoch);

G_END_DECLS
