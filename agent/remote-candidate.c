/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/remote-candidate.h"
#include "base/number.h"
#include <arpa/inet.h>
#include <string.h>

/* RFC 8839 §5.1: "candidate:" foundation component transport priority address port "typ" type, then pairs. */
enum
{
  FIELD_FOUNDATION,
  FIELD_COMPONENT,
  FIELD_TRANSPORT,
  FIELD_PRIORITY,
  FIELD_ADDRESS,
  FIELD_PORT,
  FIELD_TYP,
  FIELD_TYPE,
  N_FIXED_FIELDS
};

#define PREFIX "candidate:"
#define FOUNDATION_MAX 32
#define PRIORITY_MAX G_MAXINT32 /* RFC 8445 §5.1.2: 1 to 2**31 - 1 */
#define UFRAG_MIN 4
#define PWD_MIN 22
#define CREDENTIAL_MAX 256

static const char *const type_names[] = { "host", "srflx", "prflx", "relay" };

const char *
ics_candidate_type_to_string (IcsCandidateType type)
{
  return type_names[type];
}

static const char *const tcptype_names[] = { "none", "active", "passive", "so" };

const char *
ics_tcptype_to_string (IcsTcpType type)
{
  return tcptype_names[type];
}

const char *
ics_candidate_verdict_to_string (IcsCandidateVerdict verdict)
{
  switch (verdict)
    {
    case ICS_CANDIDATE_OK:
      return "accepted";
    case ICS_CANDIDATE_TOO_LONG:
      return "line too long";
    case ICS_CANDIDATE_MALFORMED:
      return "malformed";
    case ICS_CANDIDATE_NOT_UDP:
      return "not UDP";
    case ICS_CANDIDATE_NOT_TCP:
      return "not TCP";
    case ICS_CANDIDATE_WRONG_COMPONENT:
      return "not component 1";
    case ICS_CANDIDATE_NOT_A_LITERAL:
      return "a name, not an address";
    case ICS_CANDIDATE_BAD_ADDRESS:
      return "an address that no host can have";
    case ICS_CANDIDATE_WRONG_TYPE:
      return "of a type that is not wanted here";
    case ICS_CANDIDATE_WRONG_FAMILY:
      return "of the other address family";
    case ICS_CANDIDATE_DUPLICATE:
      return "known already";
    case ICS_CANDIDATE_TOO_MANY:
      return "too many candidates";
    }
  return "refused";
}

/* RFC 8839 §5.1: ice-char = ALPHA / DIGIT / "+" / "/". */
static gboolean
is_ice_chars (const char *text, gsize min, gsize max)
{
  gsize len = strlen (text);

  if (len < min || len > max)
    return FALSE;
  for (gsize i = 0; i < len; i++)
    if (!g_ascii_isalnum (text[i]) && text[i] != '+' && text[i] != '/')
      return FALSE;
  return TRUE;
}

gboolean
ics_ice_credentials_are_valid (const char *ufrag, const char *pwd)
{
  return ufrag != NULL && pwd != NULL && is_ice_chars (ufrag, UFRAG_MIN, CREDENTIAL_MAX)
         && is_ice_chars (pwd, PWD_MIN, CREDENTIAL_MAX);
}

static gboolean
is_usable_ipv4 (const struct in_addr *address, gboolean allow_loopback)
{
  guint32 host = ntohl (address->s_addr);

  if (host >> 24 == 127)
    return allow_loopback;
  return host >> 24 != 0
         && host < 0xe0000000u; /* neither "this network" nor multicast, reserved, broadcast */
}

/* RFC 8445 §5.1.1.1 bars IPv4-mapped, IPv4-compatible and site-local addresses; a link-local one means
 * nothing without the scope of this host. */
static gboolean
is_usable_ipv6 (const struct in6_addr *address, gboolean allow_loopback)
{
  if (IN6_IS_ADDR_LOOPBACK (address))
    return allow_loopback;
  return !IN6_IS_ADDR_UNSPECIFIED (address) && !IN6_IS_ADDR_MULTICAST (address)
         && !IN6_IS_ADDR_V4MAPPED (address) && !IN6_IS_ADDR_V4COMPAT (address)
         && !IN6_IS_ADDR_SITELOCAL (address) && !IN6_IS_ADDR_LINKLOCAL (address);
}

