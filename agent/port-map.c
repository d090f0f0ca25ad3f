/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/nat-pmp.h"
#include "agent/port-map-private.h"
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

/* --- steps --- */

void
ics_port_map_begin (IcsPortMap *self, gint64 now, IcsPortMapStep step)
{
  self->step = step;
  self->sent = 0;
  self->send_at = now;
  self->give_up_at = G_MAXINT64;
}

void
ics_port_map_stop (IcsPortMap *self, IcsPortMapState state)
{
  self->status.state = state;
  self->send_at = self->give_up_at = self->expires_at = G_MAXINT64;
}

void
ics_port_map_refuse (IcsPortMap *self, const char *reason)
{
  self->status.reason = reason;
  ics_port_map_stop (self, ICS_PORT_MAP_REFUSED);
}

void
ics_port_map_seek (IcsPortMap *self, gint64 now)
{
  self->status.state = ICS_PORT_MAP_SEEKING;
  self->expires_at = G_MAXINT64;
  self->epoch.known = FALSE;
  ics_port_map_begin (self, now,
                      self->config.choice == ICS_PORT_MAP_ONLY_NAT_PMP ? ICS_PORT_MAP_ASK_NAT_PMP_ADDRESS
                                                                       : ICS_PORT_MAP_ASK_PCP);
}

void
ics_port_map_try_nat_pmp (IcsPortMap *self, gint64 now)
{
  if (self->config.choice == ICS_PORT_MAP_ONLY_PCP)
    {
      ics_port_map_refuse (self, "it does not speak PCP");
      return;
    }
  self->epoch.known = FALSE;
  ics_port_map_begin (self, now, ICS_PORT_MAP_ASK_NAT_PMP_ADDRESS);
}

static gint64
part_of (IcsPortMap *self, gint64 span)
{
  return MAX (RENEW_GAP_US,
              (gint64)((double)span * g_rand_double_range (self->config.random, RENEW_FROM, RENEW_TO)));
}

/* NAT-PMP's address is asked for each time: it may have changed meanwhile. */
void
ics_port_map_grant (IcsPortMap *self, gint64 now, guint32 external, guint16 port, guint32 lifetime)
{
  IcsPortMapStatus *status = &self->status;
  gint64 span;

  if (status->state == ICS_PORT_MAP_GRANTED)
    status->renewals++;
  status->state = ICS_PORT_MAP_GRANTED;
  status->protocol = self->step == ICS_PORT_MAP_ASK_PCP ? ICS_PORT_MAP_PCP : ICS_PORT_MAP_NAT_PMP;
  status->external = external;
  status->external_port = port;
  status->lifetime = MIN (lifetime, LIFETIME_MAX);
  span = status->lifetime * G_USEC_PER_SEC;
  self->expires_at = now + span;
  ics_port_map_begin (self, now + part_of (self, span),
                      self->step == ICS_PORT_MAP_ASK_PCP ? ICS_PORT_MAP_ASK_PCP
                                                         : ICS_PORT_MAP_ASK_NAT_PMP_ADDRESS);
}

IcsPortMap *
ics_port_map_new (gint64 now, const IcsPortMapConfig *config)
{
  IcsPortMap *self = g_new0 (IcsPortMap, 1);

  self->config = *config;
  self->asked_at = G_MININT64;
  ics_port_map_seek (self, now);
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

gboolean
ics_port_map_epoch_fits (const IcsPortMap *self, gint64 now, guint32 epoch)
{
  return self->step == ICS_PORT_MAP_ASK_PCP ? ics_gateway_epoch_fits_pcp (&self->epoch, now, epoch)
                                            : ics_gateway_epoch_fits_nat_pmp (&self->epoch, now, epoch);
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
           && !ics_port_map_epoch_fits (self, now, pcp.epoch);
  if (self->status.protocol == ICS_PORT_MAP_NAT_PMP && ics_nat_pmp_parse (data, len, &nat_pmp))
    return nat_pmp.opcode == ICS_NAT_PMP_ADDRESS && nat_pmp.result == ICS_NAT_PMP_SUCCESS
           && (nat_pmp.external != self->status.external
               || !ics_port_map_epoch_fits (self, now, nat_pmp.epoch));
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
    ics_port_map_stop (self, ICS_PORT_MAP_OVER);
  else if (self->status.state == ICS_PORT_MAP_SEEKING)
    ics_port_map_refuse (self, "it does not listen there");
}

void
ics_port_map_handle_new_gateway (IcsPortMap *self, gint64 now)
{
  if (self->status.state == ICS_PORT_MAP_RELEASING || self->status.state == ICS_PORT_MAP_OVER)
    return;
  self->status.external = 0;
  ics_port_map_seek (self, now);
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
                           && self->step != ICS_PORT_MAP_ASK_NAT_PMP_ADDRESS);

  if (self->status.state == ICS_PORT_MAP_RELEASING)
    return;
  ics_port_map_stop (self, may_exist ? ICS_PORT_MAP_RELEASING : ICS_PORT_MAP_OVER);
  if (may_exist)
    ics_port_map_begin (
        self, now, self->step == ICS_PORT_MAP_ASK_PCP ? ICS_PORT_MAP_ASK_PCP : ICS_PORT_MAP_ASK_NAT_PMP_MAP);
}

/* --- time --- */

void
ics_port_map_handle_timeout (IcsPortMap *self, gint64 now)
{
  if (now >= self->expires_at)
    ics_port_map_seek (self, now);
  if (now < self->give_up_at)
    return;
  if (self->status.state == ICS_PORT_MAP_RELEASING)
    ics_port_map_stop (self, ICS_PORT_MAP_OVER);
  else if (self->step == ICS_PORT_MAP_ASK_PCP && self->config.choice != ICS_PORT_MAP_ONLY_PCP)
    ics_port_map_try_nat_pmp (self, now);
  else
    ics_port_map_refuse (self, "no answer");
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
    case ICS_PORT_MAP_ASK_PCP:
      memcpy (request.nonce, self->config.nonce, ICS_PCP_NONCE_LEN);
      return ics_pcp_write_map (&request, out);
    case ICS_PORT_MAP_ASK_NAT_PMP_ADDRESS:
      return ics_nat_pmp_write_address_request (out);
    case ICS_PORT_MAP_ASK_NAT_PMP_MAP:
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
