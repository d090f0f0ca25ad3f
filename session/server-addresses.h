/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Which addresses the server listens on, relays from and names. */

/* "ADDR:PORT" or "[ADDR]:PORT"; literals only. */
GSocketAddress *ics_server_parse_listen (const char *text, GError **error);

/* Where the TURN server listens: the @public addresses (mapped to one of this host's where they are not its
 * own), else the specific ones of @listen, else this host's. IPv4 first. (transfer full) (element-type
 * IcsCoturnAddress) */
GArray *ics_server_turn_addresses (const char *const *public, const char *const *listen, GError **error);

/* "ws://host:port"; a wildcard is replaced by the first public address of a family it serves. */
char *ics_server_url (GInetSocketAddress *bound, const char *const *public, gboolean tls);

G_END_DECLS
