/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/record.h"

#define LINE_SEPARATOR 0x2028
#define PARAGRAPH_SEPARATOR 0x2029

/* The peer and the server have a say in what some texts hold: no line breaks, no terminal codes (the C1 set
 * counts), nothing that turns the direction of writing. */
static gboolean
is_harmless (gunichar c)
{
  return g_unichar_isprint (c) && c != LINE_SEPARATOR && c != PARAGRAPH_SEPARATOR;
}

char *
ics_record_clean (char **text, gsize max)
{
  g_autofree char *valid = g_utf8_make_valid (*text, -1);
  GString *clean = g_string_new (NULL);

  for (const char *c = valid; *c != '\0'; c = g_utf8_next_char (c))
    {
      gunichar character = is_harmless (g_utf8_get_char (c)) ? g_utf8_get_char (c) : '?';

      if (clean->len + (gsize)g_unichar_to_utf8 (character, NULL) > max)
        break;
      g_string_append_unichar (clean, character);
    }
  g_free (*text);
  *text = g_string_free (clean, FALSE);
  return *text;
}

char *
ics_record_format (gint64 elapsed_us, const char *text)
{
  g_autofree char *clean = g_strdup (text);

  return g_strdup_printf ("%8.3f s  %s", (double)elapsed_us / G_USEC_PER_SEC,
                          ics_record_clean (&clean, ICS_RECORD_MAX_LINE));
}
