/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Which searches were in vain, by the outside addresses of both hosts, and how many there were: a hopeless
 * one is not repeated, and no peer can have more of them than these, whatever it says. For the life of a
 * link. Sans-IO: time is monotonic µs. */

/* Searches an hour, in all. */
#define ICS_SEARCHES_MAX 6
#define ICS_SEARCHES_SPAN_US G_TIME_SPAN_HOUR
/* After a search in vain, doubled by each further one. Predictions fail when somebody else's mapping comes in
 * between; what is random was tried in full. */
#define ICS_SEARCH_PAUSE_US (10 * G_TIME_SPAN_MINUTE)
#define ICS_SEARCH_PAUSE_PREDICTED_US (10 * G_TIME_SPAN_SECOND)
#define ICS_SEARCH_PAUSE_MAX_US (2 * G_TIME_SPAN_HOUR)
#define ICS_SEARCH_PAIRS_MAX 8

typedef struct
{
  char pair[96]; /* both addresses; "" = free */
  guint failures;
  gint64 until;
} IcsSearchEntry;

typedef struct
{
  IcsSearchEntry entries[ICS_SEARCH_PAIRS_MAX]; /* the latest first */
  gint64 begun[ICS_SEARCHES_MAX];
  guint n_begun; /* ever */
} IcsSearchMemory;

/* TRUE: a search may begin, and counts. */
gboolean ics_search_memory_begin (IcsSearchMemory *self, gint64 now, const char *own, const char *peer);
void ics_search_memory_failed (IcsSearchMemory *self, gint64 now, const char *own, const char *peer,
                               gboolean predicted);
void ics_search_memory_found (IcsSearchMemory *self, const char *own, const char *peer);

G_END_DECLS
