/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One mapping at a gateway, on a virtual clock. */
#include "agent/nat-pmp.h"
#include "tests/port-map-world.h"
#include "tests/suite.h"
#include <string.h>

START_TEST (granted_by_pcp)
{
  World world = world_new (1);

  world_exchange (&world);
  ck_assert_int_eq (world_status (&world)->state, ICS_PORT_MAP_GRANTED);
  ck_assert_int_eq (world_status (&world)->protocol, ICS_PORT_MAP_PCP);
  ck_assert_uint_eq (world_status (&world)->external, EXTERNAL);
  ck_assert_uint_eq (world_status (&world)->external_port, PORT);
  ck_assert_uint_eq (world_status (&world)->lifetime, LIFETIME);
  ck_assert_uint_eq (world_status (&world)->dropped, 0);
  world_clear (&world);
}
END_TEST

/* The versions of a gateway's no: NAT-PMP's form, or silence. */
START_TEST (granted_by_nat_pmp)
{
  World world = world_new (2);

  world.gateway.pcp = FALSE;
  world.gateway.nat_pmp = TRUE;
  world_exchange (&world);
  ck_assert_int_eq (world_status (&world)->state, ICS_PORT_MAP_GRANTED);
  ck_assert_int_eq (world_status (&world)->protocol, ICS_PORT_MAP_NAT_PMP);
  ck_assert_uint_eq (world_status (&world)->external, EXTERNAL);
  ck_assert_uint_eq (world_status (&world)->external_port, PORT);
  world_clear (&world);
}
END_TEST

/* It says so once for each request, and the second one comes when NAT-PMP is being spoken. */
START_TEST (says_no_to_pcp_twice)
{
  World world = world_new (17);
  Message request, first, second;

  world.gateway.pcp = FALSE;
  world.gateway.nat_pmp = TRUE;
  ck_assert (world_take_request (&world, &request));
  ck_assert (gateway_serve (&world.gateway, world.now, &request, &first));
  world_advance (&world);
  ck_assert (world_take_request (&world, &request));
  ck_assert (gateway_serve (&world.gateway, world.now, &request, &second));
  world_deliver (&world, &first);
  ck_assert (world_take_request (&world, &request));
  world_deliver (&world, &second);
  ck_assert_int_eq (world_status (&world)->state, ICS_PORT_MAP_SEEKING);
  ck_assert (gateway_serve (&world.gateway, world.now, &request, &first));
  world_deliver (&world, &first);
  world_exchange (&world);
  ck_assert_int_eq (world_status (&world)->state, ICS_PORT_MAP_GRANTED);
  world_clear (&world);
}
END_TEST

START_TEST (other_refusals_of_pcp)
{
  static const guint8 version_1[24] = { 1, 0x81, 0, ICS_PCP_UNSUPP_VERSION };
  World world = world_new (3);
  Message request, answer = { .len = sizeof version_1 };

  ck_assert (world_take_request (&world, &request));
  if (_i == 0)
    memcpy (answer.data, version_1, sizeof version_1);
  else
    {
      world.gateway.result = _i == 1 ? ICS_PCP_UNSUPP_OPCODE : ICS_PCP_NOT_AUTHORIZED;
      gateway_serve (&world.gateway, world.now, &request, &answer);
    }
  world_deliver (&world, &answer);
  if (_i < 2)
    {
      ck_assert (world_take_request (&world, &request));
      ck_assert_mem_eq (request.data, "\0\0", 2);
      ck_assert_uint_eq (request.len, 2);
    }
  else
    {
      ck_assert_int_eq (world_status (&world)->state, ICS_PORT_MAP_REFUSED);
      ck_assert_str_eq (world_status (&world)->reason, "not authorized");
      ck_assert_int_eq (ics_port_map_next_timeout (world.map), G_MAXINT64);
    }
  world_clear (&world);
}
END_TEST

