/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/lab/impair-queue.h"

#include <math.h>
#include <string.h>

#include "tests/lab/impair-frame.h"

#define NS_PER_MS 1e6
#define NS_PER_S 1e9
#define DEFAULT_REORDER_BY_MS 5
#define DEFAULT_QUEUE_S 0.1
#define DEFAULT_QUEUE_MIN 32000

typedef struct
{
  ImpairPacket *first, *last;
} Fifo;

struct _ImpairQueue
{
  ImpairSettings settings;
  GRand *random;
  gboolean losing;     /* Gilbert's bad state */
  gint64 state_at;     /* when that was so */
  gint64 line_free_at; /* when the line has sent what waits for it */
  Fifo on_time;
  Fifo held_back;
  gsize waiting;
  guint64 counts[IMPAIR_N_COUNTS];
  guint64 bytes_out;
};

ImpairQueue *
impair_queue_new (guint32 seed)
{
  ImpairQueue *self = g_new0 (ImpairQueue, 1);

  self->random = g_rand_new_with_seed (seed);
  return self;
}

static ImpairPacket *
fifo_take (Fifo *fifo)
{
  ImpairPacket *packet = fifo->first;

  fifo->first = packet->next;
  if (fifo->first == NULL)
    fifo->last = NULL;
  return packet;
}

/* The first one holds up the others, even when the settings have changed since: nothing overtakes in its own
 * queue. */
static void
fifo_add (Fifo *fifo, ImpairPacket *packet)
{
  if (fifo->last != NULL)
    fifo->last->next = packet;
  else
    fifo->first = packet;
  fifo->last = packet;
}

static void
fifo_clear (Fifo *fifo)
{
  while (fifo->first != NULL)
    g_free (fifo_take (fifo));
}

void
impair_queue_free (ImpairQueue *self)
{
  fifo_clear (&self->on_time);
  fifo_clear (&self->held_back);
  g_rand_free (self->random);
  g_free (self);
}

void
impair_queue_set (ImpairQueue *self, const ImpairSettings *settings)
{
  self->settings = *settings;
  self->losing = FALSE;
}

const ImpairSettings *
impair_queue_settings (ImpairQueue *self)
{
  return &self->settings;
}

static gboolean
happens (ImpairQueue *self, double percent)
{
  return percent > 0 && g_rand_double (self->random) * 100 < percent;
}

/* Gilbert's model: in the bad state everything is lost. Its mean length is given, and the good state's
 * follows from the share that shall be lost. By packets a state is left with the inverse of its length; by
 * the clock the chance to be in the bad state comes back to the share exponentially. */
static double
percent_of_bad (ImpairQueue *self, gint64 now)
{
  double loss = self->settings.loss;
  double forgotten;

  if (self->settings.burst_ms > 0)
    {
      forgotten = 1
                  - exp (-(double)(now - self->state_at) / NS_PER_MS
                         / (self->settings.burst_ms * (1 - loss / 100)));
      return self->losing ? 100 - (100 - loss) * forgotten : loss * forgotten;
    }
  return self->losing ? 100 - 100 / self->settings.burst : 100 / self->settings.burst * loss / (100 - loss);
}

static gboolean
is_lost (ImpairQueue *self, gint64 now)
{
  const ImpairSettings *settings = &self->settings;

  if (settings->loss <= 0 || settings->loss >= 100 || (settings->burst <= 1 && settings->burst_ms <= 0))
    return happens (self, settings->loss);
  self->losing = happens (self, percent_of_bad (self, now));
  self->state_at = now;
  return self->losing;
}

/* Sets *at to when the line has sent the packet. FALSE: no room in the queue in front of it. */
static gboolean
pass_line (ImpairQueue *self, gint64 now, gsize bytes, gint64 *at)
{
  double rate = self->settings.rate;
  double room
      = self->settings.queue > 0 ? self->settings.queue : MAX (DEFAULT_QUEUE_MIN, rate / 8 * DEFAULT_QUEUE_S);
  gint64 start = MAX (now, self->line_free_at);

  *at = now;
  if (rate <= 0)
    return TRUE;
  /* The packet that is just being sent does not wait any more: one always finds a place. */
  if (start > now && (double)(start - now) / NS_PER_S * rate / 8 + (double)bytes > room)
    return FALSE;
  *at = self->line_free_at = start + (gint64)((double)bytes * 8 * NS_PER_S / rate);
  return TRUE;
}

