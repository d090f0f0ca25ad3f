/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/ics-types.h"
#include <glib.h>

G_BEGIN_DECLS

/* The path table, its probes and the rule that chooses. Sans-IO: time (monotonic µs, G_MAXINT64 = never)
 * comes in as an argument, what to do comes out of ics_path_engine_poll(). One side, the decider (the
 * joiner), moves the traffic; the other follows and only tracks. */

typedef struct _IcsPathEngine IcsPathEngine;

typedef enum
{
  ICS_PATH_STATE_NEW,     /* added, never answered: probed, not used */
  ICS_PATH_STATE_ALIVE,   /* answers */
  ICS_PATH_STATE_SUSPECT, /* some probes or data unanswered */
  ICS_PATH_STATE_DEAD,    /* stopped answering; still probed with backoff, revives on an answer */
} IcsPathState;

typedef enum
{
  ICS_PATH_ACTION_PROBE, /* send a probe with @seq on @path */
  ICS_PATH_ACTION_MOVE,  /* move the traffic to @path; validated (make before break) or immediate */
  ICS_PATH_ACTION_STATE, /* for the record: @path went from @from to @to */
} IcsPathActionType;

typedef struct
{
  IcsPathActionType type;
  guint path;
  guint64 seq;
  gboolean in_doubt; /* of a probe: tell the peer that the active path does not answer */
  gboolean immediate;
  IcsPathReason reason;
  IcsPathState from, to;
} IcsPathAction;

typedef struct
{
  gboolean decider;
  guint allowed; /* bit mask, 1 << IcsPathKind: what the policy allows as active path */
} IcsPathEngineConfig;

typedef struct
{
  guint id;
  IcsPathKind kind;
  IcsPathState state;
  gint64 srtt_us; /* 0 = no sample yet */
  gint64 min_rtt_us;
  double loss; /* share of probes lost, 0..1, smoothed */
} IcsPathStatus;

IcsPathEngine *ics_path_engine_new (const IcsPathEngineConfig *config);
void ics_path_engine_free (IcsPathEngine *self);

/* Every call may change what poll() and next_timeout() say: afterwards drain the first, then re-arm by the
 * second. */

/* A path exists now (the carrier can send). Returns its id, from 1, never reused; 0 when the table is full
 * (32). Probing starts at once. */
guint ics_path_engine_add (IcsPathEngine *self, gint64 now, IcsPathKind kind);
/* It is carried by a byte stream (TCP, TLS): of two of a kind the one over datagrams is better. To be said
 * before the first poll. */
void ics_path_engine_set_streamed (IcsPathEngine *self, guint path);

/* The carrier is gone: if it was active the move away is immediate. */
void ics_path_engine_remove (IcsPathEngine *self, gint64 now, guint path);
/* The carrier reports a hard error or link down (TRUE) or that it can send again (FALSE); dead at once,
 * respectively probed at once. A path that is down is still probed with backoff: a carrier that forgets to
 * say so costs nothing. */
void ics_path_engine_set_down (IcsPathEngine *self, gint64 now, guint path, gboolean down);

/* The first path the link runs on; called once, when QUIC is up. Not preceded by an action. */
void ics_path_engine_set_active (IcsPathEngine *self, gint64 now, guint path);
guint ics_path_engine_get_active (IcsPathEngine *self);

/* What happens on the paths. Packets are authenticated ones, and not probes: those have calls of their own
 * below, and do not make a path busy. */
void ics_path_engine_on_received (IcsPathEngine *self, gint64 now, guint path, gsize len);
void ics_path_engine_on_sent (IcsPathEngine *self, gint64 now, guint path, gsize len);
void ics_path_engine_on_probe_reply (IcsPathEngine *self, gint64 now, guint path, guint64 seq);
/* The peer's ping came in. TRUE: answer it; FALSE: it is a repetition, which proves nothing and gets no
 * answer. */
gboolean ics_path_engine_on_ping (IcsPathEngine *self, gint64 now, guint path, guint64 seq);
/* That ping came in doubt: on the active path the peer gets no answers. On whichever path it says so. */
void ics_path_engine_on_doubt (IcsPathEngine *self, gint64 now);
/* The carrier has a new address at its end or the peer's: proved anew at once, and until then kept. */
void ics_path_engine_on_roamed (IcsPathEngine *self, gint64 now, guint path);

/* Outcome of an ACTION_MOVE (decider), or the follower's observation that the traffic moved. A move to the
 * active path that fails after it was reported done (QUIC's validation on it fails) makes the engine move
 * again. */
void ics_path_engine_on_moved (IcsPathEngine *self, gint64 now, guint path);
void ics_path_engine_on_move_failed (IcsPathEngine *self, gint64 now, guint path);

void ics_path_engine_set_allowed (IcsPathEngine *self, gint64 now, guint allowed);

void ics_path_engine_handle_timeout (IcsPathEngine *self, gint64 now);
gint64 ics_path_engine_next_timeout (IcsPathEngine *self);
gboolean ics_path_engine_poll (IcsPathEngine *self, gint64 now, IcsPathAction *action);

/* RFC 7675 §5.1: whether the peer has lately agreed to get more than probes on @path. */
gboolean ics_path_engine_has_consent (IcsPathEngine *self, gint64 now, guint path);
gboolean ics_path_engine_get_info (IcsPathEngine *self, guint path, IcsPathStatus *info);
/* TRUE when no path is alive or suspect: the link has no working path; since when, in @since (nullable). */
gboolean ics_path_engine_is_lost (IcsPathEngine *self, gint64 *since);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsPathEngine, ics_path_engine_free)

G_END_DECLS
