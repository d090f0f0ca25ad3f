/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/human.h"
#include <math.h>
#include <string.h>

#define BAR_CELLS 12

char *
cli_human_bytes (guint64 bytes)
{
  static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
  double value = (double)bytes;
  gsize unit = 0;

  if (bytes < 1000)
    return g_strdup_printf ("%u B", (guint)bytes);
  for (value /= 1000; value >= 999.95 && unit + 1 < G_N_ELEMENTS (units); unit++)
    value /= 1000;
  return g_strdup_printf ("%.1f %s", value, units[unit]);
}

char *
cli_human_duration (gint64 us)
{
  gint64 s = MAX (us, 0) / G_USEC_PER_SEC;

  if (s >= 3600)
    return g_strdup_printf ("%d:%02d:%02d", (int)MIN (s / 3600, 99999), (int)(s / 60 % 60), (int)(s % 60));
  return g_strdup_printf ("%d:%02d", (int)(s / 60), (int)(s % 60));
}

static char *
bar (double share)
{
  guint filled = (guint)(CLAMP (share, 0, 1) * BAR_CELLS);
  char cells[BAR_CELLS + 1];

  memset (cells, ' ', BAR_CELLS);
  memset (cells, '=', filled);
  if (filled < BAR_CELLS)
    cells[filled] = '>';
  cells[BAR_CELLS] = '\0';
  return g_strdup_printf ("[%s]", cells);
}

char *
cli_human_progress (const char *name, guint64 done, guint64 total, gint64 us, const char *path)
{
  double share = total > 0 ? (double)done / (double)total : 1;
  double rate = us > 0 ? (double)done * G_USEC_PER_SEC / (double)us : 0;
  double left = rate > 0 && total > done ? (double)(total - done) / rate : 0;
  g_autofree char *label = cli_human_sanitize (name, 24);
  g_autofree char *cells = bar (share);
  g_autofree char *now = cli_human_bytes (done);
  g_autofree char *all = cli_human_bytes (total);
  g_autofree char *speed = cli_human_bytes ((guint64)rate);
  g_autofree char *eta = cli_human_duration ((gint64)(MIN (left, 3.6e8) * G_USEC_PER_SEC));

  return g_strdup_printf ("%s %d%% %s %s/%s %s/s ETA %s %s", label, (int)floor (share * 100), cells, now, all,
                          speed, eta, path);
}

char *
cli_human_sanitize (const char *text, gsize max)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *clean = g_string_new (NULL);

  for (const char *p = valid; *p != '\0' && max > 0; p = g_utf8_next_char (p), max--)
    {
      gunichar c = g_utf8_get_char (p);
      GUnicodeType type = g_unichar_type (c);
      gboolean steers = type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT
                        || type == G_UNICODE_LINE_SEPARATOR || type == G_UNICODE_PARAGRAPH_SEPARATOR;

      g_string_append_unichar (clean, steers ? 0xFFFD : c);
    }
  return g_string_free (clean, FALSE);
}

gboolean
cli_human_parse_rate (const char *text, guint64 *rate)
{
  static const char suffixes[] = "KMG";
  char *end = NULL;
  double value = g_ascii_strtod (text, &end);
  double factor = 1;

  if (!g_ascii_isdigit (text[0]) || end == text)
    return FALSE;
  if (*end != '\0')
    {
      const char *suffix = strchr (suffixes, g_ascii_toupper (*end));

      if (suffix == NULL || end[1] != '\0')
        return FALSE;
      factor = pow (1000, (double)(suffix - suffixes + 1));
    }
  value *= factor;
  if (!(value >= 1 && value <= 1e15))
    return FALSE;
  *rate = (guint64)value;
  return TRUE;
}
