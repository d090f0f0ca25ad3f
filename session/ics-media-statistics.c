/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/media-private.h"

struct _IcsMediaStatistics
{
  gatomicrefcount refs;
  IcsMediaCounters counters;
};

G_DEFINE_ENUM_TYPE (IcsMediaKind, ics_media_kind, G_DEFINE_ENUM_VALUE (ICS_MEDIA_RTP, "rtp"),
                    G_DEFINE_ENUM_VALUE (ICS_MEDIA_RTCP, "rtcp"))

G_DEFINE_ENUM_TYPE (IcsMediaDrop, ics_media_drop, G_DEFINE_ENUM_VALUE (ICS_MEDIA_DROP_NOT_READY, "not-ready"),
                    G_DEFINE_ENUM_VALUE (ICS_MEDIA_DROP_MALFORMED, "malformed"),
                    G_DEFINE_ENUM_VALUE (ICS_MEDIA_DROP_TOO_LARGE, "too-large"),
                    G_DEFINE_ENUM_VALUE (ICS_MEDIA_DROP_QUEUE_FULL, "queue-full"),
                    G_DEFINE_ENUM_VALUE (ICS_MEDIA_DROP_NO_PATH, "no-path"),
                    G_DEFINE_ENUM_VALUE (ICS_MEDIA_DROP_REPEATED, "repeated"),
                    G_DEFINE_ENUM_VALUE (ICS_MEDIA_DROP_FORGED, "forged"),
                    G_DEFINE_ENUM_VALUE (ICS_MEDIA_DROP_REPLAYED, "replayed"),
                    G_DEFINE_ENUM_VALUE (ICS_MEDIA_DROP_LATE, "late"),
                    G_DEFINE_ENUM_VALUE (ICS_MEDIA_DROP_TOO_MANY_SOURCES, "too-many-sources"),
                    G_DEFINE_ENUM_VALUE (ICS_MEDIA_DROP_KEY_LIMIT, "key-limit"),
                    G_DEFINE_ENUM_VALUE (ICS_MEDIA_DROP_UNREAD, "unread"))

G_DEFINE_BOXED_TYPE (IcsMediaStatistics, ics_media_statistics, ics_media_statistics_ref,
                     ics_media_statistics_unref)

IcsMediaStatistics *
ics_media_statistics_new (const IcsMediaCounters *counters)
{
  IcsMediaStatistics *self = g_new (IcsMediaStatistics, 1);

  g_atomic_ref_count_init (&self->refs);
  self->counters = *counters;
  return self;
}

IcsMediaStatistics *
ics_media_statistics_ref (IcsMediaStatistics *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
ics_media_statistics_unref (IcsMediaStatistics *self)
{
  if (g_atomic_ref_count_dec (&self->refs))
    g_free (self);
}

guint64
ics_media_statistics_get_sent (IcsMediaStatistics *self, IcsMediaKind kind)
{
  g_return_val_if_fail ((guint)kind < ICS_N_MEDIA_KINDS, 0);
  return self->counters.sent[kind];
}

guint64
ics_media_statistics_get_received (IcsMediaStatistics *self, IcsMediaKind kind)
{
  g_return_val_if_fail ((guint)kind < ICS_N_MEDIA_KINDS, 0);
  return self->counters.received[kind];
}

guint64
ics_media_statistics_get_sent_bytes (IcsMediaStatistics *self, IcsPathKind path)
{
  g_return_val_if_fail ((guint)path < ICS_N_PATH_KINDS, 0);
  return self->counters.sent_bytes[path];
}

guint64
ics_media_statistics_get_received_bytes (IcsMediaStatistics *self, IcsPathKind path)
{
  g_return_val_if_fail ((guint)path < ICS_N_PATH_KINDS, 0);
  return self->counters.received_bytes[path];
}

guint64
ics_media_statistics_get_lost (IcsMediaStatistics *self)
{
  return self->counters.lost;
}

guint64
ics_media_statistics_get_dropped (IcsMediaStatistics *self, IcsMediaDrop reason)
{
  g_return_val_if_fail ((guint)reason < ICS_N_MEDIA_DROP_REASONS, 0);
  return self->counters.dropped[reason];
}

const char *
ics_media_drop_to_string (IcsMediaDrop reason)
{
  static const char *const names[ICS_N_MEDIA_DROP_REASONS] = {
    [ICS_MEDIA_DROP_NOT_READY] = "not-ready", [ICS_MEDIA_DROP_MALFORMED] = "malformed",
    [ICS_MEDIA_DROP_TOO_LARGE] = "too-large", [ICS_MEDIA_DROP_QUEUE_FULL] = "queue-full",
    [ICS_MEDIA_DROP_NO_PATH] = "no-path",     [ICS_MEDIA_DROP_REPEATED] = "repeated",
    [ICS_MEDIA_DROP_FORGED] = "forged",       [ICS_MEDIA_DROP_REPLAYED] = "replayed",
    [ICS_MEDIA_DROP_LATE] = "late",           [ICS_MEDIA_DROP_TOO_MANY_SOURCES] = "too-many-sources",
    [ICS_MEDIA_DROP_KEY_LIMIT] = "key-limit", [ICS_MEDIA_DROP_UNREAD] = "unread",
  };

  return (guint)reason < ICS_N_MEDIA_DROP_REASONS ? names[reason] : "unknown";
}
