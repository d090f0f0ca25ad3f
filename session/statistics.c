/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/statistics-private.h"

G_DEFINE_BOXED_TYPE (IcsStatistics, ics_statistics, ics_statistics_ref, ics_statistics_unref)

IcsStatistics *
ics_statistics_ref (IcsStatistics *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
ics_statistics_unref (IcsStatistics *self)
{
  if (g_atomic_ref_count_dec (&self->refs))
    g_free (self);
}

guint64
ics_statistics_get_sent (IcsStatistics *self, IcsPathKind kind)
{
  g_return_val_if_fail ((guint)kind < ICS_N_PATH_KINDS, 0);
  return self->sent[kind];
}

guint64
ics_statistics_get_received (IcsStatistics *self, IcsPathKind kind)
{
  g_return_val_if_fail ((guint)kind < ICS_N_PATH_KINDS, 0);
  return self->received[kind];
}

guint64
ics_statistics_get_time_ms (IcsStatistics *self, IcsPathKind kind)
{
  g_return_val_if_fail ((guint)kind < ICS_N_PATH_KINDS, 0);
  return self->time[kind] / G_TIME_SPAN_MILLISECOND;
}

double
ics_statistics_get_rtt_ms (IcsStatistics *self)
{
  return (double)self->rtt / G_TIME_SPAN_MILLISECOND;
}

double
ics_statistics_get_loss (IcsStatistics *self)
{
  return self->loss;
}

guint
ics_statistics_get_n_shifts (IcsStatistics *self)
{
  return self->n_shifts;
}

guint
ics_statistics_get_n_stalls (IcsStatistics *self)
{
  return self->n_stalls;
}

guint
ics_statistics_get_longest_stall_ms (IcsStatistics *self)
{
  return self->longest_stall_ms;
}

guint64
ics_statistics_get_datagrams_sent (IcsStatistics *self)
{
  return self->datagrams[ICS_TALLY_SENT];
}

guint64
ics_statistics_get_datagrams_unsent (IcsStatistics *self)
{
  return self->datagrams[ICS_TALLY_UNSENT];
}

guint64
ics_statistics_get_datagrams_received (IcsStatistics *self)
{
  return self->datagrams[ICS_TALLY_RECEIVED];
}

guint64
ics_statistics_get_datagrams_missed (IcsStatistics *self)
{
  return self->datagrams[ICS_TALLY_MISSED];
}

guint64
ics_statistics_get_packets_dropped (IcsStatistics *self)
{
  return self->packets_dropped;
}
