/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

struct _IcsQuicStream;

/* Main loops that wait for a stream. A waiter holds its context, not its GSource: a source may be on its way
 * out in another thread while the stream wakes it. Guarded by the stream's lock. */
typedef struct
{
  GQueue contexts;
} IcsStreamWaiters;

void ics_stream_waiters_init (IcsStreamWaiters *self);
void ics_stream_waiters_clear (IcsStreamWaiters *self);
void ics_stream_waiters_wake (IcsStreamWaiters *self);

GSource *ics_stream_source_new (struct _IcsQuicStream *stream, GIOCondition condition, GMutex *lock,
                                IcsStreamWaiters *waiters);

/* Lets @source fire when @cancellable, which may be NULL, is cancelled. */
void ics_stream_source_add_cancellable (GSource *source, GCancellable *cancellable);

G_END_DECLS
