/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ics-types.h"

const char *
ics_path_kind_to_string (IcsPathKind kind)
{
  switch (kind)
    {
    case ICS_PATH_CHANNEL:
      return "channel";
    case ICS_PATH_TURN:
      return "turn";
    case ICS_PATH_DIRECT:
      return "direct";
    }
  return "unknown";
}

const char *
ics_path_reason_to_string (IcsPathReason reason)
{
  switch (reason)
    {
    case ICS_PATH_REASON_FIRST:
      return "first";
    case ICS_PATH_REASON_BETTER:
      return "better";
    case ICS_PATH_REASON_LOST:
      return "lost";
    case ICS_PATH_REASON_POLICY:
      return "policy";
    case ICS_PATH_REASON_ROAM:
      return "roam";
    }
  return "unknown";
}
