/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/gateway-epoch.h"

static gint64
elapsed (const IcsGatewayEpoch *self, gint64 now)
{
  return (now - self->at) / G_USEC_PER_SEC;
}

/* The 2 s are for the resolution of both clocks, the sixteenth for their drift; one second back may come from
 * answers that overtake each other. */
gboolean
ics_gateway_epoch_fits_pcp (const IcsGatewayEpoch *self, gint64 now, guint32 epoch)
{
  gint64 server = (gint64)epoch - self->epoch, client = elapsed (self, now);

  return !self->known
         || (server >= -1 && client + 2 >= server - server / 16 && server + 2 >= client - client / 16);
}

/* A clock that runs slower than 7/8 has been set back. */
gboolean
ics_gateway_epoch_fits_nat_pmp (const IcsGatewayEpoch *self, gint64 now, guint32 epoch)
{
  return !self->known || (gint64)epoch >= (gint64)self->epoch + elapsed (self, now) * 7 / 8 - 2;
}

void
ics_gateway_epoch_set (IcsGatewayEpoch *self, gint64 now, guint32 epoch)
{
  *self = (IcsGatewayEpoch){ .known = TRUE, .epoch = epoch, .at = now };
}
