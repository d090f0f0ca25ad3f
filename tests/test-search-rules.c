/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether two hosts search for a way through their NATs, which one opens, and how often. */
#include "session/search-memory.h"
#include "session/search-rule.h"
#include "tests/suite.h"

#define EASY                                                                                                 \
  {                                                                                                          \
    ICS_FACT_NO, ICS_NAT_PORTS_PRESERVED, TRUE, ""                                                           \
  }
#define RANDOM                                                                                               \
  {                                                                                                          \
    ICS_FACT_YES, ICS_NAT_PORTS_RANDOM, TRUE, ""                                                             \
  }
#define COUNTING                                                                                             \
  {                                                                                                          \
    ICS_FACT_YES, ICS_NAT_PORTS_SEQUENTIAL, TRUE, ""                                                         \
  }
#define KEEPING                                                                                              \
  {                                                                                                          \
    ICS_FACT_YES, ICS_NAT_PORTS_PRESERVED, TRUE, ""                                                          \
  }
#define STRANGE                                                                                              \
  {                                                                                                          \
    ICS_FACT_YES, ICS_NAT_PORTS_UNKNOWN, TRUE, ""                                                            \
  }
/* One server with one port was all there was to ask. */
#define HALF_KNOWN                                                                                           \
  {                                                                                                          \
    ICS_FACT_UNKNOWN, ICS_NAT_PORTS_PRESERVED, TRUE, ""                                                      \
  }
#define DARK                                                                                                 \
  {                                                                                                          \
    ICS_FACT_UNKNOWN, ICS_NAT_PORTS_RANDOM, TRUE, ""                                                         \
  }
#define UNWILLING                                                                                            \
  {                                                                                                          \
    ICS_FACT_YES, ICS_NAT_PORTS_RANDOM, FALSE, ""                                                            \
  }

static const struct
{
  IcsNatTraits joiner, listener;
  IcsSearchRoles roles;
} cases[] = {
  { EASY, EASY, ICS_SEARCH_NONE },
  { RANDOM, EASY, ICS_SEARCH_JOINER_OPENS },
  { EASY, RANDOM, ICS_SEARCH_LISTENER_OPENS },
  { COUNTING, EASY, ICS_SEARCH_JOINER_OPENS },
  { EASY, COUNTING, ICS_SEARCH_LISTENER_OPENS },
  { STRANGE, EASY, ICS_SEARCH_JOINER_OPENS },
  { COUNTING, COUNTING, ICS_SEARCH_JOINER_OPENS },
  { COUNTING, KEEPING, ICS_SEARCH_JOINER_OPENS },
  { RANDOM, RANDOM, ICS_SEARCH_NONE },
  { RANDOM, COUNTING, ICS_SEARCH_NONE },
  { COUNTING, RANDOM, ICS_SEARCH_NONE },
  { STRANGE, COUNTING, ICS_SEARCH_NONE },
  { HALF_KNOWN, EASY, ICS_SEARCH_NONE },
  { HALF_KNOWN, HALF_KNOWN, ICS_SEARCH_NONE },
  { HALF_KNOWN, RANDOM, ICS_SEARCH_LISTENER_OPENS },
  { HALF_KNOWN, DARK, ICS_SEARCH_LISTENER_OPENS },
  { DARK, HALF_KNOWN, ICS_SEARCH_JOINER_OPENS },
  { DARK, EASY, ICS_SEARCH_JOINER_OPENS },
  { EASY, DARK, ICS_SEARCH_LISTENER_OPENS },
  { DARK, DARK, ICS_SEARCH_NONE },
  { EASY, UNWILLING, ICS_SEARCH_NONE },
  { UNWILLING, EASY, ICS_SEARCH_NONE },
};

START_TEST (the_hard_side_opens)
{
  const char *why;

  ck_assert_int_eq (ics_search_choose (&cases[_i].joiner, &cases[_i].listener, &why), cases[_i].roles);
  ck_assert_int_eq (why != NULL, cases[_i].roles == ICS_SEARCH_NONE);
}
END_TEST

/* --- how often --- */

START_TEST (a_hopeless_search_is_not_repeated)
{
  IcsSearchMemory memory = { 0 };
  gint64 now = 5 * G_TIME_SPAN_HOUR;

  ck_assert (ics_search_memory_begin (&memory, now, "a", "b"));
  ics_search_memory_failed (&memory, now, "a", "b", FALSE);
  ck_assert (!ics_search_memory_begin (&memory, now + 10 * G_TIME_SPAN_MINUTE - 1, "a", "b"));
  /* Other networks are another matter. */
  ck_assert (ics_search_memory_begin (&memory, now, "c", "b"));
  now += 10 * G_TIME_SPAN_MINUTE;
  ck_assert (ics_search_memory_begin (&memory, now, "a", "b"));
  ics_search_memory_failed (&memory, now, "a", "b", FALSE);
  ck_assert (!ics_search_memory_begin (&memory, now + 20 * G_TIME_SPAN_MINUTE - 1, "a", "b"));
  for (guint i = 0; i < 100; i++)
    ics_search_memory_failed (&memory, now, "a", "b", FALSE);
  ck_assert (!ics_search_memory_begin (&memory, now + 2 * G_TIME_SPAN_HOUR - 1, "a", "b"));
  ck_assert (ics_search_memory_begin (&memory, now + 2 * G_TIME_SPAN_HOUR, "a", "b"));
  ics_search_memory_found (&memory, "a", "b");
  ck_assert (ics_search_memory_begin (&memory, now + 2 * G_TIME_SPAN_HOUR, "a", "b"));
}
END_TEST

START_TEST (a_wrong_prediction_is_made_again_soon)
{
  IcsSearchMemory memory = { 0 };

  ics_search_memory_failed (&memory, 0, "a", "b", TRUE);
  ck_assert (!ics_search_memory_begin (&memory, 10 * G_TIME_SPAN_SECOND - 1, "a", "b"));
  ck_assert (ics_search_memory_begin (&memory, 10 * G_TIME_SPAN_SECOND, "a", "b"));
}
END_TEST

/* A peer that names another address each time has no more of them. */
START_TEST (an_hour_has_six_searches)
{
  IcsSearchMemory memory = { 0 };
  guint begun = 0;

  for (gint64 now = 0; now < 10 * G_TIME_SPAN_HOUR; now += G_TIME_SPAN_SECOND)
    {
      g_autofree char *peer = g_strdup_printf ("%" G_GINT64_FORMAT, now);

      if (!ics_search_memory_begin (&memory, now, "a", peer))
        continue;
      ics_search_memory_failed (&memory, now, "a", peer, TRUE);
      begun++;
    }
  ck_assert_uint_eq (begun, 60);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = { { the_hard_side_opens, G_N_ELEMENTS (cases) },
                              { a_hopeless_search_is_not_repeated, 1 },
                              { a_wrong_prediction_is_made_again_soon, 1 },
                              { an_hour_has_six_searches, 1 } };

  return run_loops ("search-rules", tests, G_N_ELEMENTS (tests));
}
