/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/safe-name.h"
#include <string.h>

gboolean
cli_safe_component (const char *name)
{
  gsize length = strlen (name);

  if (length == 0 || length > CLI_SAFE_COMPONENT_MAX || !g_utf8_validate (name, (gssize)length, NULL))
    return FALSE;
  /* "." is the folder itself; "..", and what looks like it, leaves it. */
  if (strcmp (name, ".") == 0 || g_str_has_prefix (name, ".."))
    return FALSE;
  for (const char *p = name; *p != '\0'; p = g_utf8_next_char (p))
    if (*p == '/' || g_unichar_iscntrl (g_utf8_get_char (p)))
      return FALSE;
  return TRUE;
}

gboolean
cli_safe_path (const char *path)
{
  g_auto (GStrv) components = NULL;
  guint depth = 0;

  if (strlen (path) > CLI_SAFE_PATH_MAX)
    return FALSE;
  components = g_strsplit (path, "/", CLI_SAFE_DEPTH_MAX + 1);
  for (; components[depth] != NULL; depth++)
    if (!cli_safe_component (components[depth]))
      return FALSE;
  return depth > 0 && depth <= CLI_SAFE_DEPTH_MAX;
}
