/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The certificates (PEM) in @file, for TURN over TLS, into @database: NULL when @file is. FALSE and
 * ICS_ERROR_INVALID_ARGUMENT when they cannot be read. */
gboolean ics_turn_ca_load (const char *file, GTlsDatabase **database, GError **error);

G_END_DECLS
