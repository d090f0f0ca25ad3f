/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Room numbers that people type: short ones first, picked at random among the free. A burnt number rests for
 * a while, so that somebody late does not stumble into (and burn) the room of strangers. Time is monotonic
 * µs. */
typedef struct _IcsNameplates IcsNameplates;

IcsNameplates *ics_nameplates_new (void);
void ics_nameplates_free (IcsNameplates *self);

/* @random gives 32 random bits a call. Returns 0 when no number was found. */
guint ics_nameplates_allocate (IcsNameplates *self, gint64 now, gpointer owner, guint32 (*random) (gpointer),
                               gpointer random_data);
/* Takes a given number; FALSE when it is in use or resting. */
gboolean ics_nameplates_claim (IcsNameplates *self, gint64 now, guint number, gpointer owner);
gpointer ics_nameplates_lookup (IcsNameplates *self, guint number);
void ics_nameplates_burn (IcsNameplates *self, gint64 now, guint number);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsNameplates, ics_nameplates_free)

G_END_DECLS
