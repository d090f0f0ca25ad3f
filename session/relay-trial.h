/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/turn-uri.h"
#include <gio/gio.h>

G_BEGIN_DECLS

/* Whether a TURN server gives this host a relay: makes an allocation, and gives it back. */

typedef struct _IcsRelayTrial IcsRelayTrial;

/* @address: that it relays from, NULL = none; @setup_ms: until it was there. Once, never inside start(). */
typedef void (*IcsRelayTrialFunc) (IcsRelayTrial *self, const char *address, double setup_ms,
                                   gpointer user_data);

/* With credentials. @server is copied. */
IcsRelayTrial *ics_relay_trial_start (const IcsTurnServer *server, int family, GMainContext *context,
                                      IcsRelayTrialFunc done, gpointer user_data);
const IcsTurnServer *ics_relay_trial_get_server (IcsRelayTrial *self);
/* Also before it is done. @closed runs when the allocation is given back. */
void ics_relay_trial_free (IcsRelayTrial *self, void (*closed) (gpointer), gpointer closed_data);

G_END_DECLS
