/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Stands before the system's sendmsg(), by which libnice sends, in a program that links this: a socket
 * that is full as long as the test says so, which no kernel can be brought to over loopback. */

/* From now on there is room for nothing (TRUE) or for all (FALSE). */
void socket_fault_block (gboolean blocked);

/* How many messages left through it so far. */
guint socket_fault_count_sent (void);

G_END_DECLS
