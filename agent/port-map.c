/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/port-map.h"
#include "agent/gateway-epoch.h"
#include "agent/nat-pmp.h"
#include <string.h>

/* RFC 6886 §3.1: 250 ms, doubled each time; for PCP too, whose own 3 s (RFC 6887 §8.1.1) are longer than ICE
 * waits for a candidate. After the third one a protocol is given up: 1.75 s. */
#define RTO_US (250 * G_TIME_SPAN_MILLISECOND)
#define TRIES 3
/* A host that leaves does not stay for long: 250 ms each. */
#define RELEASE_TRIES 2

/* RFC 6887 §11.2.1: after 1/2 to 5/8 of the lifetime, then of what is left of it; never sooner than 4 s. */
#define RENEW_FROM 0.5
#define RENEW_TO 0.625
#define RENEW_GAP_US (4 * G_USEC_PER_SEC)
/* §8.5 asks for a small random delay, so that not all hosts of a network come back at the same moment. */
#define RESTART_SPREAD_US (500 * G_TIME_SPAN_MILLISECOND)

/* A longer lifetime than this is cut (RFC 6887 §15: 24 hours). */
#define LIFETIME_MAX 86400

typedef enum
{
  ASK_PCP,
  ASK_NAT_PMP_ADDRESS,
  ASK_NAT_PMP_MAP
} Step;

struct _IcsPortMap
{
  IcsPortMapConfig config;
  IcsPortMapStatus status;
  Step step;
  guint sent;        /* in this step */
  gint64 send_at;    /* G_MAXINT64: nothing more in this step */
  gint64 give_up_at; /* this step */
  gint64 asked_at;   /* the last request */
  gint64 expires_at; /* the mapping */
  guint32 external;  /* NAT-PMP: the address, before the port is known */
  IcsGatewayEpoch epoch;
};

/* --- steps --- */

static void
begin (IcsPortMap *self, gint64 now, Step step)
{
  self->step = step;
  self->sent = 0;
  self->send_at = now;
  self->give_up_at = G_MAXINT64;
}

static void
stop (IcsPortMap *self, IcsPortMapState state)
{
  self->status.state = state;
  self->send_at = self->give_up_at = self->expires_at = G_MAXINT64;
}

static void
refuse (IcsPortMap *self, const char *reason)
{
  self->status.reason = reason;
  stop (self, ICS_PORT_MAP_REFUSED);
}

static void
seek (IcsPortMap *self, gint64 now)
{
  self->status.state = ICS_PORT_MAP_SEEKING;
  self->expires_at = G_MAXINT64;
  self->epoch.known = FALSE;
  begin (self, now, ASK_PCP);
}

static void
try_nat_pmp (IcsPortMap *self, gint64 now)
{
  self->epoch.known = FALSE;
  begin (self, now, ASK_NAT_PMP_ADDRESS);
}

static gint64
part_of (IcsPortMap *self, gint64 span)
{
  return MAX (RENEW_GAP_US,
              (gint64)((double)span * g_rand_double_range (self->config.random, RENEW_FROM, RENEW_TO)));
}

/* NAT-PMP's address is asked for each time: it may have changed meanwhile. */
static void
grant (IcsPortMap *self, gint64 now, guint32 external, guint16 port, guint32 lifetime)
{
  IcsPortMapStatus *status = &self->status;
  gint64 span;

  if (status->state == ICS_PORT_MAP_GRANTED)
    status->renewals++;
  status->state = ICS_PORT_MAP_GRANTED;
  status->protocol = self->step == ASK_PCP ? ICS_PORT_MAP_PCP : ICS_PORT_MAP_NAT_PMP;
  status->external = external;
  status->external_port = port;
  status->lifetime = MIN (lifetime, LIFETIME_MAX);
  span = status->lifetime * G_USEC_PER_SEC;
  self->expires_at = now + span;
  begin (self, now + part_of (self, span), self->step == ASK_PCP ? ASK_PCP : ASK_NAT_PMP_ADDRESS);
}

IcsPortMap *
ics_port_map_new (gint64 now, const IcsPortMapConfig *config)
{
  IcsPortMap *self = g_new0 (IcsPortMap, 1);

  self->config = *config;
  self->asked_at = G_MININT64;
  seek (self, now);
  return self;
}

void
ics_port_map_free (IcsPortMap *self)
{
  g_free (self);
}

const IcsPortMapStatus *
ics_port_map_get_status (const IcsPortMap *self)
{
  return &self->status;
}

/* --- epochs --- */

