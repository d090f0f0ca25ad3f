/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A cancellable that is cancelled with its parent (may be NULL), or when its time is up. The timer runs on
 * the thread-default context; it may be freed in any thread. */
typedef struct _IcsDeadline IcsDeadline;

IcsDeadline *ics_deadline_new (GCancellable *parent, guint ms);
GCancellable *ics_deadline_get_cancellable (IcsDeadline *self);
/* It was the time, not the parent. */
gboolean ics_deadline_has_passed (IcsDeadline *self);
void ics_deadline_free (IcsDeadline *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsDeadline, ics_deadline_free)

G_END_DECLS
