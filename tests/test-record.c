/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/record.h"
#include "tests/suite.h"

#include <string.h>

static char *
clean (const char *text, gsize max)
{
  char *copy = g_strdup (text);

  ck_assert_ptr_eq (ics_record_clean (&copy, max), copy);
  ck_assert (g_utf8_validate (copy, -1, NULL));
  ck_assert_uint_le (strlen (copy), max);
  return copy;
}

static void
becomes (const char *text, gsize max, const char *expected)
{
  g_autofree char *got = clean (text, max);

  ck_assert_str_eq (got, expected);
}

START_TEST (test_plain_text_stays)
{
  becomes ("", 10, "");
  becomes ("all is well", 100, "all is well");
  becomes ("d\u00e9j\u00e0 vu \u65e5\u672c", 100, "d\u00e9j\u00e0 vu \u65e5\u672c");
}
END_TEST

/* ASCII controls, C1 controls (U+009B begins a terminal code too), line separators, marks that turn the
 * direction, bytes that are no text. */
START_TEST (test_nothing_disturbs_a_terminal)
{
  becomes ("a\nb\r\tc\x1b[31m\x7f", 100, "a?b??c?[31m?");
  becomes ("\xc2\x9b"
           "31m\xc2\x85",
           100, "?31m?");
  becomes ("\u2028\u2029\u202e\u200f", 100, "????");
  becomes ("x\xff\xc3", 100, "x\ufffd\ufffd");
}
END_TEST

START_TEST (test_cut_between_characters)
{
  becomes ("abc", 3, "abc");
  becomes ("abcd", 3, "abc");
  becomes ("\u00e9\u00e9", 3, "\u00e9");
  becomes ("\u00e9", 1, "");
  becomes ("a", 0, "");
}
END_TEST

START_TEST (test_line)
{
  g_autofree char *flood = g_strnfill (100000, 'x');
  g_autofree char *line = ics_record_format (12345678, "path\n1");
  g_autofree char *bounded = ics_record_format (0, flood);

  ck_assert_str_eq (line, "  12.346 s  path?1");
  ck_assert_uint_le (strlen (bounded), ICS_RECORD_MAX_LINE + 20);
}
END_TEST

int
main (void)
{
  const TTest *const tests[] = { test_plain_text_stays, test_nothing_disturbs_a_terminal,
                                 test_cut_between_characters, test_line, NULL };

  return run_suite ("record", tests);
}
