/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/stall.h"
#include "tests/suite.h"

#define MS G_GINT64_CONSTANT (1000)

/* A delivery each @gap from @now to @end; returns the last one. */
static gint64
deliver (IcsStall *stall, gint64 now, gint64 end, gint64 gap)
{
  gint64 last = now;

  for (; now <= end; now += gap)
    {
      ics_stall_on_delivery (stall, now);
      last = now;
    }
  return last;
}

static gint64
flow (IcsStall *stall, gint64 now, gint64 end)
{
  return deliver (stall, now, end, 10 * MS);
}

static void
assert_silent (IcsStall *stall)
{
  ck_assert_int_eq (ics_stall_poll (stall, ics_stall_next_timeout (stall)), -1);
  ck_assert_int_eq (ics_stall_next_timeout (stall), G_MAXINT64);
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

/* Lost packets hold the data up once more, just after it began to flow. */
START_TEST (test_second_pause_of_a_shift)
{
  IcsStall stall = { 0 };
  gint64 now = flow (&stall, 1000 * MS, 2000 * MS);

  ics_stall_on_shift (&stall, now);
  now = flow (&stall, now + 40 * MS, now + 100 * MS);
  flow (&stall, now + 300 * MS, now + 2500 * MS);
  ck_assert_int_eq (ics_stall_poll (&stall, ics_stall_next_timeout (&stall)), 300);
}
END_TEST

START_TEST (test_idle_links_do_not_stall)
{
  IcsStall stall = { 0 };
  gint64 now;

  ics_stall_on_shift (&stall, 5 * MS);
  ics_stall_on_revival (&stall, 6 * MS);
  ck_assert_int_eq (ics_stall_next_timeout (&stall), G_MAXINT64);
  now = flow (&stall, 1000 * MS, 2000 * MS);
  ics_stall_on_shift (&stall, now + ICS_STALL_FLOWING_US + 1);
  ck_assert_int_eq (ics_stall_next_timeout (&stall), G_MAXINT64);
}
END_TEST

/* What is said at the start of a transfer the other way, and the end of the stream much later. */
START_TEST (test_one_way_transfer)
{
  IcsStall stall = { 0 };

  ics_stall_on_delivery (&stall, 1000 * MS);
  ics_stall_on_delivery (&stall, 1003 * MS);
  ics_stall_on_shift (&stall, 1300 * MS);
  ics_stall_on_delivery (&stall, 13520 * MS);
  assert_silent (&stall);
}
END_TEST

START_TEST (test_slow_periodic_traffic)
{
  IcsStall stall = { 0 };
  gint64 now = deliver (&stall, 1000 * MS, 20000 * MS, 1000 * MS);

  ics_stall_on_shift (&stall, now + 400 * MS);
  deliver (&stall, now + 1000 * MS, now + 5000 * MS, 1000 * MS);
  assert_silent (&stall);
}
END_TEST

/* The peer had nothing more to send when the shift came, and much later it has. */
START_TEST (test_a_peer_that_falls_silent)
{
  IcsStall stall = { 0 };
  gint64 now = flow (&stall, 1000 * MS, 2000 * MS);

  ics_stall_on_shift (&stall, now + 300 * MS);
  flow (&stall, now + 8800 * MS, now + 9000 * MS);
  assert_silent (&stall);
}
END_TEST

/* It does so in the watch of a shift which data has survived well: the shift's own pause is told. */
START_TEST (test_silence_after_a_shift)
{
  IcsStall stall = { 0 };
  gint64 now = flow (&stall, 1000 * MS, 2000 * MS);

  ics_stall_on_shift (&stall, now + 10 * MS);
  now = flow (&stall, now + 30 * MS, now + 700 * MS);
  ics_stall_on_delivery (&stall, now + 1000 * MS);
  ck_assert_int_eq (ics_stall_poll (&stall, ics_stall_next_timeout (&stall)), 30);
}
END_TEST

/* The listener follows: what it hears first on the new path is data, a few packets of it. */
START_TEST (test_shift_right_after_the_data)
{
  IcsStall stall = { 0 };
  gint64 now = flow (&stall, 1000 * MS, 2000 * MS) + 290 * MS;

  for (guint i = 0; i < 9; i++)
    ics_stall_on_delivery (&stall, now + i);
  ics_stall_on_shift (&stall, now + 10);
  now = flow (&stall, now + 10 * MS, now + 2500 * MS);
  ck_assert_int_eq (ics_stall_poll (&stall, now), 290);
}
END_TEST

/* The same with a peer that says something once, after a long silence, on another path. */
START_TEST (test_shift_right_after_silence)
{
  IcsStall stall = { 0 };
  gint64 now = flow (&stall, 1000 * MS, 2000 * MS) + 9000 * MS;

  ics_stall_on_delivery (&stall, now);
  ics_stall_on_shift (&stall, now + 10);
  ck_assert_int_eq (ics_stall_next_timeout (&stall), G_MAXINT64);
}
END_TEST

/* No path for a minute: that is the pause, even if the traffic tried another path meanwhile. */
START_TEST (test_outage)
{
  IcsStall stall = { 0 };
  gint64 now = flow (&stall, 1000 * MS, 2000 * MS);

  ics_stall_on_shift (&stall, now + 300 * MS);
  ics_stall_on_cut (&stall, now + 1500 * MS);
  ck_assert_int_eq (ics_stall_next_timeout (&stall), G_MAXINT64);
  ics_stall_on_revival (&stall, now + 60000 * MS);
  ck_assert_int_ne (ics_stall_next_timeout (&stall), G_MAXINT64);
  now = flow (&stall, now + 60200 * MS, now + 63000 * MS);
  ck_assert_int_eq (ics_stall_poll (&stall, now), 60200);
}
END_TEST

START_TEST (test_outage_that_data_notices_first)
{
  IcsStall stall = { 0 };
  gint64 now = flow (&stall, 1000 * MS, 2000 * MS);

  ics_stall_on_cut (&stall, now + 300 * MS);
  ics_stall_on_delivery (&stall, now + 60000 * MS);
  ics_stall_on_revival (&stall, now + 60001 * MS);
  now = flow (&stall, now + 60010 * MS, now + 63000 * MS);
  ck_assert_int_eq (ics_stall_poll (&stall, now), 60000);
}
END_TEST

/* Two shifts in a row are one watch, which ends after the second and tells the longest pause of both. */
START_TEST (test_two_shifts_in_a_row)
{
  IcsStall stall = { 0 };
  gint64 now = flow (&stall, 1000 * MS, 2000 * MS);

  ics_stall_on_shift (&stall, now + 10 * MS);
  now = flow (&stall, now + 250 * MS, now + 1200 * MS);
  ics_stall_on_shift (&stall, now + 5 * MS);
  ck_assert_int_eq (ics_stall_next_timeout (&stall), now + 5 * MS + ICS_STALL_SETTLE_US);
  now = flow (&stall, now + 90 * MS, now + 2500 * MS);
  ck_assert_int_eq (ics_stall_poll (&stall, now), 250);
  ck_assert_int_eq (ics_stall_next_timeout (&stall), G_MAXINT64);
}
END_TEST

int
main (void)
{
  const TTest *const tests[] = { test_longest_pause_around_a_shift,
                                 test_second_pause_of_a_shift,
                                 test_idle_links_do_not_stall,
                                 test_one_way_transfer,
                                 test_slow_periodic_traffic,
                                 test_a_peer_that_falls_silent,
                                 test_silence_after_a_shift,
                                 test_shift_right_after_the_data,
                                 test_shift_right_after_silence,
                                 test_outage,
                                 test_outage_that_data_notices_first,
                                 test_two_shifts_in_a_row,
                                 NULL };

  return run_suite ("stall", tests);
}