static IcsCandidateVerdict
parse_address (const char *text, gboolean allow_loopback, IcsRemoteCandidate *candidate)
{
  struct in_addr v4;
  struct in6_addr v6;
  gboolean usable;

  if (inet_pton (AF_INET, text, &v4) == 1)
    {
      candidate->family = 4;
      usable = is_usable_ipv4 (&v4, allow_loopback);
      inet_ntop (AF_INET, &v4, candidate->address, sizeof candidate->address);
    }
  else if (inet_pton (AF_INET6, text, &v6) == 1)
    {
      candidate->family = 6;
      usable = is_usable_ipv6 (&v6, allow_loopback);
      inet_ntop (AF_INET6, &v6, candidate->address, sizeof candidate->address);
    }
  else
    return ICS_CANDIDATE_NOT_A_LITERAL;

  return usable ? ICS_CANDIDATE_OK : ICS_CANDIDATE_BAD_ADDRESS;
}

static gboolean
parse_type (const char *text, IcsCandidateType *type)
{
  for (guint i = 0; i < G_N_ELEMENTS (type_names); i++)
    if (g_str_equal (text, type_names[i]))
      {
        *type = (IcsCandidateType)i;
        return TRUE;
      }
  return FALSE;
}

/* Peer-reflexive candidates are learned from checks, never signalled (RFC 8445 §5.3). */
static gboolean
type_is_wanted (IcsCandidateType type, const IcsCandidateRules *rules)
{
  switch (type)
    {
    case ICS_CANDIDATE_HOST:
      return !rules->relay_only;
    case ICS_CANDIDATE_SRFLX:
      return !rules->relay_only && !rules->host_only;
    case ICS_CANDIDATE_RELAY:
      return rules->relay_only;
    case ICS_CANDIDATE_PRFLX:
      return FALSE;
    }
  return FALSE;
}

/* The grammar: fixed fields, then extensions in pairs, one space between any two. */
static gboolean
is_well_formed (char **fields)
{
  guint n = g_strv_length (fields);

  if (n < N_FIXED_FIELDS || n % 2 != 0)
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (fields[i][0] == '\0')
      return FALSE;
  return is_ice_chars (fields[FIELD_FOUNDATION], 1, FOUNDATION_MAX) && g_str_equal (fields[FIELD_TYP], "typ");
}

static gboolean
has_extension (char **fields, const char *name)
{
  for (char **extension = fields + N_FIXED_FIELDS; extension[0] != NULL; extension += 2)
    if (g_str_equal (extension[0], name))
      return TRUE;
  return FALSE;
}

/* RFC 6544 §4.5: an extension that every TCP candidate has. Its value is compared as it stands there. */
static gboolean
parse_tcptype (char **fields, IcsTcpType *type)
{
  for (guint i = N_FIXED_FIELDS; fields[i] != NULL; i += 2)
    if (g_str_equal (fields[i], "tcptype"))
      {
        for (guint k = ICS_TCPTYPE_ACTIVE; k < G_N_ELEMENTS (tcptype_names); k++)
          if (g_str_equal (fields[i + 1], tcptype_names[k]))
            {
              *type = (IcsTcpType)k;
              return TRUE;
            }
        return FALSE;
      }
  return FALSE;
}

static IcsCandidateVerdict
parse_transport (char **fields, const IcsCandidateRules *rules, IcsRemoteCandidate *candidate)
{
  if (g_ascii_strcasecmp (fields[FIELD_TRANSPORT], rules->tcp ? "TCP" : "UDP") != 0)
    return rules->tcp ? ICS_CANDIDATE_NOT_TCP : ICS_CANDIDATE_NOT_UDP;
  if (rules->tcp && !parse_tcptype (fields, &candidate->tcptype))
    return ICS_CANDIDATE_MALFORMED;
  return ICS_CANDIDATE_OK;
}