START_TEST (silence)
{
  /* ms since the beginning, and the version */
  static const struct
  {
    gint64 at;
    guint8 version;
  } expected[] = { { 0, 2 }, { 250, 2 }, { 750, 2 }, { 1750, 0 }, { 2000, 0 }, { 2500, 0 } };
  World world = world_new (4);
  gint64 begin = world.now;
  Message request;

  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      world.now = begin + expected[i].at * MS;
      ck_assert_int_le (ics_port_map_next_timeout (world.map), world.now);
      ck_assert (world_take_request (&world, &request));
      ck_assert_uint_eq (request.data[0], expected[i].version);
      ck_assert (!world_take_request (&world, &request));
    }
  world_advance (&world);
  ck_assert_int_eq (world.now, begin + 3500 * MS);
  ck_assert (!world_take_request (&world, &request));
  ck_assert_int_eq (world_status (&world)->state, ICS_PORT_MAP_REFUSED);
  ck_assert_int_eq (ics_port_map_next_timeout (world.map), G_MAXINT64);
  world_clear (&world);
}
END_TEST

/* The other protocol is never spoken: to a gateway that knows nothing else, nor to one that is silent. */
START_TEST (only_one_protocol)
{
  static const IcsPortMapChoice choices[] = { ICS_PORT_MAP_ONLY_PCP, ICS_PORT_MAP_ONLY_NAT_PMP };
  gboolean pcp = _i % 2 == 0, silent = _i >= 2;
  World world = world_new_with (21, choices[_i % 2]);
  guint n = 0;
  Message request, answer;

  world.gateway.pcp = !pcp;
  world.gateway.nat_pmp = pcp;
  while (world_status (&world)->state == ICS_PORT_MAP_SEEKING)
    {
      ck_assert_uint_lt (n, 8);
      if (world_take_request (&world, &request))
        {
          n++;
          ck_assert_uint_eq (request.data[0], pcp ? ICS_PCP_VERSION : ICS_NAT_PMP_VERSION);
          if (!silent && gateway_serve (&world.gateway, world.now, &request, &answer))
            world_deliver (&world, &answer);
        }
      else if (world_status (&world)->state == ICS_PORT_MAP_SEEKING)
        world_advance (&world);
    }
  ck_assert_int_eq (world_status (&world)->state, ICS_PORT_MAP_REFUSED);
  ck_assert_str_eq (world_status (&world)->reason, pcp && !silent ? "it does not speak PCP" : "no answer");
  ck_assert_uint_eq (n, pcp && !silent ? 1 : 3);
  world_clear (&world);
}
END_TEST

/* A gateway that speaks both. */
START_TEST (chosen_protocol)
{
  gboolean pcp = _i == 0;
  World world = world_new_with (22, pcp ? ICS_PORT_MAP_ONLY_PCP : ICS_PORT_MAP_ONLY_NAT_PMP);
  Message request;

  world.gateway.nat_pmp = TRUE;
  world_exchange (&world);
  ck_assert_int_eq (world_status (&world)->state, ICS_PORT_MAP_GRANTED);
  ck_assert_int_eq (world_status (&world)->protocol, pcp ? ICS_PORT_MAP_PCP : ICS_PORT_MAP_NAT_PMP);
  ck_assert_uint_eq (world_status (&world)->external, EXTERNAL);
  ics_port_map_release (world.map, world.now);
  ck_assert (world_take_request (&world, &request));
  ck_assert_uint_eq (request.data[0], pcp ? ICS_PCP_VERSION : ICS_NAT_PMP_VERSION);
  world_clear (&world);
}
END_TEST

START_TEST (late_answer)
{
  World world = world_new (16);
  Message request, answer;

  ck_assert (world_take_request (&world, &request));
  ck_assert (gateway_serve (&world.gateway, world.now, &request, &answer));
  world.now += 250 * MS;
  ck_assert (world_take_request (&world, &request));
  world.now += 500 * MS;
  ck_assert (world_take_request (&world, &request));
  world.now += 1000 * MS;
  ck_assert (world_take_request (&world, &request));
  ck_assert_uint_eq (request.data[0], 0);
  world_deliver (&world, &answer);
  ck_assert_int_eq (world_status (&world)->state, ICS_PORT_MAP_GRANTED);
  ck_assert_int_eq (world_status (&world)->protocol, ICS_PORT_MAP_PCP);
  world_advance (&world);
  ck_assert (world_take_request (&world, &request));
  ck_assert_uint_eq (request.data[0], 2);
  world_clear (&world);
}
END_TEST

