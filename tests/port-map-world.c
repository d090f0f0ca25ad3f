/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/port-map-world.h"
#include "agent/nat-pmp.h"
#include "base/wire.h"
#include <check.h>
#include <string.h>

/* --- a gateway --- */

guint32
gateway_epoch (const Gateway *gateway, gint64 now)
{
  return (guint32)((now - gateway->booted) / SECOND);
}

/* What the gateway is asked for, and grants. */
static guint16
serve_map (Gateway *gateway, gint64 now, guint16 suggested, guint32 lifetime)
{
  if (lifetime == 0)
    {
      gateway->port = 0;
      return 0;
    }
  if (gateway->port == 0 || now >= gateway->expires_at)
    gateway->port = gateway->next_port != 0 ? gateway->next_port : suggested;
  gateway->expires_at = now + gateway->lifetime * SECOND;
  return gateway->port;
}

static void
answer_pcp (Gateway *gateway, gint64 now, IcsReader *in, IcsWriter *out)
{
  guint32 lifetime;
  IcsSpan nonce;
  guint16 internal, suggested, port = 0;

  ics_reader_u8 (in);
  ics_reader_u16 (in);
  lifetime = ics_reader_u32 (in);
  ics_reader_bytes (in, 12);
  ck_assert_uint_eq (ics_reader_u32 (in), CLIENT);
  nonce = ics_reader_bytes (in, ICS_PCP_NONCE_LEN);
  ics_reader_u32 (in);
  internal = ics_reader_u16 (in);
  suggested = ics_reader_u16 (in);
  ics_reader_bytes (in, 16);
  ck_assert (ics_reader_finish (in));
  if (gateway->result == ICS_PCP_SUCCESS)
    port = serve_map (gateway, now, suggested, lifetime);
  memcpy (gateway->nonce, nonce.data, nonce.len);

  ics_writer_u8 (out, 2);
  ics_writer_u8 (out, 0x81);
  ics_writer_u16 (out, gateway->result);
  ics_writer_u32 (out, lifetime == 0 ? 0 : gateway->lifetime);
  ics_writer_u32 (out, gateway_epoch (gateway, now));
  ics_writer_zeros (out, 12);
  ics_writer_bytes (out, nonce.data, nonce.len);
  ics_writer_u32 (out, 17u << 24);
  ics_writer_u16 (out, internal);
  ics_writer_u16 (out, port);
  ics_writer_zeros (out, 10);
  ics_writer_u16 (out, 0xffff);
  ics_writer_u32 (out, gateway->external);
}

static void
answer_nat_pmp (Gateway *gateway, gint64 now, IcsReader *in, IcsWriter *out)
{
  guint8 opcode = ics_reader_u8 (in);

  ics_writer_u8 (out, 0);
  ics_writer_u8 (out, 0x80 | opcode);
  ics_writer_u16 (out, gateway->result);
  ics_writer_u32 (out, gateway_epoch (gateway, now));
  if (opcode == ICS_NAT_PMP_ADDRESS)
    ics_writer_u32 (out, gateway->external);
  else
    {
      guint16 internal, suggested;
      guint32 lifetime;

      ics_reader_u16 (in);
      internal = ics_reader_u16 (in);
      suggested = ics_reader_u16 (in);
      lifetime = ics_reader_u32 (in);
      ics_writer_u16 (out, internal);
      ics_writer_u16 (out, gateway->result == 0 ? serve_map (gateway, now, suggested, lifetime) : 0);
      ics_writer_u32 (out, lifetime == 0 ? 0 : gateway->lifetime);
    }
  ck_assert (ics_reader_finish (in));
}

gboolean
gateway_serve (Gateway *gateway, gint64 now, const Message *request, Message *answer)
{
  guint8 version;
  IcsReader in;
  IcsWriter out;

  ics_reader_init (&in, request->data, request->len);
  ics_writer_init (&out, answer->data, sizeof answer->data);
  version = ics_reader_u8 (&in);
  if (version == 2 && gateway->pcp)
    answer_pcp (gateway, now, &in, &out);
  else if (version == 0 && gateway->nat_pmp)
    answer_nat_pmp (gateway, now, &in, &out);
  else if (version == 2 && gateway->nat_pmp)
    {
      ics_writer_u16 (&out, 0); /* RFC 6886 §3.5 */
      ics_writer_u16 (&out, ICS_NAT_PMP_UNSUPP_VERSION);
      ics_writer_u32 (&out, gateway_epoch (gateway, now));
    }
  else
    return FALSE;
  ck_assert (ics_writer_finish (&out));
  answer->len = out.len;
  return TRUE;
}

void
gateway_restart (Gateway *gateway, gint64 now)
{
  gateway->booted = now;
  gateway->port = 0;
}

/* --- the host --- */

World
world_new_with (guint32 seed, IcsPortMapChoice choice)
{
  World world
      = { .now = 1000 * SECOND, .gateway = { .pcp = TRUE, .lifetime = LIFETIME, .external = EXTERNAL } };
  IcsPortMapConfig config
      = { .choice = choice, .client = CLIENT, .internal_port = PORT, .lifetime = LIFETIME };

  world.random = g_rand_new_with_seed (seed);
  config.random = world.random;
  for (guint i = 0; i < ICS_PCP_NONCE_LEN; i++)
    config.nonce[i] = (guint8)g_rand_int (world.random);
  world.map = ics_port_map_new (world.now, &config);
  return world;
}

World
world_new (guint32 seed)
{
  return world_new_with (seed, ICS_PORT_MAP_EITHER);
}

void
world_clear (World *world)
{
  ics_port_map_free (world->map);
  g_rand_free (world->random);
}

const IcsPortMapStatus *
world_status (World *world)
{
  return ics_port_map_get_status (world->map);
}

gboolean
world_take_request (World *world, Message *request)
{
  ics_port_map_handle_timeout (world->map, world->now);
  request->len = ics_port_map_poll (world->map, world->now, request->data);
  return request->len > 0;
}

void
world_deliver (World *world, const Message *answer)
{
  g_autofree guint8 *exact = g_memdup2 (answer->data, answer->len);

  ics_port_map_handle_input (world->map, world->now, exact, answer->len);
}

void
world_exchange (World *world)
{
  Message request, answer;

  while (world_take_request (world, &request))
    if (gateway_serve (&world->gateway, world->now, &request, &answer))
      world_deliver (world, &answer);
}

void
world_advance (World *world)
{
  gint64 next = ics_port_map_next_timeout (world->map);

  ck_assert_int_ne (next, G_MAXINT64);
  ck_assert_int_gt (next, world->now);
  world->now = next;
}

void
world_advance_until (World *world, gint64 when)
{
  while (ics_port_map_next_timeout (world->map) <= when)
    {
      world->now = MAX (world->now, ics_port_map_next_timeout (world->map));
      world_exchange (world);
    }
  world->now = when;
}

void
world_announce (World *world, guint32 external)
{
  Message message;
  IcsWriter out;

  ics_writer_init (&out, message.data, sizeof message.data);
  if (world->gateway.pcp)
    {
      ics_writer_u16 (&out, 0x0280);
      ics_writer_zeros (&out, 6);
      ics_writer_u32 (&out, gateway_epoch (&world->gateway, world->now));
      ics_writer_zeros (&out, 12);
    }
  else
    {
      ics_writer_u32 (&out, 0x00800000);
      ics_writer_u32 (&out, gateway_epoch (&world->gateway, world->now));
      ics_writer_u32 (&out, external);
    }
  ics_port_map_handle_announcement (world->map, world->now, message.data, out.len);
}
