/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/turn-uri.h"
#include <gio/gio.h>

G_BEGIN_DECLS

/* Asks a TURN server over UDP why it gave no allocation, for libnice does not tell: it refreshes one that
 * does not exist (RFC 8656 §7.3), so that nothing is taken which would have to be given back. The server
 * judges the credentials first; when it then misses the allocation, they are good, and it was at its limits.
 * Ends after two seconds at the latest. */

typedef struct _IcsTurnInquiry IcsTurnInquiry;

/* @cause in people's words, never NULL. The inquiry is gone when this runs. */
typedef void (*IcsTurnInquiryFunc) (const char *cause, gpointer user_data);

/* @done never runs before this returns. */
IcsTurnInquiry *ics_turn_inquiry_start (GInetSocketAddress *server, const IcsTurnServer *turn,
                                        GMainContext *context, IcsTurnInquiryFunc done, gpointer user_data);

/* Before @done ran only: it will not run. */
void ics_turn_inquiry_cancel (IcsTurnInquiry *self);

G_END_DECLS
