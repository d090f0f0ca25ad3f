/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/consent.h"

void
ics_consent_init (IcsConsent *self, gint64 now, GRand *random)
{
  self->random = random;
  self->check_at = random != NULL ? now : G_MAXINT64;
  self->expires_at = now + ICS_CONSENT_EXPIRY_US;
}

gboolean
ics_consent_is_given (const IcsConsent *self)
{
  return self->expires_at != G_MAXINT64;
}

void
ics_consent_answered (IcsConsent *self, gint64 asked_at)
{
  if (ics_consent_is_given (self))
    self->expires_at = MAX (self->expires_at, asked_at + ICS_CONSENT_EXPIRY_US);
}

void
ics_consent_ask (IcsConsent *self, gint64 now)
{
  if (ics_consent_is_given (self) && self->random != NULL)
    self->check_at = now;
}

/* The intervals are not made up for: after a sleep one check is due, not many. */
IcsConsentAction
ics_consent_handle_timeout (IcsConsent *self, gint64 now)
{
  if (!ics_consent_is_given (self))
    return ICS_CONSENT_WAIT;
  if (now >= self->expires_at)
    {
      self->check_at = self->expires_at = G_MAXINT64;
      return ICS_CONSENT_LOST;
    }
  if (now < self->check_at)
    return ICS_CONSENT_WAIT;
  self->check_at = now + (gint64)(ICS_CONSENT_INTERVAL_US * g_rand_double_range (self->random, 0.8, 1.2));
  return ICS_CONSENT_CHECK;
}

gint64
ics_consent_next_timeout (const IcsConsent *self)
{
  return MIN (self->check_at, self->expires_at);
}
