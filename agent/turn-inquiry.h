/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/turn-uri.h"
#include <gio/gio.h>

G_BEGIN_DECLS

/* Asks a TURN server over UDP for an allocation, to learn why there is none: libnice does not tell. What it
 * gets after all it gives back. Ends after two seconds at the latest. */

typedef struct _IcsTurnInquiry IcsTurnInquiry;

/* @cause in people's words, never NULL. The inquiry is gone when this runs. */
typedef void (*IcsTurnInquiryFunc) (const char *cause, gpointer user_data);

/* @done never runs before this returns. */
IcsTurnInquiry *ics_turn_inquiry_start (GInetSocketAddress *server, const IcsTurnServer *turn,
                                        GMainContext *context, IcsTurnInquiryFunc done, gpointer user_data);

/* Before @done ran only: it will not run. */
void ics_turn_inquiry_cancel (IcsTurnInquiry *self);

G_END_DECLS
