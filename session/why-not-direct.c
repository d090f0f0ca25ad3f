/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/why-not-direct.h"
#include "agent/address-scope.h"
#include "agent/remote-candidate.h"

#define REMEDY                                                                                               \
  "a UDP port open or forwarded on either side, a router there that maps ports by itself (PCP, NAT-PMP, "    \
  "UPnP), or IPv6 on both hosts would help"

static gboolean
is_global (const IcsRemoteCandidate *candidate)
{
  IcsSockaddr address;

  return ics_sockaddr_parse (&address, candidate->address, candidate->port)
         && ics_address_scope (&address) == ICS_SCOPE_GLOBAL;
}

void
ics_direct_end_add_candidate (IcsDirectEnd *self, const char *line)
{
  static const IcsCandidateRules rules = { .allow_loopback = TRUE };
  IcsRemoteCandidate candidate;

  if (ics_remote_candidate_parse (line, &rules, &candidate) != ICS_CANDIDATE_OK)
    return;
  self->ipv4 = self->ipv4 || candidate.family == 4;
  self->ipv6 = self->ipv6 || candidate.family == 6;
  self->reflexive = self->reflexive || candidate.type == ICS_CANDIDATE_SRFLX;
  self->global = self->global || (candidate.type == ICS_CANDIDATE_HOST && is_global (&candidate));
}

/* --- what was not even tried --- */

static const char *
by_policy (const IcsDirectFacts *facts)
{
  if (facts->own.policy == ICS_PATH_POLICY_RELAY)
    return "this host's policy is \"relay\": no direct path is looked for; \"auto\" allows one";
  if (facts->peer.policy == ICS_PATH_POLICY_RELAY)
    return "the other host's policy is \"relay\": no direct path is looked for; \"auto\" there allows one";
  return NULL;
}

static const char *
by_progress (const IcsDirectFacts *facts)
{
  if (facts->proved)
    return "a direct path was there and stopped answering, and no other one has been found since";
  if (facts->started == 0)
    return "the session ended before a direct path was looked for";
  if (facts->failed == 0)
    return "the session ended before the search for a direct path did";
  return NULL;
}

/* --- what the candidates tell --- */

static gboolean
has_nothing (const IcsDirectEnd *end)
{
  return end->told_all && !end->ipv4 && !end->ipv6;
}

static const char *
by_family (const IcsDirectEnd *own, const IcsDirectEnd *peer)
{
  if (has_nothing (own))
    return "this host has no address that it could be reached at";
  if (has_nothing (peer))
    return "the other host has no address that it could be reached at";
  if (!own->told_all || !peer->told_all || (own->ipv4 && peer->ipv4) || (own->ipv6 && peer->ipv6))
    return NULL;
  return own->ipv4 ? "this host has IPv4 only and the other one IPv6 only: they need a family in common"
                   : "this host has IPv6 only and the other one IPv4 only: they need a family in common";
}

gboolean
ics_direct_is_hopeless (const IcsDirectFacts *facts)
{
  return by_policy (facts) != NULL || by_family (&facts->own, &facts->peer) != NULL;
}

/* Behind a NAT, without a word from a server outside. */
static gboolean
knows_no_outside (const IcsDirectEnd *end)
{
  return end->told_all && end->ipv4 && !end->global && !end->reflexive;
}

static const char *
by_stun (const IcsDirectFacts *facts)
{
  gboolean here = facts->stun_asked && !facts->udp_answered && knows_no_outside (&facts->own);
  gboolean there = knows_no_outside (&facts->peer);

  if (here && there)
    return "no STUN server answered this host, and the other one has no outside address either: it seems "
           "that UDP is "
           "blocked on both sides; letting UDP out would help";
  if (here)
    return "no STUN server answered this host: it seems that UDP is blocked in its network; letting UDP out "
           "there "
           "would help";
  if (there)
    return "the other host has private addresses only: no STUN server answered it, or it asked none; if UDP "
           "is "
           "blocked in its network, letting it out there would help";
  return NULL;
}

/* --- what the NATs tell --- */

static const char *
manner (const IcsDirectEnd *end)
{
  switch (end->ports)
    {
    case ICS_NAT_PORTS_UNKNOWN:
    case ICS_NAT_PORTS_PRESERVED:
      return "";
    case ICS_NAT_PORTS_SEQUENTIAL:
      return ", one after the other";
    case ICS_NAT_PORTS_RANDOM:
      return ", at random";
    }
  return "";
}

static const char *
other_side (const IcsDirectEnd *end, gboolean here)
{
  if (end->mapping_varies == ICS_FACT_NO || end->global)
    return here ? "this host can be found, but what it was sent did not come in"
                : "the other host can be found, but what it was sent did not come in";
  return here ? "how this host's NAT behaves is not known" : "how the other host's NAT behaves is not known";
}

static char *
by_varying_nat (const IcsDirectEnd *own, const IcsDirectEnd *peer)
{
  gboolean here = own->mapping_varies == ICS_FACT_YES;

  if (here && peer->mapping_varies == ICS_FACT_YES)
    {
      if (own->ports == ICS_NAT_PORTS_RANDOM && peer->ports == ICS_NAT_PORTS_RANDOM)
        return g_strdup ("both NATs map at random: each destination gets another port; " REMEDY);
      return g_strdup_printf ("both NATs give each destination another port (here%s; there%s), so neither "
                              "host knows where to send; "
                              "%s",
                              manner (own), manner (peer), REMEDY);
    }
  return g_strdup_printf ("%s NAT gives each destination another port%s, so %s cannot know where to send, "
                          "and %s; %s",
                          here ? "this host's" : "the other host's", manner (here ? own : peer),
                          here ? "the other host" : "this one", other_side (here ? peer : own, !here),
                          REMEDY);
}

static const char *
by_steady_nats (const IcsDirectEnd *own, const IcsDirectEnd *peer)
{
  gboolean here = own->mapping_varies == ICS_FACT_NO, there = peer->mapping_varies == ICS_FACT_NO;

  if (here && there)
    return "both hosts have one outside port for all destinations, and still no check came through: a "
           "firewall or "
           "filter on the way drops UDP between them; " REMEDY;
  if (here)
    return "this host has one outside port for all destinations, and no check came through: the cause is the "
           "other "
           "host's NAT, which is not measured, or a firewall; " REMEDY;
  if (there)
    return "the other host has one outside port for all destinations, and no check came through: the cause "
           "is this "
           "host's NAT, which is not measured, or a firewall; " REMEDY;
  return "the hosts told each other their addresses, and no check came through; how their NATs behave is not "
         "known "
         "(\"ice-session probe\" on each host tells); " REMEDY;
}

char *
ics_why_not_direct (const IcsDirectFacts *facts)
{
  const IcsDirectEnd *own = &facts->own, *peer = &facts->peer;
  const char *why = by_policy (facts);

  if (why == NULL && !facts->proved)
    why = by_family (own, peer);
  if (why == NULL)
    why = by_progress (facts);
  if (why == NULL)
    why = by_stun (facts);
  if (why == NULL && facts->connected)
    why = "a pair of addresses answered ICE's checks, but not what the link asks before it trusts a path";
  if (why == NULL && (!own->told_all || !peer->told_all))
    why = "the attempts ended before both hosts had told all their addresses";
  if (why == NULL && (own->mapping_varies == ICS_FACT_YES || peer->mapping_varies == ICS_FACT_YES))
    return by_varying_nat (own, peer);
  return g_strdup (why != NULL ? why : by_steady_nats (own, peer));
}
