/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/search-memory.h"
#include <string.h>

static IcsSearchEntry *
find (IcsSearchMemory *self, const char *own, const char *peer)
{
  char pair[sizeof self->entries[0].pair];

  g_snprintf (pair, sizeof pair, "%s %s", own, peer);
  for (guint i = 0; i < ICS_SEARCH_PAIRS_MAX; i++)
    if (g_str_equal (self->entries[i].pair, pair))
      return &self->entries[i];
  return NULL;
}

/* The oldest makes room. */
static IcsSearchEntry *
add (IcsSearchMemory *self, const char *own, const char *peer)
{
  memmove (&self->entries[1], &self->entries[0], (ICS_SEARCH_PAIRS_MAX - 1) * sizeof self->entries[0]);
  self->entries[0] = (IcsSearchEntry){ .failures = 0 };
  g_snprintf (self->entries[0].pair, sizeof self->entries[0].pair, "%s %s", own, peer);
  return &self->entries[0];
}

gboolean
ics_search_memory_begin (IcsSearchMemory *self, gint64 now, const char *own, const char *peer)
{
  const IcsSearchEntry *entry = find (self, own, peer);
  gint64 *oldest = &self->begun[self->n_begun % ICS_SEARCHES_MAX];

  if ((entry != NULL && now < entry->until)
      || (self->n_begun >= ICS_SEARCHES_MAX && now < *oldest + ICS_SEARCHES_SPAN_US))
    return FALSE;
  *oldest = now;
  self->n_begun++;
  return TRUE;
}

void
ics_search_memory_failed (IcsSearchMemory *self, gint64 now, const char *own, const char *peer,
                          gboolean predicted)
{
  IcsSearchEntry *entry = find (self, own, peer);
  gint64 pause = predicted ? ICS_SEARCH_PAUSE_PREDICTED_US : ICS_SEARCH_PAUSE_US;

  if (entry == NULL)
    entry = add (self, own, peer);
  for (guint i = 0; i < entry->failures && pause < ICS_SEARCH_PAUSE_MAX_US; i++)
    pause *= 2;
  entry->failures++;
  entry->until = now + MIN (pause, ICS_SEARCH_PAUSE_MAX_US);
}

void
ics_search_memory_found (IcsSearchMemory *self, const char *own, const char *peer)
{
  IcsSearchEntry *entry = find (self, own, peer);

  if (entry != NULL)
    *entry = (IcsSearchEntry){ .failures = 0 };
}
