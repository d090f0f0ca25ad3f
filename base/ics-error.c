/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ics-error.h"

G_DEFINE_QUARK (ics - error - quark, ics_error)

const char *
ics_error_to_string (IcsError code)
{
  switch (code)
    {
    case ICS_ERROR_FAILED:
      return "failed";
    case ICS_ERROR_INVALID_ARGUMENT:
      return "invalid-argument";
    case ICS_ERROR_SERVER_UNREACHABLE:
      return "server-unreachable";
    case ICS_ERROR_SERVER_REFUSED:
      return "server-refused";
    case ICS_ERROR_NO_PEER:
      return "no-peer";
    case ICS_ERROR_TIMED_OUT:
      return "timed-out";
    case ICS_ERROR_CODE_REJECTED:
      return "code-rejected";
    case ICS_ERROR_KEY_REJECTED:
      return "key-rejected";
    case ICS_ERROR_PATH_UNAVAILABLE:
      return "path-unavailable";
    case ICS_ERROR_REFUSED:
      return "refused";
    case ICS_ERROR_LINK_LOST:
      return "link-lost";
    case ICS_ERROR_INTEGRITY:
      return "integrity";
    case ICS_ERROR_PROTOCOL:
      return "protocol";
    case ICS_ERROR_CLOSED:
      return "closed";
    }
  return "failed";
}
