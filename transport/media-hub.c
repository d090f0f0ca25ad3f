/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/media-hub.h"

#include "base/secret.h"

typedef struct
{
  GBytes *bytes;
  IcsRtpKind kind;
  gint64 at;
} Packet;

typedef struct
{
  IcsMediaWake wake;
  gpointer user_data;
} Listener;

struct _IcsMediaHub
{
  gatomicrefcount refs;
  GMutex lock;
  GCond arrived;
  GQueue out, in; /* Packet */
  Listener reader, carrier;
  const char *profile;
  char *key_log;
  gboolean ended;
  IcsMediaCounters counters;
  guint64 lifetime[ICS_N_RTP_KINDS]; /* set before the I/O thread knows the hub */
};

IcsMediaHub *
ics_media_hub_new (void)
{
  IcsMediaHub *self = g_new0 (IcsMediaHub, 1);

  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  g_cond_init (&self->arrived);
  return self;
}

IcsMediaHub *
ics_media_hub_ref (IcsMediaHub *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

static void
packet_free (gpointer data)
{
  Packet *packet = data;

  g_bytes_unref (packet->bytes);
  g_free (packet);
}

void
ics_media_hub_unref (IcsMediaHub *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_queue_clear_full (&self->out, packet_free);
  g_queue_clear_full (&self->in, packet_free);
  ics_secret_free (self->key_log);
  g_cond_clear (&self->arrived);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* Under the lock, so that nobody is told after it was replaced. */
static void
tell (const Listener *listener)
{
  if (listener->wake != NULL)
    listener->wake (listener->user_data);
}

static void
set_listener (IcsMediaHub *self, Listener *listener, IcsMediaWake wake, gpointer user_data)
{
  g_mutex_lock (&self->lock);
  *listener = (Listener){ wake, user_data };
  g_mutex_unlock (&self->lock);
}

void
ics_media_hub_set_reader (IcsMediaHub *self, IcsMediaWake wake, gpointer user_data)
{
  set_listener (self, &self->reader, wake, user_data);
}

void
ics_media_hub_set_carrier (IcsMediaHub *self, IcsMediaWake wake, gpointer user_data)
{
  set_listener (self, &self->carrier, wake, user_data);
}

void
ics_media_hub_get_counters (IcsMediaHub *self, IcsMediaCounters *counters)
{
  g_mutex_lock (&self->lock);
  *counters = self->counters;
  g_mutex_unlock (&self->lock);
}

void
ics_media_hub_count_drop (IcsMediaHub *self, IcsMediaHubDrop reason)
{
  g_mutex_lock (&self->lock);
  self->counters.dropped[reason]++;
  g_mutex_unlock (&self->lock);
}

/* Takes the packet. */
static void
push (GQueue *queue, GBytes *bytes, IcsRtpKind kind)
{
  Packet *packet = g_new (Packet, 1);

  *packet = (Packet){ bytes, kind, g_get_monotonic_time () };
  g_queue_push_tail (queue, packet);
}

static GBytes *
pop (GQueue *queue, IcsRtpKind *kind)
{
  Packet *packet = g_queue_pop_head (queue);
  GBytes *bytes;

  if (packet == NULL)
    return NULL;
  *kind = packet->kind;
  bytes = packet->bytes;
  g_free (packet);
  return bytes;
}

/* --- the application's side --- */

static gboolean
judge (IcsMediaHub *self, IcsRtpKind kind, GBytes *packet, IcsMediaHubDrop *reason)
{
  gsize len;
  const guint8 *data = g_bytes_get_data (packet, &len);
  IcsRtpKind found;

  if (len > ICS_MEDIA_MAX_PACKET - ICS_MEDIA_OVERHEAD)
    *reason = ICS_MEDIA_HUB_TOO_LARGE;
  else if (!ics_rtp_classify (data, len, &found) || found != kind)
    *reason = ICS_MEDIA_HUB_MALFORMED;
  else if (self->profile == NULL || self->ended)
    *reason = ICS_MEDIA_HUB_NOT_READY;
  else if (g_queue_get_length (&self->out) >= ICS_MEDIA_MAX_QUEUED_OUT)
    *reason = ICS_MEDIA_HUB_QUEUE_FULL;
  else
    return TRUE;
  return FALSE;
}

gboolean
ics_media_hub_send (IcsMediaHub *self, IcsRtpKind kind, GBytes *packet)
{
  IcsMediaHubDrop reason;
  gboolean taken;

  g_mutex_lock (&self->lock);
  taken = judge (self, kind, packet, &reason);
  if (taken)
    {
      push (&self->out, g_bytes_ref (packet), kind);
      tell (&self->carrier);
    }
  else
    self->counters.dropped[reason]++;
  g_mutex_unlock (&self->lock);
  return taken;
}

GBytes *
ics_media_hub_take (IcsMediaHub *self, IcsRtpKind *kind)
{
  GBytes *bytes;

  g_mutex_lock (&self->lock);
  bytes = pop (&self->in, kind);
  g_mutex_unlock (&self->lock);
  return bytes;
}

GBytes *
ics_media_hub_wait (IcsMediaHub *self, IcsRtpKind *kind, GCancellable *cancellable)
{
  GBytes *bytes;

  g_mutex_lock (&self->lock);
  while (g_queue_is_empty (&self->in) && !self->ended && !g_cancellable_is_cancelled (cancellable))
    g_cond_wait (&self->arrived, &self->lock);
  bytes = pop (&self->in, kind);
  g_mutex_unlock (&self->lock);
  return bytes;
}

void
ics_media_hub_interrupt (IcsMediaHub *self)
{
  g_mutex_lock (&self->lock);
  g_cond_broadcast (&self->arrived);
  g_mutex_unlock (&self->lock);
}

gboolean
ics_media_hub_is_ended (IcsMediaHub *self)
{
  gboolean ended;

  g_mutex_lock (&self->lock);
  ended = self->ended;
  g_mutex_unlock (&self->lock);
  return ended;
}

const char *
ics_media_hub_get_profile (IcsMediaHub *self)
{
  const char *profile;

  g_mutex_lock (&self->lock);
  profile = self->profile;
  g_mutex_unlock (&self->lock);
  return profile;
}

char *
ics_media_hub_get_key_log (IcsMediaHub *self)
{
  char *line;

  g_mutex_lock (&self->lock);
  line = g_strdup (self->key_log);
  g_mutex_unlock (&self->lock);
  return line;
}

/* --- the I/O thread's side --- */

void
ics_media_hub_set_lifetime (IcsMediaHub *self, const guint64 lifetime[ICS_N_RTP_KINDS])
{
  for (guint i = 0; i < ICS_N_RTP_KINDS; i++)
    self->lifetime[i] = lifetime[i];
}

const guint64 *
ics_media_hub_get_lifetime (IcsMediaHub *self)
{
  return self->lifetime;
}

void
ics_media_hub_set_ready (IcsMediaHub *self, const char *profile, char *key_log)
{
  g_mutex_lock (&self->lock);
  self->profile = profile;
  self->key_log = key_log;
  tell (&self->reader);
  g_mutex_unlock (&self->lock);
}

GBytes *
ics_media_hub_next (IcsMediaHub *self, gint64 until, IcsRtpKind *kind)
{
  const Packet *first;
  GBytes *bytes = NULL;

  g_mutex_lock (&self->lock);
  first = g_queue_peek_head (&self->out);
  if (first != NULL && first->at <= until)
    bytes = pop (&self->out, kind);
  g_mutex_unlock (&self->lock);
  return bytes;
}

void
ics_media_hub_count_sent (IcsMediaHub *self, IcsRtpKind kind, IcsPathKind path, gsize len)
{
  g_mutex_lock (&self->lock);
  self->counters.sent[kind]++;
  self->counters.sent_bytes[path] += len;
  g_mutex_unlock (&self->lock);
}

void
ics_media_hub_deliver (IcsMediaHub *self, IcsRtpKind kind, IcsPathKind path, GBytes *packet, guint64 lost)
{
  g_mutex_lock (&self->lock);
  self->counters.received[kind]++;
  self->counters.received_bytes[path] += g_bytes_get_size (packet);
  self->counters.lost = lost;
  /* Of media the latest is worth most. */
  if (g_queue_get_length (&self->in) >= ICS_MEDIA_MAX_QUEUED_IN)
    {
      packet_free (g_queue_pop_head (&self->in));
      self->counters.dropped[ICS_MEDIA_HUB_UNREAD]++;
    }
  push (&self->in, packet, kind);
  g_cond_signal (&self->arrived);
  tell (&self->reader);
  g_mutex_unlock (&self->lock);
}

void
ics_media_hub_end (IcsMediaHub *self)
{
  g_mutex_lock (&self->lock);
  self->ended = TRUE;
  self->carrier.wake = NULL;
  g_queue_clear_full (&self->out, packet_free);
  g_cond_broadcast (&self->arrived);
  tell (&self->reader);
  g_mutex_unlock (&self->lock);
}
