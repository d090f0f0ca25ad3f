/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/code.h"
#include "base/code-words.h"
#include "base/secret.h"
#include <sodium.h>
#include <string.h>

#define NAMEPLATE_MAX_DIGITS 6
#define WORD_MIN_LETTERS 2
#define WORD_MAX_LETTERS 16
#define N_WORDS 2
#define BLANKS " \t\r\n"

/* Both skip what they accept and return NULL for anything else. */

static const char *
skip_nameplate (const char *text)
{
  gsize n = strspn (text, "0123456789");

  return n >= 1 && n <= NAMEPLATE_MAX_DIGITS && text[0] != '0' ? text + n : NULL;
}

static const char *
skip_word (const char *text)
{
  gsize n;

  if (*text != '-')
    return NULL;
  text++;
  n = strspn (text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
  return n >= WORD_MIN_LETTERS && n <= WORD_MAX_LETTERS ? text + n : NULL;
}

static const char *
skip_code (const char *text)
{
  const char *end = skip_nameplate (text);

  for (guint i = 0; end != NULL && i < N_WORDS; i++)
    end = skip_word (end);
  return end;
}

gboolean
ics_code_parse (const char *text, char **code, char **nameplate, GError **error)
{
  const char *start = text + strspn (text, BLANKS);
  const char *end = skip_code (start);

  if (end == NULL || end[strspn (end, BLANKS)] != '\0')
    {
      g_set_error_literal (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
                           "that is not a code; a code is a number and two words, like 7-cable-otter");
      return FALSE;
    }
  if (nameplate != NULL)
    *nameplate = g_strndup (start, skip_nameplate (start) - start);
  *code = g_ascii_strdown (start, end - start);
  return TRUE;
}

static const char *
random_word (void)
{
  return ics_code_words[randombytes_uniform (ICS_CODE_N_WORDS)];
}

char *
ics_code_make (const char *nameplate, GError **error)
{
  const char *end = skip_nameplate (nameplate);

  if (end == NULL || *end != '\0')
    {
      g_set_error_literal (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
                           "a nameplate is a number of at most six digits, without a leading zero");
      return NULL;
    }
  ics_secret_init ();
  return g_strjoin ("-", nameplate, random_word (), random_word (), NULL);
}
