/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

struct _IcsQuicStream;

/* Where the application's threads leave the streams that have work for the I/O thread. It outlives the
 * connection, because streams do: after ics_stream_hub_detach() nobody is woken any more. Reference counted,
 * for any thread. */
typedef struct _IcsStreamHub IcsStreamHub;

IcsStreamHub *ics_stream_hub_new (void (*wake) (gpointer user_data), gpointer user_data);
IcsStreamHub *ics_stream_hub_ref (IcsStreamHub *self);
void ics_stream_hub_unref (IcsStreamHub *self);

/* Any thread. FALSE when detached. */
gboolean ics_stream_hub_push (IcsStreamHub *self, struct _IcsQuicStream *stream);

/* The I/O thread; (transfer full), NULL when there is none. */
struct _IcsQuicStream *ics_stream_hub_pop (IcsStreamHub *self);
void ics_stream_hub_detach (IcsStreamHub *self);

G_END_DECLS