START_TEST (nobody_listens)
{
  World world = world_new (5);
  Message request;

  ck_assert (world_take_request (&world, &request));
  ics_port_map_handle_unreachable (world.map, world.now);
  ck_assert_int_eq (world_status (&world)->state, ICS_PORT_MAP_REFUSED);
  world_clear (&world);

  /* While the mapping lives that is a daemon which is started again. */
  world = world_new (5);
  world_exchange (&world);
  ics_port_map_handle_unreachable (world.map, world.now);
  ck_assert_int_eq (world_status (&world)->state, ICS_PORT_MAP_GRANTED);
  world_clear (&world);
}
END_TEST

START_TEST (what_is_no_answer)
{
  World world = world_new (6);
  Message request, answer, bad;

  ck_assert (world_take_request (&world, &request));
  ck_assert (gateway_serve (&world.gateway, world.now, &request, &answer));
  for (gsize i = 0; i < answer.len; i++)
    {
      gboolean counts = i < 2 || (i >= 24 && i < 37) || (i >= 40 && i < 42) || (i >= 44 && i < 56);

      if (!counts)
        continue;
      bad = answer;
      bad.data[i] ^= 0x10; /* version, opcode, nonce, protocol, internal port, address family */
      world_deliver (&world, &bad);
      ck_assert_int_eq (world_status (&world)->state, ICS_PORT_MAP_SEEKING);
    }
  bad = answer;
  memset (bad.data + 42, 0, 2); /* port 0 */
  world_deliver (&world, &bad);
  bad = answer;
  memset (bad.data + 4, 0, 4); /* lifetime 0 */
  world_deliver (&world, &bad);
  bad.len = 0;
  world_deliver (&world, &bad);
  ck_assert_int_eq (world_status (&world)->state, ICS_PORT_MAP_SEEKING);
  ck_assert_uint_eq (world_status (&world)->dropped, 2 + 13 + 2 + 12 + 3);

  world_deliver (&world, &answer);
  ck_assert_int_eq (world_status (&world)->state, ICS_PORT_MAP_GRANTED);
  /* The same once more, and after the mapping is over. */
  world_deliver (&world, &answer);
  ck_assert_uint_eq (world_status (&world)->renewals, 0);
  ck_assert_uint_eq (world_status (&world)->dropped, 2 + 13 + 2 + 12 + 4);
  world_clear (&world);
}
END_TEST

START_TEST (renewed_at_half_of_its_life)
{
  World world = world_new ((guint32)_i);
  guint16 port;

  world.gateway.next_port = 50000;
  if (_i % 2 == 1)
    world.gateway.pcp = FALSE, world.gateway.nat_pmp = TRUE;
  world_exchange (&world);
  for (guint i = 0; i < 20; i++)
    {
      gint64 before = world.now;

      world_advance (&world);
      ck_assert_int_ge (world.now - before, 300 * SECOND);
      ck_assert_int_le (world.now - before, 375 * SECOND);
      world_exchange (&world);
      ck_assert_uint_eq (world_status (&world)->renewals, i + 1);
    }
  port = world_status (&world)->external_port;
  ck_assert_uint_eq (port, 50000);
  ck_assert_uint_eq (world_status (&world)->restarts, 0);
  world_clear (&world);
}
END_TEST

