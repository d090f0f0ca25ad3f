/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/turn-answer.h"
#include <gio/gio.h>

G_BEGIN_DECLS

/* What is said on one TURN connection, between a client that knows nothing of the tunnel and its server.
 * Sans-IO: bytes come in, bytes to pass on and what happened come out. All passes unaltered, but for two
 * things before the allocation: the redirection to another server (RFC 8489 §10) is the tunnel's to follow,
 * and a server without an IPv4 relay is asked for an IPv6 one (RFC 8656 §7.1). */

typedef struct _IcsTurnTalk IcsTurnTalk;

typedef enum
{
  ICS_TURN_TALK_NOTHING,
  ICS_TURN_TALK_REFUSED,      /* there will be no relay; the verdict says why */
  ICS_TURN_TALK_REDIRECTED,   /* the answer says where to */
  ICS_TURN_TALK_OTHER_FAMILY, /* there is no IPv4 relay; an IPv6 one is to be asked for */
  ICS_TURN_TALK_LOST,         /* an allocation that was there is no more; the answer says why */
  ICS_TURN_TALK_FORBIDDEN,    /* the server refuses to relay to a peer; the answer says why */
  ICS_TURN_TALK_BROKEN        /* what answers speaks no TURN */
} IcsTurnTalkEvent;

/* @password: the client's, for the server; it has to outlive this. NULL = no IPv6 relay is asked for. */
IcsTurnTalk *ics_turn_talk_new (const char *password);
void ics_turn_talk_free (IcsTurnTalk *self);

/* What the client sends; appends to @pass what the server is to get. NULL: there is none to get it. */
void ics_turn_talk_from_client (IcsTurnTalk *self, const guint8 *data, gsize len, GByteArray *pass);
/* What the server sends; appends to @pass what the client is to get. Returns how much was taken: up to the
 * first event, or all. After REDIRECTED, OTHER_FAMILY and BROKEN the rest is worth nothing. @answer: of the
 * event. */
gsize ics_turn_talk_from_server (IcsTurnTalk *self, const guint8 *data, gsize len, GByteArray *pass,
                                 IcsTurnTalkEvent *event, IcsTurnAnswer *answer);

gboolean ics_turn_talk_has_allocated (const IcsTurnTalk *self);
const IcsTurnVerdict *ics_turn_talk_get_verdict (const IcsTurnTalk *self);

/* Another server answers from here on, or the same on another connection. Returns what it has to be asked:
 * the client's request, after OTHER_FAMILY for an IPv6 relay; may be empty. (transfer full) */
GBytes *ics_turn_talk_begin_anew (IcsTurnTalk *self);

/* Whether a server at @from (NULL: not known) may send its client to the address in @answer: one with a port,
 * of the public Internet unless @from is not; to a loopback address only if @from is one. */
gboolean ics_turn_talk_may_redirect (GInetAddress *from, const IcsTurnAnswer *answer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsTurnTalk, ics_turn_talk_free)

G_END_DECLS
