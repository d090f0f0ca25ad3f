/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/record.h"

char *
ics_record_format (gint64 elapsed_us, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  char *line
      = g_strdup_printf ("%8.3f s  %.*s", (double)elapsed_us / G_USEC_PER_SEC, ICS_RECORD_MAX_LINE, valid);

  /* The peer has a say in what some lines hold: no line breaks, no terminal codes. */
  for (char *c = line; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c))
      *c = '?';
  return line;
}
