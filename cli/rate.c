/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/rate.h"

#define CHUNKS_PER_SECOND 10
#define CHUNK_MIN 512

gint64
cli_rate_take (CliRate *self, gint64 now_us, gsize bytes)
{
  if (self->rate == 0)
    return now_us;
  self->due_us = MAX (self->due_us, now_us) + (gint64)((double)bytes * G_USEC_PER_SEC / (double)self->rate);
  return self->due_us;
}

gboolean
cli_wait_until (gint64 until_us, GCancellable *cancellable, GError **error)
{
  GPollFD fd = { .fd = -1 };
  gboolean pollable = cancellable != NULL && g_cancellable_make_pollfd (cancellable, &fd);

  for (gint64 now = g_get_monotonic_time (); now < until_us; now = g_get_monotonic_time ())
    {
      if (g_cancellable_is_cancelled (cancellable))
        break;
      g_poll (&fd, pollable ? 1 : 0, (int)MIN ((until_us - now + 999) / 1000, 1000));
    }
  if (pollable)
    g_cancellable_release_fd (cancellable);
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

gboolean
cli_rate_wait (CliRate *self, gsize bytes, GCancellable *cancellable, GError **error)
{
  static GMutex lock; /* several connections share one limit */
  gint64 now = g_get_monotonic_time ();
  gint64 until;

  g_mutex_lock (&lock);
  until = cli_rate_take (self, now, bytes);
  g_mutex_unlock (&lock);

  return until <= now || cli_wait_until (until, cancellable, error);
}

gsize
cli_rate_chunk (const CliRate *self, gsize max)
{
  if (self->rate == 0)
    return max;
  return (gsize)CLAMP (self->rate / CHUNKS_PER_SECOND, CHUNK_MIN, max);
}
