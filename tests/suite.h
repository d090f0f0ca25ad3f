/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <check.h>
#include <stdlib.h>

/* The main() of a test program: @tests ends with NULL. */
static inline int
run_suite (const char *name, const TTest *const *tests)
{
  Suite *suite = suite_create (name);
  SRunner *runner = srunner_create (suite);
  int failed;

  for (; *tests != NULL; tests++)
    {
      TCase *tcase = tcase_create ((*tests)->name);

      tcase_set_timeout (tcase, 120); /* a safety limit, for valgrind too; no verdict */
      tcase_add_test (tcase, *tests);
      suite_add_tcase (suite, tcase);
    }
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The main() of a test program whose tests run several times, with _i from 0. */
typedef struct
{
  const TTest *test;
  int runs;
} SuiteLoop;

static inline int
run_loops (const char *name, const SuiteLoop *tests, size_t n)
{
  Suite *suite = suite_create (name);
  SRunner *runner = srunner_create (suite);
  int failed;

  for (size_t i = 0; i < n; i++)
    {
      TCase *tcase = tcase_create (tests[i].test->name);

      tcase_set_timeout (tcase, 120); /* a safety limit, for valgrind too; no verdict */
      tcase_add_loop_test (tcase, tests[i].test, 0, tests[i].runs);
      suite_add_tcase (suite, tcase);
    }
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
