/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/quic-bulk.h"

#include <check.h>

static guint8
content (guint64 offset)
{
  return (guint8)((offset * 2654435761u) >> 16);
}

void
bulk_write (Bulk *b)
{
  guint8 buf[8192];

  while (b->written < b->size && ics_quic_stream_is_ready (b->tx, G_IO_OUT))
    {
      gsize n = (gsize)MIN (sizeof buf, b->size - b->written);
      gssize taken;

      for (gsize i = 0; i < n; i++)
        buf[i] = content (b->written + i);
      taken = ics_quic_stream_write (b->tx, buf, n, FALSE, NULL, NULL);
      if (taken <= 0)
        return;
      b->written += (guint64)taken;
    }
  if (!b->finished && b->written == b->size)
    ics_quic_stream_finish_write (b->tx);
  b->finished = b->written == b->size;
}

void
bulk_read (Sim *sim, Bulk *b)
{
  guint8 buf[8192];
  gssize n;

  if (b->rx == NULL && (b->rx = g_queue_pop_head (&sim->incoming[1 - b->from])) == NULL)
    return;
  while (!b->ended && (n = ics_quic_stream_read (b->rx, buf, sizeof buf, FALSE, NULL, NULL)) >= 0)
    {
      for (gssize i = 0; i < n; i++)
        b->wrong += buf[i] != content (b->read + (guint64)i);
      b->read += (guint64)n;
      b->ended = n == 0;
    }
}

gboolean
bulk_done (Sim *sim, gpointer user_data)
{
  Bulk *b = user_data;

  bulk_write (b);
  bulk_read (sim, b);
  return b->ended && ics_quic_stream_is_flushed (b->tx, NULL);
}

void
bulk_start (Sim *sim, Bulk *b, guint from, guint64 size)
{
  *b = (Bulk){ .from = from, .size = size, .tx = ics_quic_open_stream (sim->quic[from]) };
}

/* Only now: each ck_assert costs a system call. */
void
bulk_clear (Bulk *b)
{
  ck_assert_uint_eq (b->wrong, 0);
  ics_quic_stream_unref (b->tx);
  g_clear_pointer (&b->rx, ics_quic_stream_unref);
}