static gboolean
epoch_fits (const IcsPortMap *self, gint64 now, guint32 epoch)
{
  return self->step == ASK_PCP ? ics_gateway_epoch_fits_pcp (&self->epoch, now, epoch)
                               : ics_gateway_epoch_fits_nat_pmp (&self->epoch, now, epoch);
}

/* What was asked for is made anew by the answer itself, if the gateway had lost it. */
static void
take_epoch (IcsPortMap *self, gint64 now, guint32 epoch)
{
  if (!epoch_fits (self, now, epoch))
    self->status.restarts++;
  ics_gateway_epoch_set (&self->epoch, now, epoch);
}

/* --- answers --- */

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
    try_nat_pmp (self, now);
  else
    refuse (self, ics_pcp_result_to_string (result));
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
  gboolean late = self->step != ASK_PCP;

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
  if (self->step != ASK_PCP)
    seek (self, now);
  take_epoch (self, now, response.epoch);
  if (self->status.state == ICS_PORT_MAP_RELEASING)
    stop (self, ICS_PORT_MAP_OVER);
  else if (response.result != ICS_PCP_SUCCESS)
    take_pcp_error (self, now, response.result);
  else
    grant (self, now, response.external, response.external_port, response.lifetime);
  return TRUE;
}

/* An error while the mapping lives changes nothing, as above. */
static gboolean
take_nat_pmp_error (IcsPortMap *self, guint16 result)
{
  if (self->status.state == ICS_PORT_MAP_RELEASING)
    stop (self, ICS_PORT_MAP_OVER);
  else if (self->status.state == ICS_PORT_MAP_SEEKING)
    refuse (self, ics_nat_pmp_result_to_string (result));
  return TRUE;
}

/* RFC 6887 §9: the answer of a gateway that knows NAT-PMP only. There is one for each request that was sent
 * before it came. */
static gboolean
take_unsupported_version (IcsPortMap *self, gint64 now)
{
  if (self->step != ASK_PCP)
    return FALSE;
  if (self->status.state == ICS_PORT_MAP_SEEKING)
    try_nat_pmp (self, now);
  else if (self->status.state == ICS_PORT_MAP_RELEASING)
    stop (self, ICS_PORT_MAP_OVER);
  return TRUE;
}

