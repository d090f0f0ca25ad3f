/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/ice-pair.h"
#include <string.h>

void
ics_ice_pair_clear (IcsIcePair *self)
{
  g_free (self->local);
  g_free (self->remote);
  memset (self, 0, sizeof *self);
}

gboolean
ics_ice_pair_is_wanted (const IcsIcePair *self, gboolean host_only)
{
  return !host_only || (g_str_equal (self->local_type, "host") && g_str_equal (self->remote_type, "host"));
}
