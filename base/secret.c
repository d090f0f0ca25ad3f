/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/secret.h"
#include <sodium.h>
#include <string.h>

void
ics_secret_init (void)
{
  if (sodium_init () < 0)
    g_error ("libsodium cannot be initialized");
}

void
ics_secret_free (char *secret)
{
  if (secret != NULL)
    sodium_memzero (secret, strlen (secret));
  g_free (secret);
}
