/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/traversal.h"
#include <nice/agent.h>

G_BEGIN_DECLS

/* The way out of a leg: sends on libnice's selected pair, and tells when a socket that was full has room
 * again. */

typedef struct _IcsNiceOutlet IcsNiceOutlet;

/* @agent is borrowed; @writable runs in @context. */
IcsNiceOutlet *ics_nice_outlet_new (NiceAgent *agent, guint stream, GMainContext *context,
                                    void (*writable) (gpointer), gpointer user_data);
void ics_nice_outlet_free (IcsNiceOutlet *self);

/* After BLOCKED @writable runs once. */
IcsSendResult ics_nice_outlet_send (IcsNiceOutlet *self, const guint8 *data, gsize len);

G_END_DECLS
