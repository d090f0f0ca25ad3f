/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/turn-ca.h"
#include "base/ics-error.h"

gboolean
ics_turn_ca_load (const char *file, GTlsDatabase **database, GError **error)
{
  g_autoptr (GError) cause = NULL;

  *database = file != NULL ? g_tls_file_database_new (file, &cause) : NULL;
  if (cause == NULL)
    return TRUE;
  g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT, "cannot read the certificates in %s: %s", file,
               cause->message);
  return FALSE;
}
