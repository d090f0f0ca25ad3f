/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/ics-error.h"
#include <glib.h>

G_BEGIN_DECLS

/* Codes that people read to one another: "7-cable-otter". The number is the nameplate of the room at the
 * rendezvous server; the whole code is the password of the pairing handshake. */

#define ICS_CODE_MAX_SIZE 40 /* of the text: 6 digits, two words of 16 letters, two hyphens */

/* Takes what a person typed: surrounding blanks and capital letters do no harm. Sets @code to the canonical
 * text and
 * @nameplate (nullable) to its number, both (transfer full); free the code with ics_secret_free(). Words need
 * not be on the own list, other programs may have others. Fails with ICS_ERROR_INVALID_ARGUMENT; the message
 * never contains the text. */
gboolean ics_code_parse (const char *text, char **code, char **nameplate, GError **error);

/* @nameplate and two random words: 20 random bits, of which a stranger has one guess. (transfer full): free
 * with ics_secret_free(). NULL and ICS_ERROR_INVALID_ARGUMENT when the nameplate is none. */
char *ics_code_make (const char *nameplate, GError **error);

G_END_DECLS