/* The renewals of §11.2.1 go unanswered; an error says nothing either while the mapping lives. */
START_TEST (lost_when_nobody_renews_it)
{
  World world = world_new (8);
  gint64 granted, last = 0;
  guint requests = 0;
  Message request;

  world_exchange (&world);
  granted = world.now;
  if (_i == 1)
    world.gateway.result = ICS_PCP_NO_RESOURCES;
  else
    world.gateway.pcp = FALSE;
  while (world_status (&world)->state == ICS_PORT_MAP_GRANTED)
    {
      Message answer;

      world_advance (&world);
      if (!world_take_request (&world, &request))
        continue;
      ck_assert (last == 0 || world.now - last >= 4 * SECOND
                 || world_status (&world)->state != ICS_PORT_MAP_GRANTED);
      last = world.now;
      requests++;
      if (gateway_serve (&world.gateway, world.now, &request, &answer))
        world_deliver (&world, &answer);
    }
  ck_assert_int_eq (world.now, granted + LIFETIME * SECOND);
  ck_assert_uint_ge (requests, 4);
  ck_assert_uint_le (requests, 12);
  /* It is asked for anew, and suggests the port that it had. */
  ck_assert_int_eq (request.data[0], 2);
  ck_assert_uint_eq (request.data[42] << 8 | request.data[43], PORT);
  world_clear (&world);
}
END_TEST

START_TEST (gateway_forgets)
{
  World world = world_new (9);

  world_exchange (&world);
  world.now += 100 * SECOND;
  gateway_restart (&world.gateway, world.now);
  world.gateway.next_port = 50001;
  world_advance_until (&world, world.now + 300 * SECOND);
  ck_assert_int_eq (world_status (&world)->state, ICS_PORT_MAP_GRANTED);
  ck_assert_uint_eq (world_status (&world)->restarts, 1);
  ck_assert_uint_eq (world_status (&world)->external_port, 50001);
  ck_assert_uint_eq (world.gateway.port, 50001);
  world_clear (&world);
}
END_TEST

START_TEST (gateway_announces_that_it_forgot)
{
  World world = world_new ((guint32)_i);
  gint64 before;

  if (_i % 2 == 1)
    world.gateway.pcp = FALSE, world.gateway.nat_pmp = TRUE;
  world_exchange (&world);
  world.now += 100 * SECOND;
  world_announce (&world, EXTERNAL); /* it has not */
  ck_assert_int_ge (ics_port_map_next_timeout (world.map), world.now + 200 * SECOND);

  gateway_restart (&world.gateway, world.now);
  before = world.now;
  world_announce (&world, EXTERNAL);
  world_advance (&world);
  ck_assert_int_le (world.now - before, 500 * MS);
  world_exchange (&world);
  ck_assert_uint_eq (world.gateway.port, PORT);
  ck_assert_uint_eq (world_status (&world)->renewals, 1);
  ck_assert_uint_eq (world_status (&world)->restarts, 1);
  world_clear (&world);
}
END_TEST

START_TEST (gateway_announces_another_address)
{
  World world = world_new (11);

  world.gateway.pcp = FALSE;
  world.gateway.nat_pmp = TRUE;
  world_exchange (&world);
  world.now += 100 * SECOND;
  world.gateway.external = EXTERNAL + 1;
  world_announce (&world, EXTERNAL + 1);
  world_advance (&world);
  world_exchange (&world);
  ck_assert_uint_eq (world_status (&world)->external, EXTERNAL + 1);
  world_clear (&world);
}
END_TEST

/* A stranger forges announcements of a gateway that is well: a request every 4 s, no more. */
START_TEST (forged_announcements)
{
  World world = world_new (12);
  guint requests = 0;
  Message request, answer;
  gint64 end;

  world_exchange (&world);
  world.now += 100 * SECOND;
  for (end = world.now + 100 * SECOND; world.now < end; world.now += 10 * MS)
    {
      gint64 booted = world.gateway.booted;

      world.gateway.booted = world.now;
      world_announce (&world, EXTERNAL);
      world.gateway.booted = booted;
      if (!world_take_request (&world, &request))
        continue;
      requests++;
      ck_assert (gateway_serve (&world.gateway, world.now, &request, &answer));
      world_deliver (&world, &answer);
    }
  ck_assert_uint_ge (requests, 2);
  ck_assert_uint_le (requests, 26);
  ck_assert_int_eq (world_status (&world)->state, ICS_PORT_MAP_GRANTED);
  ck_assert_uint_eq (world_status (&world)->restarts, 0);
  world_clear (&world);
}
END_TEST

