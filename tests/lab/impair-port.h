/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* A network interface, every frame of it, by packet(7). The frames wait in a ring shared with the kernel,
 * whose size no limit for socket buffers applies to. */

typedef struct _ImpairPort ImpairPort;

/* NULL with errno. */
ImpairPort *impair_port_open (const char *interface);
void impair_port_close (ImpairPort *self);
int impair_port_fd (ImpairPort *self);

/* The next frame that has come; NULL: none. It is valid until the next call. */
const guint8 *impair_port_receive (ImpairPort *self, gsize *len);
/* Takes a copy of nothing: @frames must stay until it returns. Those that the interface does not take are
 * counted. */
void impair_port_send (ImpairPort *self, const guint8 *const *frames, const gsize *lens, guint n);

/* Frames that found the ring full, were longer than any packet of this wire, or could not be sent. */
guint64 impair_port_dropped (ImpairPort *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImpairPort, impair_port_close)
