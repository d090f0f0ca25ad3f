/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/nice-candidate.h"
#include <string.h>

IcsCandidateType
ics_nice_candidate_get_type (const NiceCandidate *candidate)
{
  switch (candidate->type)
    {
    case NICE_CANDIDATE_TYPE_HOST:
      return ICS_CANDIDATE_HOST;
    case NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE:
      return ICS_CANDIDATE_SRFLX;
    case NICE_CANDIDATE_TYPE_PEER_REFLEXIVE:
      return ICS_CANDIDATE_PRFLX;
    case NICE_CANDIDATE_TYPE_RELAYED:
      return ICS_CANDIDATE_RELAY;
    }
  return ICS_CANDIDATE_HOST;
}

char *
ics_nice_candidate_to_endpoint (const NiceCandidate *candidate)
{
  char text[NICE_ADDRESS_STRING_LEN];

  nice_address_to_string (&candidate->addr, text);
  return g_strdup_printf (nice_address_ip_version (&candidate->addr) == 6 ? "[%s]:%u" : "%s:%u", text,
                          nice_address_get_port (&candidate->addr));
}

/* A relayed candidate names the address it was asked for from, an inner one; RFC 8839 §5.1 says what to write
 * instead. */
static char *
hide_related_address (const char *line, gboolean ipv6)
{
  const char *related = strstr (line, " raddr ");
  g_autofree char *head = related != NULL ? g_strndup (line, (gsize)(related - line)) : g_strdup (line);

  return g_strdup_printf ("%s raddr %s rport 0", head, ipv6 ? "::" : "0.0.0.0");
}

char *
ics_nice_candidate_to_line (NiceAgent *agent, NiceCandidate *candidate)
{
  g_autofree char *sdp = nice_agent_generate_local_candidate_sdp (agent, candidate);
  const char *line;

  if (sdp == NULL || !g_str_has_prefix (sdp, "a="))
    return NULL;
  line = sdp + strlen ("a=");
  if (candidate->type == NICE_CANDIDATE_TYPE_RELAYED)
    return hide_related_address (line, nice_address_ip_version (&candidate->addr) == 6);
  return g_strdup (line);
}
