/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/nat-pmp.h"
#include "agent/port-map-private.h"
#include <string.h>

/* What a gateway answers, and what comes of it. */

/* What was asked for is made anew by the answer itself, if the gateway had lost it. */
static void
take_epoch (IcsPortMap *self, gint64 now, guint32 epoch)
{
  if (!ics_port_map_epoch_fits (self, now, epoch))
    self->status.restarts++;
  ics_gateway_epoch_set (&self->epoch, now, epoch);
}

static gboolean
is_asking (const IcsPortMap *self)
{
  switch (self->status.state)
    {
    case ICS_PORT_MAP_SEEKING:
    case ICS_PORT_MAP_GRANTED:
    case ICS_PORT_MAP_RELEASING:
      return self->sent > 0;
    case ICS_PORT_MAP_REFUSED:
    case ICS_PORT_MAP_OVER:
      return FALSE;
    }
  return FALSE;
}

/* An error while the mapping lives changes nothing: it is asked for again until its time is over. */
static void
take_pcp_error (IcsPortMap *self, gint64 now, guint8 result)
{
  if (self->status.state != ICS_PORT_MAP_SEEKING)
    return;
  if (result == ICS_PCP_UNSUPP_VERSION || result == ICS_PCP_UNSUPP_OPCODE
      || result == ICS_PCP_MALFORMED_REQUEST)
    ics_port_map_try_nat_pmp (self, now);
  else
    ics_port_map_refuse (self, ics_pcp_result_to_string (result));
}

static gboolean
pcp_grants (const IcsPcpResponse *response)
{
  return response->result == ICS_PCP_SUCCESS && response->external != 0 && response->external_port != 0
         && response->lifetime != 0;
}

/* Whether it answers what was asked, or was asked before NAT-PMP was tried, and came late. */
static gboolean
pcp_is_due (const IcsPortMap *self, const IcsPcpResponse *response)
{
  gboolean late = self->step != ICS_PORT_MAP_ASK_PCP;

  if (response->version != ICS_PCP_VERSION)
    return !late;
  if (response->opcode != ICS_PCP_MAP || response->internal_port != self->config.internal_port
      || memcmp (response->nonce, self->config.nonce, ICS_PCP_NONCE_LEN) != 0)
    return FALSE;
  if (self->status.state == ICS_PORT_MAP_SEEKING && pcp_grants (response))
    return TRUE;
  return !late
         && (self->status.state == ICS_PORT_MAP_RELEASING || response->result != ICS_PCP_SUCCESS
             || pcp_grants (response));
}

/* FALSE: it is no answer to what was asked. */
static gboolean
take_pcp (IcsPortMap *self, gint64 now, const guint8 *data, gsize len)
{
  IcsPcpResponse response;

  if (!ics_pcp_parse (data, len, &response) || !pcp_is_due (self, &response))
    return FALSE;
  if (response.version != ICS_PCP_VERSION)
    {
      take_pcp_error (self, now, ICS_PCP_UNSUPP_VERSION);
      return TRUE;
    }
  if (self->step != ICS_PORT_MAP_ASK_PCP)
    ics_port_map_seek (self, now);
  take_epoch (self, now, response.epoch);
  if (self->status.state == ICS_PORT_MAP_RELEASING)
    ics_port_map_stop (self, ICS_PORT_MAP_OVER);
  else if (response.result != ICS_PCP_SUCCESS)
    take_pcp_error (self, now, response.result);
  else
    ics_port_map_grant (self, now, response.external, response.external_port, response.lifetime);
  return TRUE;
}

/* An error while the mapping lives changes nothing, as above. */
static gboolean
take_nat_pmp_error (IcsPortMap *self, guint16 result)
{
  if (self->status.state == ICS_PORT_MAP_RELEASING)
    ics_port_map_stop (self, ICS_PORT_MAP_OVER);
  else if (self->status.state == ICS_PORT_MAP_SEEKING)
    ics_port_map_refuse (self, ics_nat_pmp_result_to_string (result));
  return TRUE;
}

/* RFC 6887 §9: the answer of a gateway that knows NAT-PMP only. There is one for each request that was sent
 * before it came. */
static gboolean
take_unsupported_version (IcsPortMap *self, gint64 now)
{
  if (self->step != ICS_PORT_MAP_ASK_PCP)
    return FALSE;
  if (self->status.state == ICS_PORT_MAP_SEEKING)
    ics_port_map_try_nat_pmp (self, now);
  else if (self->status.state == ICS_PORT_MAP_RELEASING)
    ics_port_map_stop (self, ICS_PORT_MAP_OVER);
  return TRUE;
}

static gboolean
take_nat_pmp_map (IcsPortMap *self, gint64 now, const IcsNatPmpResponse *response)
{
  if (response->internal_port != self->config.internal_port)
    return FALSE;
  if (self->status.state == ICS_PORT_MAP_RELEASING)
    {
      ics_port_map_stop (self, ICS_PORT_MAP_OVER);
      return TRUE;
    }
  if (response->external_port == 0 || response->lifetime == 0)
    return FALSE;
  take_epoch (self, now, response->epoch);
  ics_port_map_grant (self, now, self->external, response->external_port, response->lifetime);
  return TRUE;
}

static gboolean
take_nat_pmp (IcsPortMap *self, gint64 now, const guint8 *data, gsize len)
{
  IcsNatPmpResponse response;

  if (!ics_nat_pmp_parse (data, len, &response))
    return FALSE;
  if (response.result == ICS_NAT_PMP_UNSUPP_VERSION)
    return take_unsupported_version (self, now);
  if (self->step
      != (response.opcode == ICS_NAT_PMP_ADDRESS ? ICS_PORT_MAP_ASK_NAT_PMP_ADDRESS
                                                 : ICS_PORT_MAP_ASK_NAT_PMP_MAP))
    return FALSE;
  if (response.result != ICS_NAT_PMP_SUCCESS)
    return take_nat_pmp_error (self, response.result);
  if (response.opcode == ICS_NAT_PMP_MAP_UDP)
    return take_nat_pmp_map (self, now, &response);
  if (response.external == 0)
    return take_nat_pmp_error (self, ICS_NAT_PMP_NETWORK_FAILURE);
  take_epoch (self, now, response.epoch);
  self->external = response.external;
  ics_port_map_begin (self, now, ICS_PORT_MAP_ASK_NAT_PMP_MAP);
  return TRUE;
}

void
ics_port_map_handle_input (IcsPortMap *self, gint64 now, const guint8 *data, gsize len)
{
  gboolean taken = FALSE;

  if (len > 0 && is_asking (self))
    taken = data[0] == ICS_NAT_PMP_VERSION ? take_nat_pmp (self, now, data, len)
                                           : take_pcp (self, now, data, len);
  if (!taken)
    self->status.dropped++;
}
