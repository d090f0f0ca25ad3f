/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/turn-uri.h"
#include <glib.h>

G_BEGIN_DECLS

/* Time-limited TURN credentials ("TURN REST API", draft-uberti-behave-turn-rest-00 §2.2): the user name is
 * "<expiry in seconds since the epoch>:<id>", the password base64 (HMAC-SHA1 (secret, user name)). */

/* (transfer full) */
char *ics_turn_rest_password (const char *secret, const char *username);

/* Gives @server credentials of its own, good for @ttl seconds from @now_unix. */
void ics_turn_rest_issue (IcsTurnServer *server, const char *secret, gint64 now_unix, guint ttl);

G_END_DECLS
