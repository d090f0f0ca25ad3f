/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a TURN server answers (RFC 8489 §5, RFC 8656), as far as it tells why there is no relay. Pure, and
 * only for the record: nothing is authenticated. */

/* RFC 8489 §14.8, RFC 8656 §18 */
#define ICS_TURN_TRY_ALTERNATE 300
#define ICS_TURN_UNAUTHENTICATED 401
#define ICS_TURN_FORBIDDEN 403
#define ICS_TURN_INTEGRITY_CHECK_FAILURE 431 /* of RFC 3489; some servers still say it */
#define ICS_TURN_ALLOCATION_MISMATCH 437
#define ICS_TURN_STALE_NONCE 438
#define ICS_TURN_FAMILY_NOT_SUPPORTED 440
#define ICS_TURN_WRONG_CREDENTIALS 441
#define ICS_TURN_UNSUPPORTED_TRANSPORT 442
#define ICS_TURN_QUOTA_REACHED 486
#define ICS_TURN_INSUFFICIENT_CAPACITY 508

/* RFC 8656 §17 */
#define ICS_TURN_ALLOCATE 0x003
#define ICS_TURN_REFRESH 0x004
#define ICS_TURN_CREATE_PERMISSION 0x008
#define ICS_TURN_CHANNEL_BIND 0x009

typedef enum
{
  ICS_STUN_REQUEST,
  ICS_STUN_INDICATION,
  ICS_STUN_SUCCESS,
  ICS_STUN_ERROR
} IcsStunClass;

typedef struct
{
  IcsStunClass class;
  guint method;
  guint code; /* of an error; 0 = it bears none */
  /* RFC 8489 §14.15, §14.16 */
  guint8 alternate[16];
  gsize alternate_len; /* 4 or 16; 0 = none is named */
  guint16 alternate_port;
  char alternate_domain[256]; /* "" = none is named */
} IcsTurnAnswer;

/* FALSE when @data is no STUN message. */
gboolean ics_turn_answer_parse (IcsTurnAnswer *self, const guint8 *data, gsize len);

/* All that a server answered to the requests of one client, summed up. */
typedef struct
{
  gboolean allocated;
  guint n_challenges; /* 401, 431, 438: one is the ordinary begin (RFC 8489 §9.2.3) */
  guint code;         /* of the last error to an Allocate request */
} IcsTurnVerdict;

/* TRUE when the answer settles that there is no relay; ics_turn_verdict_cause() says why. */
gboolean ics_turn_verdict_take (IcsTurnVerdict *self, const IcsTurnAnswer *answer);

/* Why there is no relay, in people's words, after "refused: "; NULL when no error told it. (transfer full) */
char *ics_turn_verdict_cause (const IcsTurnVerdict *self);

G_END_DECLS
