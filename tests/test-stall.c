/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/stall.h"
#include "tests/suite.h"

#define MS 1000

/* Data every 10 ms until @end. */
static gint64
flow (IcsStall *stall, gint64 now, gint64 end)
{
  for (; now <= end; now += 10 * MS)
    ics_stall_on_delivery (stall, now);
  return now - 10 * MS;
}

START_TEST (test_longest_pause_around_a_shift)
{
  IcsStall stall = { 0 };
  gint64 now = flow (&stall, 1000 * MS, 3000 * MS);

  ck_assert_int_eq (ics_stall_next_timeout (&stall), G_MAXINT64);
  ics_stall_on_shift (&stall, now + 50 * MS);
  now = flow (&stall, now + 180 * MS, now + 50 * MS + ICS_STALL_WINDOW_US);
  ck_assert_int_eq (ics_stall_poll (&stall, ics_stall_next_timeout (&stall) - 1), -1);
  ck_assert_int_eq (ics_stall_poll (&stall, ics_stall_next_timeout (&stall)), 180);
  ck_assert_int_eq (ics_stall_next_timeout (&stall), G_MAXINT64);
  ck_assert_int_eq (ics_stall_poll (&stall, now + 60000 * MS), -1);
}
END_TEST

START_TEST (test_idle_links_do_not_stall)
{
  IcsStall stall = { 0 };
  gint64 now;

  ics_stall_on_shift (&stall, 5 * MS);
  ck_assert_int_eq (ics_stall_next_timeout (&stall), G_MAXINT64);
  now = flow (&stall, 1000 * MS, 2000 * MS);
  ics_stall_on_shift (&stall, now + ICS_STALL_FLOWING_US + 1);
  ck_assert_int_eq (ics_stall_next_timeout (&stall), G_MAXINT64);
}
END_TEST

/* What comes long after the window was held up all the same. */
START_TEST (test_pause_longer_than_the_window)
{
  IcsStall stall = { 0 };
  gint64 now = flow (&stall, 1000 * MS, 2000 * MS);

  ics_stall_on_shift (&stall, now + 300 * MS);
  ck_assert_int_eq (ics_stall_poll (&stall, now + 4000 * MS), -1);
  ics_stall_on_delivery (&stall, now + 5000 * MS);
  ck_assert_int_eq (ics_stall_poll (&stall, now + 5000 * MS), 5000);
}
END_TEST

/* A transfer that ends with the shift has no pause to tell of. */
START_TEST (test_nothing_delivered_after)
{
  IcsStall stall = { 0 };
  gint64 now = flow (&stall, 1000 * MS, 2000 * MS);

  ics_stall_on_shift (&stall, now);
  ck_assert_int_eq (ics_stall_poll (&stall, now + ICS_STALL_WINDOW_US), -1);
  ck_assert_int_eq (ics_stall_poll (&stall, ics_stall_next_timeout (&stall)), -1);
  ck_assert_int_eq (ics_stall_next_timeout (&stall), G_MAXINT64);
}
END_TEST

int
main (void)
{
  const TTest *const tests[] = { test_longest_pause_around_a_shift, test_idle_links_do_not_stall,
                                 test_pause_longer_than_the_window, test_nothing_delivered_after, NULL };

  return run_suite ("stall", tests);
}
