/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/wait.h"
#include <check.h>

#define SAFETY_S 60

static gboolean
on_safety (gpointer data)
{
  ck_abort_msg ("waited too long for: %s", (const char *)data);
  return G_SOURCE_REMOVE;
}

guint
add_safety (const char *what)
{
  return g_timeout_add_seconds (SAFETY_S, on_safety, (gpointer)what);
}

void
wait_for (Condition condition, gpointer data, const char *what)
{
  guint safety = add_safety (what);

  while (!condition (data))
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (safety);
}

void
spin (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

gboolean
is_true (gpointer data)
{
  return *(gboolean *)data;
}

void
set_true (gpointer data)
{
  *(gboolean *)data = TRUE;
}
