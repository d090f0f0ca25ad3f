/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/nat-behavior.h"
#include <stun/stunagent.h>

G_BEGIN_DECLS

/* One Binding request to a server, without credentials, and its retransmissions over UDP (RFC 8489 §6.2.1).
 * Sans-IO: time is monotonic µs, G_MAXINT64 = never. Plain data; starts zeroed. */

/* Rc is smaller than the proposed 7, which takes 39.5 s. */
#define ICS_STUN_RTO (500 * G_TIME_SPAN_MILLISECOND)
#define ICS_STUN_RC 4
#define ICS_STUN_RM 4

/* RFC 5780 §7.2: flags of CHANGE-REQUEST. */
typedef enum
{
  ICS_STUN_CHANGE_NONE = 0,
  ICS_STUN_CHANGE_PORT = 2,
  ICS_STUN_CHANGE_IP = 4
} IcsStunChange;

typedef enum
{
  ICS_STUN_IDLE,
  ICS_STUN_ASKING,
  ICS_STUN_ANSWERED,
  ICS_STUN_REFUSED, /* an error response, or an answer that does not heed CHANGE-REQUEST */
  ICS_STUN_SILENT
} IcsStunTransactionState;

typedef struct
{
  IcsSockaddr to;
  IcsSockaddr from; /* where the answer must come from */
  int change;       /* IcsStunChange flags */
  gint64 rto;       /* µs, the first pause; each is twice the one before */
} IcsStunQuestion;

typedef struct
{
  IcsStunTransactionState state;
  IcsStunQuestion question;
  guint8 data[64];
  gsize len;
  guint sent;
  gint64 started_at, sent_at; /* the first one, the last one */
  gint64 due;
} IcsStunTransaction;

typedef struct
{
  IcsSockaddr mapped;
  gboolean has_other;
  IcsSockaddr other; /* OTHER-ADDRESS, RFC 5780 §7.4 */
} IcsStunReply;

/* For all the transactions of one object; it remembers their ids. */
void ics_stun_transaction_init_agent (StunAgent *agent);

/* The first request is due at once. */
void ics_stun_transaction_start (IcsStunTransaction *self, StunAgent *agent, const IcsStunQuestion *question,
                                 gint64 now);
/* TRUE: @data is to be sent now, once. */
gboolean ics_stun_transaction_poll (IcsStunTransaction *self, gint64 now);
/* TRUE: it has just come to its end without an answer. */
gboolean ics_stun_transaction_handle_timeout (IcsStunTransaction *self, StunAgent *agent, gint64 now);
gint64 ics_stun_transaction_next_timeout (const IcsStunTransaction *self);
/* Ends it unanswered. */
void ics_stun_transaction_cancel (IcsStunTransaction *self, StunAgent *agent);

/* TRUE if @data is its answer, an error too (see @state); @reply is filled when answered. */
gboolean ics_stun_transaction_read (IcsStunTransaction *self, StunAgent *agent, const guint8 *data, gsize len,
                                    const IcsSockaddr *from, IcsStunReply *reply);
/* TRUE if @data is its own request. */
gboolean ics_stun_transaction_is_request (const IcsStunTransaction *self, const guint8 *data, gsize len);

G_END_DECLS
