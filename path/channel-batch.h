/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Datagrams on the relayed channel travel several to a message, each behind a u16 length: one message costs
 * the relay as much as a datagram does. */

#define ICS_BATCH_TARGET 16384

void ics_batch_append (GByteArray *batch, const guint8 *data, gsize len);

/* Walks a received message: FALSE at its end, or where it is malformed (then *malformed is set). */
gboolean ics_batch_next (const guint8 **cursor, gsize *left, const guint8 **data, gsize *len,
                         gboolean *malformed);

G_END_DECLS
