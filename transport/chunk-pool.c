/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/chunk-pool.h"

typedef struct _Spare Spare;

struct _Spare
{
  Spare *next;
};

static GMutex lock;
static Spare *spares;
static guint n_spares, n_used;

guint8 *
ics_chunk_alloc (void)
{
  Spare *spare;

  g_mutex_lock (&lock);
  n_used++;
  spare = spares;
  if (spare != NULL)
    {
      spares = spare->next;
      n_spares--;
    }
  g_mutex_unlock (&lock);
  return spare != NULL ? (guint8 *)spare : g_malloc (ICS_CHUNK_SIZE);
}

/* Takes those over @limit out of the pool. */
static Spare *
take_surplus (guint limit)
{
  Spare *surplus = NULL;

  while (n_spares > limit)
    {
      Spare *spare = spares;

      spares = spare->next;
      spare->next = surplus;
      surplus = spare;
      n_spares--;
    }
  return surplus;
}

void
ics_chunk_free (guint8 *chunk)
{
  Spare *spare = (Spare *)(gpointer)chunk, *surplus;

  g_mutex_lock (&lock);
  spare->next = spares;
  spares = spare;
  n_spares++;
  n_used--;
  surplus = take_surplus (n_used == 0 ? ICS_CHUNK_POOL_IDLE : ICS_CHUNK_POOL_MAX);
  g_mutex_unlock (&lock);
  while (surplus != NULL)
    {
      spare = surplus;
      surplus = spare->next;
      g_free (spare);
    }
}

guint
ics_chunk_pool_size (void)
{
  guint size;

  g_mutex_lock (&lock);
  size = n_spares;
  g_mutex_unlock (&lock);
  return size;
}
