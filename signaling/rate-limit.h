/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A token bucket: @burst at once, then one each @interval. Plain data; starts full. */
typedef struct
{
  gint64 empty_at; /* the time at which the bucket would have been empty, were it filled at the rate since */
} IcsBucket;

gboolean ics_bucket_take (IcsBucket *self, gint64 now, guint burst, gint64 interval_us);

/* A bucket per key, for keys that anybody may make up: the number of keys is bounded. */
typedef struct _IcsRateLimit IcsRateLimit;

IcsRateLimit *ics_rate_limit_new (guint burst, gint64 interval_us);
void ics_rate_limit_free (IcsRateLimit *self);
gboolean ics_rate_limit_take (IcsRateLimit *self, gint64 now, const char *key);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsRateLimit, ics_rate_limit_free)

G_END_DECLS
