/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/tally.h"
#include "tests/suite.h"

#define MS G_GINT64_CONSTANT (1000)

static void
assert_times (IcsTally *tally, gint64 now, guint64 channel, guint64 turn, guint64 direct)
{
  g_autoptr (IcsStatistics) sum = ics_tally_get (tally, now);

  ck_assert_uint_eq (ics_statistics_get_time_ms (sum, ICS_PATH_CHANNEL), channel);
  ck_assert_uint_eq (ics_statistics_get_time_ms (sum, ICS_PATH_TURN), turn);
  ck_assert_uint_eq (ics_statistics_get_time_ms (sum, ICS_PATH_DIRECT), direct);
}

START_TEST (test_times)
{
  g_autoptr (IcsTally) tally = ics_tally_new ();

  assert_times (tally, 500 * MS, 0, 0, 0);
  ics_tally_on_path (tally, 1000 * MS, ICS_PATH_CHANNEL, ICS_PATH_REASON_FIRST);
  assert_times (tally, 1100 * MS, 100, 0, 0);
  ics_tally_on_path (tally, 1300 * MS, ICS_PATH_TURN, ICS_PATH_REASON_BETTER);
  ics_tally_on_path (tally, 1350 * MS, ICS_PATH_TURN, ICS_PATH_REASON_ROAM);
  ics_tally_on_path (tally, 1400 * MS, ICS_PATH_DIRECT, ICS_PATH_REASON_BETTER);
  assert_times (tally, 2000 * MS, 300, 100, 600);
  ics_tally_on_path (tally, 2000 * MS, ICS_PATH_TURN, ICS_PATH_REASON_LOST);
  ics_tally_end (tally, 2050 * MS);
  assert_times (tally, 9000 * MS, 300, 150, 600);
}
END_TEST

/* The first path is none, nor is the same path under a new address. */
START_TEST (test_shifts)
{
  g_autoptr (IcsTally) tally = ics_tally_new ();
  g_autoptr (IcsStatistics) sum = NULL;

  ics_tally_on_path (tally, 1 * MS, ICS_PATH_CHANNEL, ICS_PATH_REASON_FIRST);
  ics_tally_on_path (tally, 2 * MS, ICS_PATH_DIRECT, ICS_PATH_REASON_BETTER);
  ics_tally_on_path (tally, 3 * MS, ICS_PATH_DIRECT, ICS_PATH_REASON_ROAM);
  ics_tally_on_path (tally, 4 * MS, ICS_PATH_CHANNEL, ICS_PATH_REASON_LOST);
  ics_tally_on_path (tally, 5 * MS, ICS_PATH_TURN, ICS_PATH_REASON_POLICY);
  sum = ics_tally_get (tally, 6 * MS);
  ck_assert_uint_eq (ics_statistics_get_n_shifts (sum), 3);
}
END_TEST

START_TEST (test_sums)
{
  g_autoptr (IcsTally) tally = ics_tally_new ();
  g_autoptr (IcsStatistics) before = ics_tally_get (tally, 0);
  g_autoptr (IcsStatistics) sum = NULL;

  ics_tally_add_sent (tally, ICS_PATH_TURN, 1000);
  ics_tally_add_sent (tally, ICS_PATH_TURN, 1);
  ics_tally_add_received (tally, ICS_PATH_DIRECT, 7);
  ics_tally_set_quality (tally, 21500, 0.25);
  ics_tally_add_stall (tally, 80);
  ics_tally_add_stall (tally, 180);
  ics_tally_add_stall (tally, 20);
  ics_tally_set_packets_dropped (tally, 5);
  for (guint what = 0; what < ICS_TALLY_N_DATAGRAMS; what++)
    for (guint i = 0; i <= what; i++)
      ics_tally_add_datagram (tally, (IcsTallyDatagram)what);
  sum = ics_tally_get (tally, 0);
  ck_assert_uint_eq (ics_statistics_get_sent (sum, ICS_PATH_TURN), 1001);
  ck_assert_uint_eq (ics_statistics_get_sent (sum, ICS_PATH_DIRECT), 0);
  ck_assert_uint_eq (ics_statistics_get_received (sum, ICS_PATH_DIRECT), 7);
  ck_assert_uint_eq (ics_statistics_get_received (sum, ICS_PATH_TURN), 0);
  ck_assert (ics_statistics_get_rtt_ms (sum) == 21.5);
  ck_assert (ics_statistics_get_loss (sum) == 0.25);
  ck_assert_uint_eq (ics_statistics_get_n_stalls (sum), 3);
  ck_assert_uint_eq (ics_statistics_get_longest_stall_ms (sum), 180);
  ck_assert_uint_eq (ics_statistics_get_packets_dropped (sum), 5);
  ck_assert_uint_eq (ics_statistics_get_datagrams_sent (sum), 1);
  ck_assert_uint_eq (ics_statistics_get_datagrams_unsent (sum), 2);
  ck_assert_uint_eq (ics_statistics_get_datagrams_received (sum), 3);
  ck_assert_uint_eq (ics_statistics_get_datagrams_missed (sum), 4);
  /* A snapshot does not change. */
  ck_assert_uint_eq (ics_statistics_get_sent (before, ICS_PATH_TURN), 0);
  ck_assert_uint_eq (ics_statistics_get_n_stalls (before), 0);
}
END_TEST

int
main (void)
{
  const TTest *const tests[] = { test_times, test_shifts, test_sums, NULL };

  return run_suite ("tally", tests);
}
