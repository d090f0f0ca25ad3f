/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Readies libsodium. To be called before its first use by everything that makes random numbers; cheap and
 * safe to repeat, from any thread. Aborts where the system has no random source: nothing here could be kept
 * secret then. */
void ics_secret_init (void);

/* Wipes a NUL-terminated secret and frees it with g_free(). NULL is allowed. */
void ics_secret_free (char *secret);

G_END_DECLS
