/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The proven pair leaves libnice: at both ends, at one, and while data flows. */
#include "tests/ice-side.h"
#include "tests/suite.h"
#include <dirent.h>
#include <string.h>

#define RTT_US 1000

static guint
count_descriptors (void)
{
  DIR *dir = opendir ("/proc/self/fd");
  guint n = 0;

  while (readdir (dir) != NULL)
    n++;
  closedir (dir);
  return n;
}

/* Descriptors that GLib opens once and keeps do not count. */
static guint
count_when_warm (const IcsIceConfig *config)
{
  Side sides[2];

  pair_init (sides, config);
  pair_connect (sides);
  pair_clear (sides);
  return count_descriptors ();
}

static void
graduate (Side *side)
{
  ics_traversal_graduate (side->attempt, RTT_US);
  ics_traversal_graduate (side->attempt, RTT_US);
  WAIT_FOR (side->context, side_has_note (side, "out of libnice's hands"));
  ck_assert (ics_ice_attempt_has_graduated (side->attempt));
}

/* _i: family and who graduates: first, second, both. */
START_TEST (datagrams_both_ways)
{
  static const int families[] = { 4, 6 };
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsIceConfig config = { .family = families[_i % 2], .plain_udp = _i >= 6, .context = context };
  guint who = (guint)(_i / 2) % 3 + 1, before;
  Side sides[2];

  if (!have_family (config.family))
    return;
  before = count_when_warm (&config);
  pair_init (sides, &config);
  pair_connect (sides);
  pair_exchange (sides);
  for (guint i = 0; i < 2; i++)
    if ((who & 1u << i) != 0)
      graduate (&sides[i]);
  pair_exchange (sides);
  pair_check_agreement (sides);
  ck_assert (!side_has_note (&sides[0], "the peer is at"));
  ck_assert_uint_eq (side_count_state (&sides[0], ICS_ICE_FAILED), 0);
  pair_clear (sides);
  ck_assert_uint_eq (count_descriptors (), before);
}
END_TEST

/* Datagrams that come in while libnice is being closed are not lost. */
START_TEST (data_all_the_time)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsIceConfig config = { .family = 4, .context = context };
  Side sides[2];
  guint n = 0;

  pair_init (sides, &config);
  pair_connect (sides);
  ics_traversal_graduate (sides[1].attempt, RTT_US);
  /* One datagram a turn of the loop, until well after. */
  while (!side_has_note (&sides[1], "out of libnice's hands") || n % 64 != 0)
    {
      guint8 data[32] = { 0x40 };

      memcpy (data + 1, &n, sizeof n);
      ck_assert_int_eq (ics_traversal_send (sides[0].attempt, data, sizeof data), ICS_SEND_OK);
      n++;
      g_main_context_iteration (context, FALSE);
      WAIT_FOR (context, sides[1].received->len == n);
    }
  for (guint i = 0; i < n; i++)
    {
      const guint8 *data = g_bytes_get_data (g_ptr_array_index (sides[1].received, i), NULL);

      ck_assert_mem_eq (data + 1, &i, sizeof i);
    }
  pair_clear (sides);
}
END_TEST

static gsize
count_bytes (Side *side)
{
  gsize sum = 0;

  for (guint i = 0; i < side->received->len; i++)
    sum += g_bytes_get_size (g_ptr_array_index (side->received, i));
  return sum;
}

/* Batches of all shapes arrive as the datagrams they were; _i: 0 libnice, 1 endpoints, 2 without offloads. */
START_TEST (batches)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsIceConfig config = { .family = 4, .plain_udp = _i == 2, .context = context };
  guint32 seed
      = g_getenv ("ICS_TEST_SEED") != NULL ? (guint32)atoi (g_getenv ("ICS_TEST_SEED")) : g_random_int ();
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  g_autofree guint8 *data = g_malloc (100000);
  Side sides[2];

  g_print ("ICS_TEST_SEED=%u\n", seed);
  pair_init (sides, &config);
  pair_connect (sides);
  if (_i > 0)
    {
      graduate (&sides[0]);
      graduate (&sides[1]);
    }
  for (guint i = 0; i < 100000; i++)
    data[i] = (guint8)(0x40 | g_rand_int_range (random, 0, 64));
  for (guint round = 0; round < 200; round++)
    {
      gsize segment = (gsize)g_rand_int_range (random, 20, 1500), at = 0, from = 0, taken;
      gsize len = (gsize)g_rand_int_range (random, 1, (gint32)MIN (90 * segment, 100000));
      gsize before = count_bytes (&sides[1]);
      guint first = sides[1].received->len;

      while (at < len)
        {
          guint writable = sides[0].n_writable;

          if (ics_traversal_send_segments (sides[0].attempt, data + at, len - at, segment, &taken)
              == ICS_SEND_BLOCKED)
            WAIT_FOR (context, sides[0].n_writable > writable);
          ck_assert (taken == len - at || taken % segment == 0);
          at += taken;
        }
      WAIT_FOR (context, count_bytes (&sides[1]) - before >= len);
      ck_assert_uint_eq (sides[1].received->len - first, (len + segment - 1) / segment);
      for (guint i = first; i < sides[1].received->len; i++)
        {
          gsize size;
          gconstpointer got = g_bytes_get_data (g_ptr_array_index (sides[1].received, i), &size);

          ck_assert_uint_eq (size, MIN (segment, len - from));
          ck_assert_mem_eq (got, data + from, size);
          from += size;
        }
    }
  pair_clear (sides);
}
END_TEST

/* No verdict: it prints what one thread carries that sends and receives in turns. _i: libnice, endpoints,
 * endpoints without offloads. */
START_TEST (rate)
{
  static const char *const names[] = { "libnice", "batches", "no offloads" };
  static guint8 data[32 * 1200];
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsIceConfig config = { .family = 4, .plain_udp = _i == 2, .context = context };
  gint64 begin;
  gsize taken;
  Side sides[2];

  memset (data, 0x40, sizeof data);
  pair_init (sides, &config);
  pair_connect (sides);
  for (guint i = 0; i < 2 && _i > 0; i++)
    graduate (&sides[i]);
  begin = g_get_monotonic_time ();
  for (guint round = 0; round < 1000; round++)
    {
      g_ptr_array_set_size (sides[1].received, 0);
      ck_assert_int_eq (ics_traversal_send_segments (sides[0].attempt, data, sizeof data, 1200, &taken),
                        ICS_SEND_OK);
      WAIT_FOR (context, sides[1].received->len == 32);
    }
  g_print ("%s: %.0f datagrams a second\n", names[_i],
           32000.0 * G_USEC_PER_SEC / (double)(g_get_monotonic_time () - begin));
  pair_clear (sides);
}
END_TEST

/* Ended while libnice is being closed, and before the pair is stable. */
START_TEST (freed_half_way)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsIceConfig config = { .family = 4, .context = context };
  guint before = count_when_warm (&config);
  Side sides[2];

  pair_init (sides, &config);
  pair_connect (sides);
  for (guint i = 0; i < 2; i++)
    ics_traversal_graduate (sides[i].attempt, RTT_US);
  if (_i == 1)
    WAIT_FOR (context, ics_ice_attempt_has_graduated (sides[0].attempt));
  pair_clear (sides);
  ck_assert_uint_eq (count_descriptors (), before);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { datagrams_both_ways, 12 }, { data_all_the_time, 1 }, { batches, 3 }, { freed_half_way, 2 }, { rate, 3 },
  };

  isolate ();
  return run_loops ("ice-graduation", tests, G_N_ELEMENTS (tests));
}
