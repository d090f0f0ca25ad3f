/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/number.h"
#include "tests/suite.h"

#include <sys/wait.h>
#include <unistd.h>

START_TEST (takes_what_is_a_number)
{
  static const char *const bad[]
      = { "", " 1", "1 ", "+1", "-1", "0x1", "1.0", "9", "201", "18446744073709551616" };
  guint64 value = 0;

  ck_assert (ics_number_parse ("10", 10, 200, &value));
  ck_assert_uint_eq (value, 10);
  ck_assert (ics_number_parse ("0200", 10, 200, &value));
  ck_assert_uint_eq (value, 200);
  ck_assert (ics_number_parse ("18446744073709551615", 0, G_MAXUINT64, &value));
  ck_assert (value == G_MAXUINT64);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    ck_assert_msg (!ics_number_parse (bad[i], 10, 200, &value), "took \"%s\"", bad[i]);
}
END_TEST

#define PROCESSES 60
#define THINGS 200000u

static gpointer
do_things_once (gpointer things)
{
  gsize *done = things;

  for (guint i = 0; i < THINGS; i++)
    if (g_once_init_enter (&done[i]))
      g_once_init_leave (&done[i], 1);
  return NULL;
}

/* In a process where no number was parsed yet, while other threads do things for the first time. */
static int
parse_in_a_new_process (guint when_us)
{
  static gsize things[THINGS];
  guint64 value;
  pid_t child = fork ();
  int status;

  if (child == 0)
    {
      for (guint i = 0; i < 2; i++)
        g_thread_unref (g_thread_new ("once", do_things_once, things));
      g_usleep (when_us); /* nothing is awaited: another moment of the others' work in each process */
      _exit (ics_number_parse ("3478", 1, G_MAXUINT16, &value) ? 0 : 1);
    }
  ck_assert_int_eq (waitpid (child, &status, 0), child);
  return status;
}

START_TEST (takes_the_first_one_while_others_begin)
{
  for (guint i = 0; i < PROCESSES; i++)
    ck_assert_int_eq (parse_in_a_new_process (100 + 10 * i), 0);
}
END_TEST

int
main (void)
{
  const TTest *const tests[] = { takes_what_is_a_number, takes_the_first_one_while_others_begin, NULL };

  return run_suite ("number", tests);
}
