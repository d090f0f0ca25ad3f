/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Consent to send (RFC 7675), for one path. Sans-IO: time is monotonic µs, G_MAXINT64 = never. */

/* RFC 7675 §5.1: a check every 5 s, drawn anew from 0.8 to 1.2 of it each time; expiry 30 s after the last
 * answer. */
#define ICS_CONSENT_INTERVAL_US (5 * G_USEC_PER_SEC)
#define ICS_CONSENT_EXPIRY_US (30 * G_USEC_PER_SEC)

typedef enum
{
  ICS_CONSENT_WAIT,
  ICS_CONSENT_CHECK, /* send a check, each with a transaction id of its own, never twice */
  ICS_CONSENT_LOST   /* send nothing more, ever: said once */
} IcsConsentAction;

typedef struct
{
  GRand *random;
  gint64 check_at;
  gint64 expires_at;
} IcsConsent;

/* Consent is given at @now, by the checks that found the path. @random: borrowed; draws the intervals, the
 * first check is due at once; NULL: somebody else does the asking. */
void ics_consent_init (IcsConsent *self, gint64 now, GRand *random);

/* An authenticated answer of the peer came in, to a question of @asked_at or later: a late answer, or one
 * that somebody repeats, proves no more than that. */
void ics_consent_answered (IcsConsent *self, gint64 asked_at);

/* A check is due at once. */
void ics_consent_ask (IcsConsent *self, gint64 now);

IcsConsentAction ics_consent_handle_timeout (IcsConsent *self, gint64 now);
gint64 ics_consent_next_timeout (const IcsConsent *self);
gboolean ics_consent_is_given (const IcsConsent *self);

G_END_DECLS
