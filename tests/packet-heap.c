/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "packet-heap.h"

static gboolean
before (const Packet *a, const Packet *b)
{
  return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static Packet *
at (GArray *heap, guint i)
{
  return &g_array_index (heap, Packet, i);
}

static void
swap (GArray *heap, guint i, guint j)
{
  Packet kept = *at (heap, i);

  *at (heap, i) = *at (heap, j);
  *at (heap, j) = kept;
}

void
packet_heap_push (GArray *heap, const Packet *new_packet)
{
  guint i = heap->len;

  g_array_append_vals (heap, new_packet, 1);
  for (; i > 0 && before (at (heap, i), at (heap, (i - 1) / 2)); i = (i - 1) / 2)
    swap (heap, i, (i - 1) / 2);
}

Packet
packet_heap_pop (GArray *heap)
{
  Packet top = *at (heap, 0);
  guint n = heap->len - 1;
  guint i = 0;

  swap (heap, 0, n);
  g_array_set_size (heap, n);
  for (;;)
    {
      guint least = i;

      for (guint child = 2 * i + 1; child <= 2 * i + 2 && child < n; child++)
        if (before (at (heap, child), at (heap, least)))
          least = child;
      if (least == i)
        return top;
      swap (heap, i, least);
      i = least;
    }
}

GArray *
packet_heap_new (void)
{
  return g_array_new (FALSE, FALSE, sizeof (Packet));
}

gint64
packet_heap_next (GArray *heap)
{
  return heap->len > 0 ? at (heap, 0)->at : G_MAXINT64;
}
