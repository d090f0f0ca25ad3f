/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/code-words.h"
#include "base/code.h"
#include "base/secret.h"
#include "tests/suite.h"
#include <string.h>

static void
expect_code (const char *text, const char *expected_code, const char *expected_nameplate)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *nameplate = NULL;
  char *code = NULL;

  ck_assert_msg (ics_code_parse (text, &code, &nameplate, &error), "refused \"%s\"", text);
  ck_assert_ptr_null (error);
  ck_assert_str_eq (code, expected_code);
  ck_assert_str_eq (nameplate, expected_nameplate);
  ics_secret_free (code);
}

START_TEST (accepts_what_people_type)
{
  expect_code ("7-cable-otter", "7-cable-otter", "7");
  expect_code ("  7-Cable-OTTER\r\n", "7-cable-otter", "7");
  expect_code ("999999-ab-abcdefghijklmnop", "999999-ab-abcdefghijklmnop", "999999");
  expect_code ("\t10-no-list", "10-no-list", "10");
}
END_TEST

START_TEST (refuses_everything_else)
{
  static const char *const bad[] = { "",
                                     "   ",
                                     "7",
                                     "7-",
                                     "7-cable",
                                     "7-cable-",
                                     "7-cable-otter-",
                                     "7-cable-otter-lamp",
                                     "7--cable-otter",
                                     "-cable-otter",
                                     "cable-otter-7",
                                     "0-cable-otter",
                                     "07-cable-otter",
                                     "1234567-cable-otter",
                                     "+7-cable-otter",
                                     "7-c-otter",
                                     "7-cable-abcdefghijklmnopq",
                                     "7-cab1e-otter",
                                     "7 cable otter",
                                     "7-cable -otter",
                                     "7-cable-otter x",
                                     "7-c\xc3\xa4"
                                     "ble-otter",
                                     "7-cable-\xe2\x80\x8b"
                                     "otter" };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      char *code = NULL, *nameplate = NULL;

      ck_assert_msg (!ics_code_parse (bad[i], &code, &nameplate, &error), "accepted \"%s\"", bad[i]);
      ck_assert (g_error_matches (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT));
      ck_assert_ptr_nonnull (strstr (error->message, "7-cable-otter"));
      ck_assert_ptr_null (code);
      ck_assert_ptr_null (nameplate);
    }
}
END_TEST

static gboolean
is_on_the_list (const char *word)
{
  for (gsize i = 0; i < ICS_CODE_N_WORDS; i++)
    if (strcmp (ics_code_words[i], word) == 0)
      return TRUE;
  return FALSE;
}

START_TEST (made_codes_parse_and_differ)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < 256; i++)
    {
      g_autoptr (GError) error = NULL;
      char *code = ics_code_make ("9041", &error);
      g_auto (GStrv) parts = g_strsplit (code, "-", -1);

      ck_assert_ptr_null (error);
      ck_assert_uint_le (strlen (code), ICS_CODE_MAX_SIZE);
      expect_code (code, code, "9041");
      ck_assert (is_on_the_list (parts[1]) && is_on_the_list (parts[2]));
      g_hash_table_add (seen, code);
    }
  /* 256 draws out of 2^20 hold 0.03 pairs on average: seven pairs or more is no chance. */
  ck_assert_uint_ge (g_hash_table_size (seen), 250);
}
END_TEST

START_TEST (makes_no_code_of_a_bad_nameplate)
{
  static const char *const bad[] = { "", "0", "01", "1234567", "7-", "x", " 7" };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      ck_assert_ptr_null (ics_code_make (bad[i], &error));
      ck_assert (g_error_matches (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT));
    }
}
END_TEST

/* Sorted without doubles: 1024 different words, 20 bits in two. */
START_TEST (the_list_is_good)
{
  for (gsize i = 0; i < ICS_CODE_N_WORDS; i++)
    {
      const char *word = ics_code_words[i];
      gsize len = strlen (word);

      ck_assert_msg (len >= 3 && len <= 7, "\"%s\"", word);
      ck_assert_msg (strspn (word, "abcdefghijklmnopqrstuvwxyz") == len, "\"%s\"", word);
      if (i > 0)
        ck_assert_msg (strcmp (ics_code_words[i - 1], word) < 0, "\"%s\"", word);
    }
}
END_TEST

int
main (void)
{
  const TTest *const tests[]
      = { accepts_what_people_type,         refuses_everything_else, made_codes_parse_and_differ,
          makes_no_code_of_a_bad_nameplate, the_list_is_good,        NULL };

  return run_suite ("code", tests);
}
