/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ics-version.h"

guint
ics_get_major_version (void)
{
  return ICS_MAJOR_VERSION;
}

guint
ics_get_minor_version (void)
{
  return ICS_MINOR_VERSION;
}

guint
ics_get_micro_version (void)
{
  return ICS_MICRO_VERSION;
}
