/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Blocks for the bytes of streams, from any thread. Given back to malloc() each time, they would go on to the
 * kernel and come back one page fault after the other: half of the throughput. So some are kept, a few when
 * none is in use. */

#define ICS_CHUNK_SIZE 32768u
#define ICS_CHUNK_POOL_MAX 256u /* 8 MiB */
#define ICS_CHUNK_POOL_IDLE 32u /* 1 MiB */

guint8 *ics_chunk_alloc (void);
void ics_chunk_free (guint8 *chunk);

/* How many are kept now. */
guint ics_chunk_pool_size (void);

G_END_DECLS
