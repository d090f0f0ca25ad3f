/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/remote-offer.h"
#include "base/secret.h"

#define REFUSAL_NOTES_MAX 8

struct _IcsRemoteOffer
{
  IcsAttemptEvents *events;
  IcsCandidateRules rules;
  IcsRemoteCandidateList candidates;
  char *ufrag, *pwd;
  gboolean credentials_delivered;
  guint n_delivered;
  gboolean ended;
  IcsNat64Prefix nat64; /* of length 0: none */
  guint n_refused;
};

IcsRemoteOffer *
ics_remote_offer_new (const IcsCandidateRules *rules, IcsAttemptEvents *events)
{
  IcsRemoteOffer *self = g_new0 (IcsRemoteOffer, 1);

  self->rules = *rules;
  self->events = events;
  return self;
}

void
ics_remote_offer_free (IcsRemoteOffer *self)
{
  g_free (self->ufrag);
  ics_secret_free (self->pwd);
  g_free (self);
}

gboolean
ics_remote_offer_set_credentials (IcsRemoteOffer *self, const char *ufrag, const char *pwd)
{
  if (self->ufrag != NULL)
    return FALSE;
  if (!ics_ice_credentials_are_valid (ufrag, pwd))
    {
      ics_attempt_events_note (self->events, "the peer's ICE credentials are malformed");
      return FALSE;
    }
  self->ufrag = g_strdup (ufrag);
  self->pwd = g_strdup (pwd);
  return TRUE;
}

static void
note_refusal (IcsRemoteOffer *self, IcsCandidateVerdict verdict)
{
  if (++self->n_refused <= REFUSAL_NOTES_MAX)
    ics_attempt_events_note (self->events, "a candidate of the peer was refused: %s",
                             ics_candidate_verdict_to_string (verdict));
}

gboolean
ics_remote_offer_add (IcsRemoteOffer *self, const char *line)
{
  IcsRemoteCandidate candidate;
  IcsCandidateVerdict verdict;
  g_autofree char *endpoint = NULL;

  if (self->ended)
    return FALSE;
  verdict = ics_remote_candidate_parse (line, &self->rules, &candidate);
  if (verdict == ICS_CANDIDATE_OK)
    verdict = ics_remote_candidate_list_add (&self->candidates, &candidate);
  if (verdict != ICS_CANDIDATE_OK)
    {
      note_refusal (self, verdict);
      return FALSE;
    }
  endpoint = ics_remote_candidate_to_endpoint (&candidate);
  ics_attempt_events_note (self->events, "peer offers %s %s", ics_remote_candidate_get_type_name (&candidate),
                           endpoint);
  return TRUE;
}

const char *
ics_remote_offer_get_ufrag (const IcsRemoteOffer *self)
{
  return self->ufrag;
}

const char *
ics_remote_offer_get_pwd (const IcsRemoteOffer *self)
{
  return self->pwd;
}

static gboolean
is_at (const IcsRemoteCandidate *candidate, const char *endpoint)
{
  g_autofree char *own = ics_remote_candidate_to_endpoint (candidate);

  return g_str_equal (own, endpoint);
}

static gboolean
translate (const IcsRemoteOffer *self, const IcsRemoteCandidate *candidate, IcsRemoteCandidate *translated)
{
  return self->nat64.length != 0 && ics_remote_candidate_translate (candidate, &self->nat64, translated);
}

const char *
ics_remote_offer_find (const IcsRemoteOffer *self, const char *endpoint)
{
  for (guint i = 0; i < self->candidates.len; i++)
    {
      const IcsRemoteCandidate *candidate = &self->candidates.items[i];
      IcsRemoteCandidate translated;

      if (is_at (candidate, endpoint)
          || (translate (self, candidate, &translated) && is_at (&translated, endpoint)))
        return ics_remote_candidate_get_type_name (candidate);
    }
  return NULL;
}

const IcsRemoteCandidateList *
ics_remote_offer_get_candidates (const IcsRemoteOffer *self)
{
  return &self->candidates;
}

void
ics_remote_offer_set_nat64 (IcsRemoteOffer *self, const IcsNat64Prefix *prefix)
{
  self->nat64 = *prefix;
}

void
ics_remote_offer_end (IcsRemoteOffer *self)
{
  self->ended = TRUE;
}

gboolean
ics_remote_offer_has_ended (const IcsRemoteOffer *self)
{
  return self->ended;
}

static void
hand_over (IcsRemoteOffer *self, IcsNiceLeg *leg, const IcsRemoteCandidate *candidate)
{
  if (!ics_nice_leg_add_remote (leg, candidate))
    ics_attempt_events_note (self->events, "libnice does not take the candidate %s", candidate->address);
}

gboolean
ics_remote_offer_deliver (IcsRemoteOffer *self, IcsNiceLeg *leg)
{
  if (self->ufrag == NULL)
    return FALSE;
  if (!self->credentials_delivered)
    ics_nice_leg_set_remote_credentials (leg, self->ufrag, self->pwd);
  self->credentials_delivered = TRUE;
  while (self->n_delivered < self->candidates.len)
    {
      const IcsRemoteCandidate *candidate = &self->candidates.items[self->n_delivered++];
      IcsRemoteCandidate translated;

      hand_over (self, leg, candidate);
      if (translate (self, candidate, &translated))
        hand_over (self, leg, &translated);
    }
  if (self->ended)
    ics_nice_leg_end_of_candidates (leg);
  return TRUE;
}
