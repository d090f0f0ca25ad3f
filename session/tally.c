/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/tally.h"

#include "session/statistics-private.h"

struct _IcsTally
{
  gatomicrefcount refs;
  GMutex lock;
  IcsStatistics sum; /* its reference count is not used; times in µs, up to since */
  gint64 since;      /* the traffic is on this path; G_MAXINT64: on none */
  IcsPathKind kind;
};

IcsTally *
ics_tally_new (void)
{
  IcsTally *self = g_new0 (IcsTally, 1);

  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  self->since = G_MAXINT64;
  return self;
}

IcsTally *
ics_tally_ref (IcsTally *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
ics_tally_unref (IcsTally *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
ics_tally_add_sent (IcsTally *self, IcsPathKind kind, gsize len)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->sum.sent[kind] += len;
}

void
ics_tally_add_received (IcsTally *self, IcsPathKind kind, gsize len)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->sum.received[kind] += len;
}

static void
add_time (IcsStatistics *sum, IcsPathKind kind, gint64 since, gint64 now)
{
  if (now > since)
    sum->time[kind] += (guint64)(now - since);
}

void
ics_tally_on_path (IcsTally *self, gint64 now, IcsPathKind kind, IcsPathReason reason)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  add_time (&self->sum, self->kind, self->since, now);
  if (reason != ICS_PATH_REASON_FIRST && reason != ICS_PATH_REASON_ROAM)
    self->sum.n_shifts++;
  self->kind = kind;
  self->since = now;
}

void
ics_tally_end (IcsTally *self, gint64 now)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  add_time (&self->sum, self->kind, self->since, now);
  self->since = G_MAXINT64;
}

void
ics_tally_set_quality (IcsTally *self, gint64 rtt, double loss)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->sum.rtt = rtt;
  self->sum.loss = loss;
}

void
ics_tally_add_stall (IcsTally *self, guint ms)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->sum.n_stalls++;
  self->sum.longest_stall_ms = MAX (self->sum.longest_stall_ms, ms);
}

void
ics_tally_set_packets_dropped (IcsTally *self, guint64 packets)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->sum.packets_dropped = packets;
}

void
ics_tally_add_datagram (IcsTally *self, IcsTallyDatagram what)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->sum.datagrams[what]++;
}

IcsStatistics *
ics_tally_get (IcsTally *self, gint64 now)
{
  IcsStatistics *sum = g_new (IcsStatistics, 1);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  *sum = self->sum;
  g_atomic_ref_count_init (&sum->refs);
  add_time (sum, self->kind, self->since, now);
  return sum;
}
