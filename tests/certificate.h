/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* Makes a certificate for the IP @address, signed by itself, and writes it with its key as PEM to the file
 * @name in @dir. Returns the file's path. */
char *certificate_write (const char *dir, const char *name, const char *address);

/* From here on this process trusts the certificate in @file, which must stay, and none but it. */
void certificate_trust (const char *file);