static gint64
way_ns (ImpairQueue *self)
{
  double jitter = self->settings.jitter_ms;
  double ms
      = self->settings.delay_ms + (jitter > 0 ? g_rand_double_range (self->random, -jitter, jitter) : 0);

  return (gint64)(MAX (ms, 0) * NS_PER_MS);
}

static ImpairPacket *
add (ImpairQueue *self, Fifo *fifo, gint64 at, const guint8 *frame, gsize len)
{
  ImpairPacket *packet = g_malloc (sizeof *packet + len);

  *packet = (ImpairPacket){ .at = at, .len = len };
  memcpy (packet->data, frame, len);
  self->waiting += len;
  fifo_add (fifo, packet);
  return packet;
}

static void
send_on (ImpairQueue *self, gint64 at, gboolean hold_back, const guint8 *frame, gsize len)
{
  double by_ms = self->settings.reorder_by_ms > 0 ? self->settings.reorder_by_ms : DEFAULT_REORDER_BY_MS;
  ImpairPacket *packet;

  if (hold_back)
    packet = add (self, &self->held_back, at + (gint64)(by_ms * NS_PER_MS), frame, len);
  else
    packet = add (self, &self->on_time, at, frame, len);
  if (happens (self, self->settings.corrupt))
    {
      impair_frame_corrupt (packet->data, len, g_rand_int (self->random));
      self->counts[IMPAIR_CORRUPTED]++;
    }
}

static void
send_copies (ImpairQueue *self, gint64 at, const guint8 *frame, gsize len)
{
  gboolean hold_back = happens (self, self->settings.reorder);

  at += way_ns (self);
  self->counts[IMPAIR_REORDERED] += hold_back;
  send_on (self, at, hold_back, frame, len);
  if (happens (self, self->settings.duplicate))
    {
      self->counts[IMPAIR_DUPLICATED]++;
      send_on (self, at, TRUE, frame, len);
    }
}

gboolean
impair_queue_push (ImpairQueue *self, gint64 now, const guint8 *frame, gsize len)
{
  const ImpairSettings *settings = &self->settings;
  gsize ip_len = len > IMPAIR_ETHERNET ? len - IMPAIR_ETHERNET : 0;
  gint64 at = now;

  self->counts[IMPAIR_IN]++;
  if (impair_frame_is_local (frame, len))
    add (self, &self->on_time, now, frame, len);
  else if (settings->blackhole > 0)
    self->counts[IMPAIR_BLACKHOLED]++;
  else if (settings->mtu > 0 && (double)ip_len > settings->mtu)
    {
      self->counts[IMPAIR_TOO_BIG]++;
      return settings->icmp > 0;
    }
  else if (is_lost (self, now))
    self->counts[IMPAIR_LOST]++;
  else if (self->waiting + len > IMPAIR_QUEUE_MAX_BYTES || !pass_line (self, now, ip_len, &at))
    self->counts[IMPAIR_QUEUE_FULL]++;
  else
    send_copies (self, at, frame, len);
  return FALSE;
}

static Fifo *
earlier (ImpairQueue *self)
{
  if (self->on_time.first == NULL)
    return &self->held_back;
  if (self->held_back.first == NULL || self->on_time.first->at <= self->held_back.first->at)
    return &self->on_time;
  return &self->held_back;
}

gint64
impair_queue_next (ImpairQueue *self)
{
  const ImpairPacket *packet = earlier (self)->first;

  return packet != NULL ? packet->at : G_MAXINT64;
}

ImpairPacket *
impair_queue_pop (ImpairQueue *self, gint64 now)
{
  ImpairPacket *packet;

  if (impair_queue_next (self) > now)
    return NULL;
  packet = fifo_take (earlier (self));
  packet->next = NULL;
  self->waiting -= packet->len;
  self->counts[IMPAIR_OUT]++;
  self->bytes_out += packet->len;
  return packet;
}

guint64
impair_queue_count (ImpairQueue *self, ImpairCount which)
{
  return self->counts[which];
}

guint64
impair_queue_bytes_out (ImpairQueue *self)
{
  return self->bytes_out;
}
