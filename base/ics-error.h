/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <base/ics-macros.h>
#include <glib.h>

G_BEGIN_DECLS

#define ICS_ERROR (ics_error_quark ())
ICS_API GQuark ics_error_quark (void);

/**
 * IcsError:
 * @ICS_ERROR_FAILED: anything that has no code of its own
 * @ICS_ERROR_INVALID_ARGUMENT: an argument (URI, code, candidate) does not parse
 * @ICS_ERROR_SERVER_UNREACHABLE: the rendezvous server does not answer
 * @ICS_ERROR_SERVER_REFUSED: the server answered and refused (limit, malformed request)
 * @ICS_ERROR_NO_PEER: nobody waits under this code, or nobody came
 * @ICS_ERROR_TIMED_OUT: a wait reached its end
 * @ICS_ERROR_CODE_REJECTED: the two codes differ; the nameplate is burnt
 * @ICS_ERROR_KEY_REJECTED: the peer's certificate is not the one that was agreed on
 * @ICS_ERROR_PATH_UNAVAILABLE: the policy asks for a path that does not exist
 * @ICS_ERROR_REFUSED: the peer declined (application mismatch, offer declined, target not offered)
 * @ICS_ERROR_LINK_LOST: no path to the peer is left
 * @ICS_ERROR_INTEGRITY: data arrived that is not what was sent
 * @ICS_ERROR_PROTOCOL: the peer or the server broke the protocol
 * @ICS_ERROR_CLOSED: the link or stream was closed
 *
 * Error codes of the library. The names of the matching command-line exit codes are in ice-session(1).
 *
 * Since: 0.1
 */
typedef enum
{
  ICS_ERROR_FAILED,
  ICS_ERROR_INVALID_ARGUMENT,
  ICS_ERROR_SERVER_UNREACHABLE,
  ICS_ERROR_SERVER_REFUSED,
  ICS_ERROR_NO_PEER,
  ICS_ERROR_TIMED_OUT,
  ICS_ERROR_CODE_REJECTED,
  ICS_ERROR_KEY_REJECTED,
  ICS_ERROR_PATH_UNAVAILABLE,
  ICS_ERROR_REFUSED,
  ICS_ERROR_LINK_LOST,
  ICS_ERROR_INTEGRITY,
  ICS_ERROR_PROTOCOL,
  ICS_ERROR_CLOSED
} IcsError;

/* The stable text name of an error code ("code-rejected"), as events carry it. */
ICS_API const char *ics_error_to_string (IcsError code);

G_END_DECLS
