/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/fingerprint.h"
#include "base/ics-error.h"
#include "base/ics-types.h"

G_BEGIN_DECLS

/* What a host says of itself once the code is proved: the plaintext of the sealed part of messages 2 and 3.
 * Always of one size, so that its length tells a relay nothing. */

#define ICS_HELLO_SIZE 128
#define ICS_HELLO_APPLICATION_MAX 64
#define ICS_LINK_VERSION_LOWEST 1 /* of what is spoken after the handshake */
#define ICS_LINK_VERSION_HIGHEST 1

typedef struct
{
  guint8 lowest_version;
  guint8 highest_version;
  guint8 fingerprint[ICS_FINGERPRINT_SIZE];
  char application[ICS_HELLO_APPLICATION_MAX + 1];
  IcsPathPolicy policy; /* of the user: each host keeps to both */
} IcsHello;

/* With policy auto. FALSE when @application is not 1 to 64 printable ASCII characters without blanks. */
gboolean ics_hello_init (IcsHello *self, const guint8 fingerprint[ICS_FINGERPRINT_SIZE],
                         const char *application);

void ics_hello_write (const IcsHello *self, guint8 plaintext[ICS_HELLO_SIZE]);
gboolean ics_hello_read (IcsHello *self, const guint8 plaintext[ICS_HELLO_SIZE]);

/* Whether two hosts can talk. If not, sets @failure to ICS_ERROR_PROTOCOL (no version in common) or
 * ICS_ERROR_REFUSED (different applications) and @message (transfer full) to a sentence for people. */
gboolean ics_hello_matches (const IcsHello *own, const IcsHello *peer, IcsError *failure, char **message);

G_END_DECLS
