/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/exits.h"
#include "base/ics-error.h"
#include <gio/gio.h>

static int
exit_from_code (IcsError code)
{
  switch (code)
    {
    case ICS_ERROR_FAILED:
      return CLI_EXIT_IO;
    case ICS_ERROR_INVALID_ARGUMENT:
      return CLI_EXIT_USAGE;
    case ICS_ERROR_SERVER_UNREACHABLE:
    case ICS_ERROR_SERVER_REFUSED:
      return CLI_EXIT_SERVER;
    case ICS_ERROR_NO_PEER:
    case ICS_ERROR_TIMED_OUT:
      return CLI_EXIT_NO_PEER;
    case ICS_ERROR_CODE_REJECTED:
    case ICS_ERROR_KEY_REJECTED:
      return CLI_EXIT_REJECTED;
    case ICS_ERROR_PATH_UNAVAILABLE:
      return CLI_EXIT_PATH;
    case ICS_ERROR_REFUSED:
      return CLI_EXIT_REFUSED;
    case ICS_ERROR_LINK_LOST:
    case ICS_ERROR_PROTOCOL:
    case ICS_ERROR_CLOSED:
      return CLI_EXIT_LINK;
    case ICS_ERROR_INTEGRITY:
      return CLI_EXIT_INTEGRITY;
    }
  return CLI_EXIT_IO;
}

int
cli_exit_from_error (const GError *error)
{
  return error->domain == ICS_ERROR ? exit_from_code ((IcsError)error->code) : CLI_EXIT_IO;
}

const char *
cli_exit_error_name (const GError *error)
{
  if (error->domain == ICS_ERROR)
    return ics_error_to_string ((IcsError)error->code);
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ? "interrupted" : "local-io";
}
