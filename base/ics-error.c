/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ics-error.h"

/* Not G_DEFINE_QUARK: that one keeps the number in plain memory, and errors are made on several threads.
 * Whoever comes at the same time writes the same number. */
GQuark
ics_error_quark (void)
{
  static gint quark;
  gint known = g_atomic_int_get (&quark);

  if (known == 0)
    {
      known = (gint)g_quark_from_static_string ("ics-error-quark");
      g_atomic_int_set (&quark, known);
    }
  return (GQuark)known;
}

G_DEFINE_ENUM_TYPE (IcsError, ics_error, G_DEFINE_ENUM_VALUE (ICS_ERROR_FAILED, "failed"),
                    G_DEFINE_ENUM_VALUE (ICS_ERROR_INVALID_ARGUMENT, "invalid-argument"),
                    G_DEFINE_ENUM_VALUE (ICS_ERROR_SERVER_UNREACHABLE, "server-unreachable"),
                    G_DEFINE_ENUM_VALUE (ICS_ERROR_SERVER_REFUSED, "server-refused"),
                    G_DEFINE_ENUM_VALUE (ICS_ERROR_NO_PEER, "no-peer"),
                    G_DEFINE_ENUM_VALUE (ICS_ERROR_TIMED_OUT, "timed-out"),
                    G_DEFINE_ENUM_VALUE (ICS_ERROR_CODE_REJECTED, "code-rejected"),
                    G_DEFINE_ENUM_VALUE (ICS_ERROR_KEY_REJECTED, "key-rejected"),
                    G_DEFINE_ENUM_VALUE (ICS_ERROR_PATH_UNAVAILABLE, "path-unavailable"),
                    G_DEFINE_ENUM_VALUE (ICS_ERROR_REFUSED, "refused"),
                    G_DEFINE_ENUM_VALUE (ICS_ERROR_LINK_LOST, "link-lost"),
                    G_DEFINE_ENUM_VALUE (ICS_ERROR_INTEGRITY, "integrity"),
                    G_DEFINE_ENUM_VALUE (ICS_ERROR_PROTOCOL, "protocol"),
                    G_DEFINE_ENUM_VALUE (ICS_ERROR_CLOSED, "closed"))

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
