/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The private folder of one coturn child: made under the state folder, locked while its owner lives, removed
 * at the end. Folders whose owner was killed are removed by the next one that comes. */
typedef struct _IcsCoturnDir IcsCoturnDir;

IcsCoturnDir *ics_coturn_dir_new (const char *state_dir, GError **error);
void ics_coturn_dir_free (IcsCoturnDir *self);

const char *ics_coturn_dir_get_path (IcsCoturnDir *self);
char *ics_coturn_dir_get_config (IcsCoturnDir *self);
/* Atomically, mode 0600. */
gboolean ics_coturn_dir_write_config (IcsCoturnDir *self, const char *text, GError **error);

G_END_DECLS
