/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/number.h"

gboolean
ics_number_parse (const char *text, guint64 min, guint64 max, guint64 *value)
{
  /* The first of all such calls in a process sets the C locale up, behind GLib's lock for things that are
   * done once. Where another thread holds that just then, the wait leaves EAGAIN in errno, and
   * g_ascii_string_to_unsigned(), which sets errno to 0 before it and looks at it behind it, takes a good
   * number for a bad one (GLib 2.74). So the first call is one whose outcome does not matter. */
  g_ascii_strtoull ("0", NULL, 10);
  return g_ascii_string_to_unsigned (text, 10, min, max, value, NULL);
}
