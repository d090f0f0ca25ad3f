/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The other end of a loopback connection, @socket being the accepted one, as a descriptor of this very
 * process; -1 when it belongs to somebody else. It stays the property of whoever opened it. */
int ics_own_socket_find_peer (GSocket *socket);

G_END_DECLS
