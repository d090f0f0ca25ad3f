/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/lab/impair-settings.h"

#include <math.h>

typedef struct
{
  const char *name;
  gsize offset;
  double max;
} Key;

#define KEY(name, member, max)                                                                               \
  {                                                                                                          \
    name, G_STRUCT_OFFSET (ImpairSettings, member), max,                                                     \
  }

static const Key keys[] = {
  KEY ("delay", delay_ms, 1e5),
  KEY ("jitter", jitter_ms, 1e5),
  KEY ("loss", loss, 100),
  KEY ("burst", burst, 1e6),
  KEY ("burst-ms", burst_ms, 1e6),
  KEY ("reorder", reorder, 100),
  KEY ("reorder-by", reorder_by_ms, 1e5),
  KEY ("duplicate", duplicate, 100),
  KEY ("corrupt", corrupt, 100),
  KEY ("rate", rate, 1e12),
  KEY ("queue", queue, 1e9),
  KEY ("mtu", mtu, 65535),
  KEY ("icmp", icmp, 1),
  KEY ("blackhole", blackhole, 1),
};

static const Key *
find_key (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    if (g_str_equal (keys[i].name, name))
      return &keys[i];
  return NULL;
}

static double
multiplier (const char *suffix)
{
  if (*suffix == '\0')
    return 1;
  if (suffix[1] != '\0')
    return NAN;
  switch (*suffix)
    {
    case 'k':
      return 1e3;
    case 'M':
      return 1e6;
    case 'G':
      return 1e9;
    default:
      return NAN;
    }
}

static gboolean
parse_pair (const char *name, const char *text, ImpairSettings *settings)
{
  const Key *key = find_key (name);
  char *end = NULL;
  double value;

  if (key == NULL || text == NULL)
    return FALSE;
  value = g_ascii_strtod (text, &end);
  value = end != text ? value * multiplier (end) : NAN;
  if (!(value >= 0 && value <= key->max))
    return FALSE;
  *(double *)G_STRUCT_MEMBER_P (settings, key->offset) = value;
  return TRUE;
}

gboolean
impair_settings_parse (const char *text, ImpairSettings *settings, char **problem)
{
  g_auto (GStrv) words = g_strsplit_set (text, " \t", -1);
  ImpairSettings parsed = { 0 };

  for (guint i = 0; words[i] != NULL; i++)
    {
      if (*words[i] == '\0')
        continue;
      if (!parse_pair (words[i], words[i + 1], &parsed))
        {
          *problem = g_strdup_printf ("%s %s", words[i], words[i + 1] != NULL ? words[i + 1] : "(nothing)");
          return FALSE;
        }
      i++;
    }
  *settings = parsed;
  return TRUE;
}