static IcsCandidateVerdict
parse_fields (char **fields, const IcsCandidateRules *rules, IcsRemoteCandidate *candidate)
{
  guint64 component, priority, port;
  IcsCandidateVerdict verdict;

  if (!is_well_formed (fields) || !ics_number_parse (fields[FIELD_COMPONENT], 1, 256, &component)
      || !ics_number_parse (fields[FIELD_PRIORITY], 1, PRIORITY_MAX, &priority)
      || !ics_number_parse (fields[FIELD_PORT], 0, G_MAXUINT16, &port)
      || !parse_type (fields[FIELD_TYPE], &candidate->type))
    return ICS_CANDIDATE_MALFORMED;
  verdict = parse_transport (fields, rules, candidate);
  if (verdict != ICS_CANDIDATE_OK)
    return verdict;
  if (component != 1)
    return ICS_CANDIDATE_WRONG_COMPONENT;

  verdict = parse_address (fields[FIELD_ADDRESS], rules->allow_loopback || rules->relay_only, candidate);
  if (verdict != ICS_CANDIDATE_OK)
    return verdict;
  if (port == 0)
    return ICS_CANDIDATE_BAD_ADDRESS;
  if (!type_is_wanted (candidate->type, rules))
    return ICS_CANDIDATE_WRONG_TYPE;
  if (!rules->relay_only && rules->family != 0 && rules->family != candidate->family)
    return ICS_CANDIDATE_WRONG_FAMILY;

  g_strlcpy (candidate->foundation, fields[FIELD_FOUNDATION], sizeof candidate->foundation);
  candidate->priority = (guint32)priority;
  candidate->port = (guint16)port;
  candidate->mapped
      = candidate->type == ICS_CANDIDATE_SRFLX && has_extension (fields, ICS_CANDIDATE_MAPPING_ATTRIBUTE);
  return ICS_CANDIDATE_OK;
}

IcsCandidateVerdict
ics_remote_candidate_parse (const char *line, const IcsCandidateRules *rules, IcsRemoteCandidate *candidate)
{
  g_auto (GStrv) fields = NULL;

  memset (candidate, 0, sizeof *candidate);
  if (strnlen (line, ICS_REMOTE_CANDIDATE_LINE_MAX + 1) > ICS_REMOTE_CANDIDATE_LINE_MAX)
    return ICS_CANDIDATE_TOO_LONG;
  if (!g_str_has_prefix (line, PREFIX) || !g_str_is_ascii (line))
    return ICS_CANDIDATE_MALFORMED;

  fields = g_strsplit (line + strlen (PREFIX), " ", 0);
  return parse_fields (fields, rules, candidate);
}

gboolean
ics_remote_candidate_translate (const IcsRemoteCandidate *self, const IcsNat64Prefix *prefix,
                                IcsRemoteCandidate *translated)
{
  guint8 ipv4[ICS_NAT64_IPV4_LEN], ipv6[ICS_NAT64_IPV6_LEN];

  if (self->family != 4 || inet_pton (AF_INET, self->address, ipv4) != 1 || !ics_nat64_is_worth_it (ipv4))
    return FALSE;
  *translated = *self;
  translated->family = 6;
  ics_nat64_embed (prefix, ipv4, ipv6);
  inet_ntop (AF_INET6, ipv6, translated->address, sizeof translated->address);
  return TRUE;
}

char *
ics_remote_candidate_to_sdp (const IcsRemoteCandidate *self)
{
  return g_strdup_printf ("a=candidate:%s 1 UDP %" G_GUINT32_FORMAT " %s %u typ %s", self->foundation,
                          self->priority, self->address, self->port,
                          ics_candidate_type_to_string (self->type));
}

const char *
ics_remote_candidate_get_type_name (const IcsRemoteCandidate *self)
{
  return self->mapped ? ICS_CANDIDATE_MAPPED : ics_candidate_type_to_string (self->type);
}

char *
ics_remote_candidate_to_endpoint (const IcsRemoteCandidate *self)
{
  return g_strdup_printf (self->family == 6 ? "[%s]:%u" : "%s:%u", self->address, self->port);
}

IcsCandidateVerdict
ics_remote_candidate_list_add (IcsRemoteCandidateList *self, const IcsRemoteCandidate *candidate)
{
  for (guint i = 0; i < self->len; i++)
    if (self->items[i].port == candidate->port && g_str_equal (self->items[i].address, candidate->address))
      return ICS_CANDIDATE_DUPLICATE;
  if (self->len == ICS_REMOTE_CANDIDATES_MAX)
    return ICS_CANDIDATE_TOO_MANY;

  self->items[self->len++] = *candidate;
  return ICS_CANDIDATE_OK;
}
