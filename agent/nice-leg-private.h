/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/nice-leg.h"
#include "agent/nice-outlet.h"
#include <nice/agent.h>

G_BEGIN_DECLS

/* A leg gathers and carries (nice-leg.c), and ends in the order that libnice bears (nice-leg-close.c). */

struct _IcsNiceLeg
{
  NiceAgent *agent;
  guint stream;
  gboolean relay_only;
  const char *transport; /* between this host and its relay, or the peer */
  GMainContext *context;
  IcsNiceLegHooks hooks;
  gpointer user_data;
  IcsNiceOutlet *outlet; /* until closing */
  gint64 gather_started;
  gint64 gather_done;
  gboolean resolving;      /* libnice's own look-up of the STUN server is under way */
  gboolean teardown_waits; /* for the end of it */
  GSource *patience;       /* its own end */
  gboolean patient;
  gboolean torn_down;
  gboolean closing;
  gboolean muted; /* no hook runs any more */
  void (*closed) (gpointer);
  gpointer closed_data;
};

/* nice-leg-close.c */

/* A signal of libnice's. */
void ics_nice_leg_on_gathered (NiceAgent *agent, guint stream, gpointer self);
/* libnice is about to look up its STUN server. */
void ics_nice_leg_follow_resolver (IcsNiceLeg *self);

G_END_DECLS