static gboolean
take_nat_pmp_map (IcsPortMap *self, gint64 now, const IcsNatPmpResponse *response)
{
  if (response->internal_port != self->config.internal_port)
    return FALSE;
  if (self->status.state == ICS_PORT_MAP_RELEASING)
    {
      stop (self, ICS_PORT_MAP_OVER);
      return TRUE;
    }
  if (response->external_port == 0 || response->lifetime == 0)
    return FALSE;
  take_epoch (self, now, response->epoch);
  grant (self, now, self->external, response->external_port, response->lifetime);
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
  if (self->step != (response.opcode == ICS_NAT_PMP_ADDRESS ? ASK_NAT_PMP_ADDRESS : ASK_NAT_PMP_MAP))
    return FALSE;
  if (response.result != ICS_NAT_PMP_SUCCESS)
    return take_nat_pmp_error (self, response.result);
  if (response.opcode == ICS_NAT_PMP_MAP_UDP)
    return take_nat_pmp_map (self, now, &response);
  if (response.external == 0)
    return take_nat_pmp_error (self, ICS_NAT_PMP_NETWORK_FAILURE);
  take_epoch (self, now, response.epoch);
  self->external = response.external;
  begin (self, now, ASK_NAT_PMP_MAP);
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

/* --- other news --- */

/* Whether it tells of a gateway that has lost its state. */
static gboolean
tells_of_loss (IcsPortMap *self, gint64 now, const guint8 *data, gsize len)
{
  IcsPcpResponse pcp;
  IcsNatPmpResponse nat_pmp;

  if (self->status.protocol == ICS_PORT_MAP_PCP && ics_pcp_parse (data, len, &pcp))
    return pcp.opcode == ICS_PCP_ANNOUNCE && pcp.version == ICS_PCP_VERSION
           && !epoch_fits (self, now, pcp.epoch);
  if (self->status.protocol == ICS_PORT_MAP_NAT_PMP && ics_nat_pmp_parse (data, len, &nat_pmp))
    return nat_pmp.opcode == ICS_NAT_PMP_ADDRESS && nat_pmp.result == ICS_NAT_PMP_SUCCESS
           && (nat_pmp.external != self->status.external || !epoch_fits (self, now, nat_pmp.epoch));
  self->status.dropped++;
  return FALSE;
}

void
ics_port_map_handle_announcement (IcsPortMap *self, gint64 now, const guint8 *data, gsize len)
{
  gint64 spread;

  if (self->status.state != ICS_PORT_MAP_GRANTED || !tells_of_loss (self, now, data, len))
    return;
  spread = g_rand_int_range (self->config.random, 0, RESTART_SPREAD_US);
  self->send_at = MIN (self->send_at, MAX (now + spread, self->asked_at + RENEW_GAP_US));
}

void
ics_port_map_handle_unreachable (IcsPortMap *self, G_GNUC_UNUSED gint64 now)
{
  if (self->status.state == ICS_PORT_MAP_RELEASING)
    stop (self, ICS_PORT_MAP_OVER);
  else if (self->status.state == ICS_PORT_MAP_SEEKING)
    refuse (self, "it does not listen there");
}

void
ics_port_map_handle_new_gateway (IcsPortMap *self, gint64 now)
{
  if (self->status.state == ICS_PORT_MAP_RELEASING || self->status.state == ICS_PORT_MAP_OVER)
    return;
  self->status.external = 0;
  seek (self, now);
}

void
ics_port_map_refresh (IcsPortMap *self, gint64 now)
{
  if (self->status.state == ICS_PORT_MAP_GRANTED)
    self->send_at = now;
}

/* What was asked for may have been granted although the answer is not here. */
void
ics_port_map_release (IcsPortMap *self, gint64 now)
{
  gboolean may_exist = self->status.state == ICS_PORT_MAP_GRANTED
                       || (self->status.state == ICS_PORT_MAP_SEEKING && self->sent > 0
                           && self->step != ASK_NAT_PMP_ADDRESS);

  if (self->status.state == ICS_PORT_MAP_RELEASING)
    return;
  stop (self, may_exist ? ICS_PORT_MAP_RELEASING : ICS_PORT_MAP_OVER);
  if (may_exist)
    begin (self, now, self->step == ASK_PCP ? ASK_PCP : ASK_NAT_PMP_MAP);
}

/* --- time --- */

void
ics_port_map_handle_timeout (IcsPortMap *self, gint64 now)
{
  if (now >= self->expires_at)
    seek (self, now);
  if (now < self->give_up_at)
    return;
  if (self->status.state == ICS_PORT_MAP_RELEASING)
    stop (self, ICS_PORT_MAP_OVER);
  else if (self->step == ASK_PCP)
    try_nat_pmp (self, now);
  else
    refuse (self, "no answer");
}

gint64
ics_port_map_next_timeout (const IcsPortMap *self)
{
  return MIN (MIN (self->send_at, self->give_up_at), self->expires_at);
}

/* --- requests --- */

static gsize
write_request (IcsPortMap *self, guint8 *out)
{
  gboolean deletes = self->status.state == ICS_PORT_MAP_RELEASING;
  guint32 lifetime = deletes ? 0 : self->config.lifetime;
  guint16 port = self->status.external_port != 0 ? self->status.external_port : self->config.internal_port;
  IcsPcpMapRequest request = { .lifetime = lifetime,
                               .client = self->config.client,
                               .internal_port = self->config.internal_port,
                               .external_port = deletes ? 0 : port,
                               .external = deletes ? 0 : self->status.external };

  switch (self->step)
    {
    case ASK_PCP:
      memcpy (request.nonce, self->config.nonce, ICS_PCP_NONCE_LEN);
      return ics_pcp_write_map (&request, out);
    case ASK_NAT_PMP_ADDRESS:
      return ics_nat_pmp_write_address_request (out);
    case ASK_NAT_PMP_MAP:
      return ics_nat_pmp_write_map (request.internal_port, request.external_port, lifetime, out);
    }
  return 0;
}

/* When the same request is sent again, and when no more. */
static void
schedule (IcsPortMap *self, gint64 now)
{
  gboolean leaves = self->status.state == ICS_PORT_MAP_RELEASING;
  gint64 next;

  if (self->status.state == ICS_PORT_MAP_GRANTED)
    {
      self->send_at = now + part_of (self, MAX (self->expires_at - now, 0));
      return;
    }
  next = now + (leaves ? RTO_US : RTO_US << (self->sent - 1));
  self->send_at = self->sent < (leaves ? RELEASE_TRIES : TRIES) ? next : G_MAXINT64;
  if (self->send_at == G_MAXINT64)
    self->give_up_at = next;
}

gsize
ics_port_map_poll (IcsPortMap *self, gint64 now, guint8 out[ICS_PCP_MAP_REQUEST_LEN])
{
  if (now < self->send_at)
    return 0;
  self->asked_at = now;
  self->sent++;
  schedule (self, now);
  return write_request (self, out);
}
