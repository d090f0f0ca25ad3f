/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signaling/rate-limit.h"

#define KEYS_MAX 65536

struct _IcsRateLimit
{
  guint burst;
  gint64 interval;
  GHashTable *buckets; /* (element-type utf8 IcsBucket) */
};

gboolean
ics_bucket_take (IcsBucket *self, gint64 now, guint burst, gint64 interval_us)
{
  gint64 full = now - (gint64)burst * interval_us;

  if (self->empty_at < full)
    self->empty_at = full;
  if (self->empty_at + interval_us > now)
    return FALSE;
  self->empty_at += interval_us;
  return TRUE;
}

IcsRateLimit *
ics_rate_limit_new (guint burst, gint64 interval_us)
{
  IcsRateLimit *self = g_new0 (IcsRateLimit, 1);

  self->burst = burst;
  self->interval = interval_us;
  self->buckets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

void
ics_rate_limit_free (IcsRateLimit *self)
{
  g_hash_table_unref (self->buckets);
  g_free (self);
}

static gboolean
is_full (gpointer key, gpointer value, gpointer user_data)
{
  const IcsBucket *bucket = value;
  const gint64 *full = user_data;

  return bucket->empty_at <= *full;
}

gboolean
ics_rate_limit_take (IcsRateLimit *self, gint64 now, const char *key)
{
  IcsBucket *bucket = g_hash_table_lookup (self->buckets, key);

  if (bucket == NULL)
    {
      gint64 full = now - (gint64)self->burst * self->interval;

      if (g_hash_table_size (self->buckets) >= KEYS_MAX)
        g_hash_table_foreach_remove (self->buckets, is_full, &full);
      if (g_hash_table_size (self->buckets) >= KEYS_MAX)
        return FALSE;
      bucket = g_new (IcsBucket, 1);
      bucket->empty_at = full;
      g_hash_table_insert (self->buckets, g_strdup (key), bucket);
    }
  return ics_bucket_take (bucket, now, self->burst, self->interval);
}
