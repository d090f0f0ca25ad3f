/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A whole decimal number within [min, max], without a sign or anything before or behind it. */
gboolean ics_number_parse (const char *text, guint64 min, guint64 max, guint64 *value);

G_END_DECLS
