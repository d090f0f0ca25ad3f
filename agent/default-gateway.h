/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The gateway of the best default route over the interface that has the IPv4 address @local; both in host
 * byte order. 0 = none. Asks the kernel; waits for nothing. */
guint32 ics_default_gateway_find (guint32 local);

G_END_DECLS
