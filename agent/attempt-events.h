/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/traversal.h"

G_BEGIN_DECLS

/* What an attempt has to tell its owner, in order, told from the main loop only: libnice emits inside
 * whichever call last held its lock, and the owner's calls must not call the owner back. Any callback may
 * free the attempt. */

typedef struct _IcsAttemptEvents IcsAttemptEvents;

IcsAttemptEvents *ics_attempt_events_new (IcsTraversal *attempt, const IcsIceCallbacks *callbacks,
                                          gpointer user_data, GMainContext *context);

/* No callback from here on. */
void ics_attempt_events_free (IcsAttemptEvents *self);

void ics_attempt_events_candidate (IcsAttemptEvents *self, const char *line);
void ics_attempt_events_gathered (IcsAttemptEvents *self);
void ics_attempt_events_state (IcsAttemptEvents *self, IcsIceState state);
void ics_attempt_events_writable (IcsAttemptEvents *self);
void ics_attempt_events_down (IcsAttemptEvents *self, gboolean down);
void ics_attempt_events_roamed (IcsAttemptEvents *self);
void ics_attempt_events_note (IcsAttemptEvents *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* At once, after all that is waiting. From the main loop. */
void ics_attempt_events_received (IcsAttemptEvents *self, const guint8 *data, gsize len, gsize segment);

G_END_DECLS
