/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mapper where there is no gateway; with one it is tried in the laboratory. */
#include "agent/port-mapper.h"
#include "tests/suite.h"

typedef struct
{
  IcsPortMapper *mapper;
  guint settled, closed;
  gboolean inside; /* a call into the mapper */
} World;

static void
on_mapped (const IcsPortMapping *mapping, gpointer user_data)
{
  ck_abort_msg ("nobody maps %u", mapping->port);
}

static void
on_settled (gpointer user_data)
{
  World *world = user_data;

  ck_assert (!world->inside);
  world->settled++;
}

static void
on_note (const char *line, gpointer user_data)
{
  ck_abort_msg ("%s", line);
}

static void
on_closed (gpointer user_data)
{
  World *world = user_data;

  ck_assert (!world->inside);
  world->closed++;
}

/* @stranger: an address that this host does not have, so there is no way to a gateway from it. */
static void
make (World *world, gboolean stranger)
{
  const IcsPortMapperHooks hooks = { .mapped = on_mapped, .settled = on_settled, .note = on_note };

  *world
      = (World){ .mapper = ics_port_mapper_new (g_main_context_default (), &hooks, world), .inside = TRUE };
  ics_port_mapper_add (world->mapper, "127.0.0.1:40000");
  ics_port_mapper_add (world->mapper, "[2001:db8::1]:40000");
  ics_port_mapper_add (world->mapper, "nonsense");
  if (stranger)
    ics_port_mapper_add (world->mapper, "192.0.2.77:40000");
  ics_port_mapper_start (world->mapper);
  world->inside = FALSE;
}

static void
finish (World *world)
{
  world->inside = TRUE;
  ics_port_mapper_close (world->mapper, on_closed, world);
  world->inside = FALSE;
  while (world->closed == 0)
    g_main_context_iteration (NULL, TRUE);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  ck_assert_uint_eq (world->closed, 1);
}

START_TEST (nothing_to_map)
{
  World world;

  make (&world, _i == 1);
  while (world.settled == 0)
    g_main_context_iteration (NULL, TRUE);
  ics_port_mapper_drop (world.mapper, "192.0.2.77:40000");
  ics_port_mapper_drop (world.mapper, "nonsense");
  finish (&world);
  ck_assert_uint_eq (world.settled, 1);
}
END_TEST

START_TEST (closed_at_once)
{
  World world;

  make (&world, _i == 1);
  finish (&world);
  ck_assert_uint_eq (world.settled, 0);
}
END_TEST

START_TEST (addresses_outside)
{
  static const guint32 inside[] = { 0x00000000, 0x0a000001, 0x7f000001, 0xac100001, 0xac1fffff, 0xc0a80001,
                                    0xa9fe0001, 0x64400001, 0x647fffff, 0xe0000001, 0xffffffff };
  static const guint32 outside[] = { 0x08080808, 0xac0fffff, 0xac200000, 0xc0a70001, 0xc0a90001,
                                     0x643fffff, 0x64800000, 0xc6336512, 0x0b000000 };

  for (guint i = 0; i < G_N_ELEMENTS (inside); i++)
    ck_assert_msg (!ics_port_mapping_is_outside (inside[i]), "%08x", inside[i]);
  for (guint i = 0; i < G_N_ELEMENTS (outside); i++)
    ck_assert_msg (ics_port_mapping_is_outside (outside[i]), "%08x", outside[i]);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = { { nothing_to_map, 2 }, { closed_at_once, 2 }, { addresses_outside, 1 } };

  return run_loops ("port-mapper", tests, G_N_ELEMENTS (tests));
}
