/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/remote-candidate.h"
#include "agent/traversal.h"
#include "agent/udp-flow.h"

G_BEGIN_DECLS

/* One NiceAgent with one stream of one component: libnice and nothing else, with the precautions that libnice
 * 0.1.21 needs. What is worth trying and what the outcome means is the attempt's business. */

typedef struct _IcsNiceLeg IcsNiceLeg;

/* They may run inside any call into the leg (libnice emits in whichever call last held its lock), on its
 * context. */
typedef struct
{
  void (*candidate) (IcsCandidateType type, const char *line, const char *endpoint, gpointer user_data);
  void (*gathered) (gpointer user_data);
  void (*changed) (gpointer user_data); /* ask ics_nice_leg_is_connected(), _has_failed(), _get_pair() */
  void (*received) (const guint8 *data, gsize len, gpointer user_data);
  void (*writable) (gpointer user_data);
} IcsNiceLegHooks;

IcsNiceLeg *ics_nice_leg_new (const IcsIceConfig *config, const IcsNiceLegHooks *hooks, gpointer user_data);

/* Mutes the leg at once, closes it asynchronously (allocations are given back), frees it, then calls @closed
 * (may be NULL). Safe inside a hook, and after ics_nice_leg_retire(), whose @closed is forgotten then. */
void ics_nice_leg_close (IcsNiceLeg *self, void (*closed) (gpointer), gpointer closed_data);

/* The leg's work is done: its sockets live on in the caller's hands. It closes as above, without the other
 * hooks, but goes on to tell what it receives; from @closed on nobody else reads the sockets. NULL if there
 * is no direct pair; nothing has happened then. (element-type int) (transfer full) (nullable) */
GArray *ics_nice_leg_retire (IcsNiceLeg *self, IcsFlow *selected, void (*closed) (gpointer),
                             gpointer closed_data);

void ics_nice_leg_get_credentials (IcsNiceLeg *self, char **ufrag, char **pwd);

/* Once. @local: (element-type GInetAddress); @server: STUN or TURN server, may be NULL on a direct leg;
 * @turn: its transport (TLS is TCP here) and credentials, on a relay leg. FALSE if not one socket can be
 * bound. */
gboolean ics_nice_leg_gather (IcsNiceLeg *self, GPtrArray *local, GInetSocketAddress *server,
                              const IcsTurnServer *turn);

/* TRUE when gathering took less time than unanswered requests would have: somebody answered, and refused. */
gboolean ics_nice_leg_was_answered (IcsNiceLeg *self);

/* The smallest receive buffer of its sockets in bytes; 0 if there is none. */
int ics_nice_leg_get_receive_buffer (IcsNiceLeg *self);

/* After gather; the credentials first. */
void ics_nice_leg_set_remote_credentials (IcsNiceLeg *self, const char *ufrag, const char *pwd);
gboolean ics_nice_leg_add_remote (IcsNiceLeg *self, const IcsRemoteCandidate *candidate);
void ics_nice_leg_end_of_candidates (IcsNiceLeg *self);

gboolean ics_nice_leg_is_connected (IcsNiceLeg *self);
/* No check that could bring a better pair is under way. */
gboolean ics_nice_leg_is_ready (IcsNiceLeg *self);
gboolean ics_nice_leg_has_failed (IcsNiceLeg *self);
gboolean ics_nice_leg_get_pair (IcsNiceLeg *self, IcsIcePair *pair);

/* The address of this host that the selected pair is sent from: (transfer full) (nullable). */
GInetAddress *ics_nice_leg_get_base (IcsNiceLeg *self);

/* After BLOCKED the hook writable runs once. */
IcsSendResult ics_nice_leg_send (IcsNiceLeg *self, const guint8 *data, gsize len);

G_END_DECLS