START_TEST (another_gateway)
{
  World world = world_new (13);

  world_exchange (&world);
  world.now += 50 * SECOND;
  world.gateway
      = (Gateway){ .nat_pmp = TRUE, .lifetime = LIFETIME, .external = EXTERNAL + 9, .booted = world.now };
  ics_port_map_handle_new_gateway (world.map, world.now);
  ck_assert_int_eq (world_status (&world)->state, ICS_PORT_MAP_SEEKING);
  world_exchange (&world);
  ck_assert_int_eq (world_status (&world)->protocol, ICS_PORT_MAP_NAT_PMP);
  ck_assert_uint_eq (world_status (&world)->external, EXTERNAL + 9);
  ck_assert_uint_eq (world_status (&world)->restarts, 0);
  world_clear (&world);
}
END_TEST

START_TEST (given_back)
{
  World world = world_new (14);

  if (_i == 1)
    world.gateway.pcp = FALSE, world.gateway.nat_pmp = TRUE;
  world_exchange (&world);
  ck_assert_uint_eq (world.gateway.port, PORT);
  ics_port_map_release (world.map, world.now);
  ck_assert_int_eq (world_status (&world)->state, ICS_PORT_MAP_RELEASING);
  world_exchange (&world);
  ck_assert_int_eq (world_status (&world)->state, ICS_PORT_MAP_OVER);
  ck_assert_uint_eq (world.gateway.port, 0);
  ck_assert_int_eq (ics_port_map_next_timeout (world.map), G_MAXINT64);
  world_clear (&world);
}
END_TEST

/* The answer to the first request may still be on its way. */
START_TEST (given_back_before_it_is_known)
{
  World world = world_new (15);
  Message request, answer;
  gint64 begin;

  ics_port_map_release (world.map, world.now);
  ck_assert_int_eq (world_status (&world)->state, ICS_PORT_MAP_OVER); /* nothing was asked yet */
  world_clear (&world);

  world = world_new (15);
  begin = world.now;
  ck_assert (world_take_request (&world, &request));
  ck_assert (gateway_serve (&world.gateway, world.now, &request, &answer));
  ics_port_map_release (world.map, world.now);
  ck_assert (world_take_request (&world, &request)); /* lost */
  world_advance (&world);
  ck_assert_int_eq (world.now, begin + 250 * MS);
  ck_assert (world_take_request (&world, &request));
  ck_assert (gateway_serve (&world.gateway, world.now, &request, &answer));
  ck_assert_uint_eq (world.gateway.port, 0);
  /* This answer is lost too. */
  world_advance (&world);
  ck_assert_int_eq (world.now, begin + 500 * MS);
  ck_assert (!world_take_request (&world, &request));
  ck_assert_int_eq (world_status (&world)->state, ICS_PORT_MAP_OVER);
  world_clear (&world);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = { { granted_by_pcp, 1 },
                              { granted_by_nat_pmp, 1 },
                              { says_no_to_pcp_twice, 1 },
                              { other_refusals_of_pcp, 3 },
                              { silence, 1 },
                              { only_one_protocol, 4 },
                              { chosen_protocol, 2 },
                              { late_answer, 1 },
                              { nobody_listens, 1 },
                              { what_is_no_answer, 1 },
                              { renewed_at_half_of_its_life, 10 },
                              { lost_when_nobody_renews_it, 2 },
                              { gateway_forgets, 1 },
                              { gateway_announces_that_it_forgot, 10 },
                              { gateway_announces_another_address, 1 },
                              { forged_announcements, 1 },
                              { another_gateway, 1 },
                              { given_back, 2 },
                              { given_back_before_it_is_known, 1 } };

  return run_loops ("port-map", tests, G_N_ELEMENTS (tests));
}
