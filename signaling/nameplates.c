/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signaling/nameplates.h"
#include "signaling/rendezvous.h"

#define REST_US (10 * 60 * (gint64)G_USEC_PER_SEC)
#define RESTING_MAX 4096
#define TRIES_PER_RANGE 8

typedef struct
{
  guint number;
  gint64 until;
} Resting;

struct _IcsNameplates
{
  GHashTable *owners; /* number -> owner; a resting number has a NULL owner */
  GQueue resting;     /* (element-type Resting), oldest first */
};

IcsNameplates *
ics_nameplates_new (void)
{
  IcsNameplates *self = g_new0 (IcsNameplates, 1);

  self->owners = g_hash_table_new (NULL, NULL);
  return self;
}

void
ics_nameplates_free (IcsNameplates *self)
{
  g_hash_table_unref (self->owners);
  g_queue_clear_full (&self->resting, g_free);
  g_free (self);
}

static void
wake_first (IcsNameplates *self)
{
  g_autofree Resting *first = g_queue_pop_head (&self->resting);

  g_hash_table_remove (self->owners, GUINT_TO_POINTER (first->number));
}

static void
wake_rested (IcsNameplates *self, gint64 now)
{
  const Resting *first;

  while ((first = g_queue_peek_head (&self->resting)) != NULL && first->until <= now)
    wake_first (self);
}

guint
ics_nameplates_allocate (IcsNameplates *self, gint64 now, gpointer owner, guint32 (*random) (gpointer),
                         gpointer random_data)
{
  wake_rested (self, now);
  for (guint low = 1; low < ICS_RV_NAMEPLATE_MAX; low *= 10)
    for (guint i = 0; i < TRIES_PER_RANGE; i++)
      {
        guint number = low + random (random_data) % (9 * low);

        if (ics_nameplates_claim (self, now, number, owner))
          return number;
      }
  return 0;
}

gboolean
ics_nameplates_claim (IcsNameplates *self, gint64 now, guint number, gpointer owner)
{
  wake_rested (self, now);
  if (number == 0 || number > ICS_RV_NAMEPLATE_MAX
      || g_hash_table_contains (self->owners, GUINT_TO_POINTER (number)))
    return FALSE;
  g_hash_table_insert (self->owners, GUINT_TO_POINTER (number), owner);
  return TRUE;
}

gpointer
ics_nameplates_lookup (IcsNameplates *self, guint number)
{
  return g_hash_table_lookup (self->owners, GUINT_TO_POINTER (number));
}

void
ics_nameplates_burn (IcsNameplates *self, gint64 now, guint number)
{
  Resting *resting = g_new (Resting, 1);

  if (self->resting.length >= RESTING_MAX)
    wake_first (self);
  *resting = (Resting){ number, now + REST_US };
  g_hash_table_insert (self->owners, GUINT_TO_POINTER (number), NULL);
  g_queue_push_tail (&self->resting, resting);
}
