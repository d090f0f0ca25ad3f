/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/turn-uri.h"
#include <gio/gio.h>

G_BEGIN_DECLS

/* Whether a TURN server gives this host a relay, over UDP, TCP or TLS: makes an allocation, and gives it
 * back. */

typedef struct _IcsRelayTrial IcsRelayTrial;

typedef struct
{
  const char *address; /* that it relays from; NULL = none */
  double setup_ms;     /* until it was there, from the look-up of the name on; -1 = it never was */
  double rtt_ms;       /* of a request to the server, over that transport; -1 = not measured */
  const char *error;   /* why there is none, in people's words */
} IcsRelayTrialResult;

/* Once, never inside start(). May free the trial. */
typedef void (*IcsRelayTrialFunc) (IcsRelayTrial *self, const IcsRelayTrialResult *result,
                                   gpointer user_data);

typedef struct
{
  const IcsTurnServer *server;
  GTlsDatabase *ca;      /* trusted besides the system's store; may be NULL */
  int family;            /* 0 any, 4 or 6 */
  GMainContext *context; /* the thread-default one */
} IcsRelayTrialConfig;

/* Ends within 14 s. */
IcsRelayTrial *ics_relay_trial_start (const IcsRelayTrialConfig *config, IcsRelayTrialFunc done,
                                      gpointer user_data);
/* Also before it is done. @closed runs when the allocation is given back. */
void ics_relay_trial_free (IcsRelayTrial *self, void (*closed) (gpointer), gpointer closed_data);

G_END_DECLS
