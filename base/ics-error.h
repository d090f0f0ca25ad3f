/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <base/ics-macros.h>
#include <glib-object.h>

G_BEGIN_DECLS

/**
 * ICS_ERROR:
 *
 * The error domain of the library; its codes are those of [error@Error].
 *
 * Since: 0.1
 */
#define ICS_ERROR (ics_error_quark ())

/**
 * ics_error_quark:
 *
 * The error domain of the library. From any thread.
 *
 * Returns: the quark of "ics-error-quark"
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 GQuark ics_error_quark (void);

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
 * @ICS_ERROR_REFUSED: the peer declined (another application, an end with a code, a stream given up)
 * @ICS_ERROR_LINK_LOST: no path to the peer is left
 * @ICS_ERROR_INTEGRITY: data arrived that is not what was sent
 * @ICS_ERROR_PROTOCOL: the peer or the server broke the protocol
 * @ICS_ERROR_CLOSED: the link or stream was closed
 *
 * Error codes of the library, in the domain %ICS_ERROR. Functions of GIO may fail with those of
 * [error@Gio.IOErrorEnum] beside these, first of all %G_IO_ERROR_CANCELLED. ice-session(1) has the exit
 * statuses of the program that they lead to.
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

#define ICS_TYPE_ERROR (ics_error_get_type ())
ICS_AVAILABLE_IN_1_0 GType ics_error_get_type (void) G_GNUC_CONST;

/**
 * ics_error_to_string:
 * @code: an error code
 *
 * The stable name of an error code ("code-rejected"), as the program's events carry it.
 *
 * Returns: the name; "failed" for a number that is no code
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_error_to_string (IcsError code);

G_END_DECLS
