/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/turn-uri.h"
#include "base/number.h"
#include "base/secret.h"
#include <gio/gio.h>
#include <string.h>

#define DEFAULT_PORT 3478     /* RFC 7064 §3.2, RFC 7065 §3.2 */
#define DEFAULT_TLS_PORT 5349 /* RFC 7065 §3.2 */
#define HOST_MAX_SIZE 255     /* of a DNS name */
#define URI_MAX_SIZE 1024

#define URI_HELP                                                                                             \
  "not a STUN or TURN URI; it looks like stun:HOST[:PORT], "                                                 \
  "turn:[USER:PASSWORD@]HOST[:PORT][?transport=udp|tcp] or "                                                 \
  "turns:[USER:PASSWORD@]HOST[:PORT]"

typedef enum
{
  SCHEME_NONE,
  SCHEME_STUN,
  SCHEME_TURN,
  SCHEME_TURNS
} Scheme;

static Scheme
parse_scheme (const char *uri, const char **rest)
{
  static const struct
  {
    const char *prefix;
    Scheme scheme;
  } schemes[] = { { "stun:", SCHEME_STUN }, { "turn:", SCHEME_TURN }, { "turns:", SCHEME_TURNS } };

  for (gsize i = 0; i < G_N_ELEMENTS (schemes); i++)
    {
      gsize len = strlen (schemes[i].prefix);

      if (g_ascii_strncasecmp (uri, schemes[i].prefix, len) == 0)
        {
          *rest = uri + len;
          return schemes[i].scheme;
        }
    }
  return SCHEME_NONE;
}

/* "?transport=" of RFC 7065 §3.1. With turns, "udp" would be DTLS (RFC 7350), which this project does not
 * speak. */
static gboolean
parse_transport (IcsTurnServer *self, Scheme scheme, const char *query)
{
  self->transport = scheme == SCHEME_TURNS ? ICS_TURN_TLS : ICS_TURN_UDP;
  if (query == NULL)
    return TRUE;
  if (g_ascii_strcasecmp (query, "transport=udp") == 0)
    return scheme == SCHEME_TURN;
  if (g_ascii_strcasecmp (query, "transport=tcp") != 0)
    return FALSE;
  if (scheme == SCHEME_TURN)
    self->transport = ICS_TURN_TCP;
  return scheme != SCHEME_STUN;
}

static gboolean
parse_userinfo (IcsTurnServer *self, const char *userinfo, gsize len)
{
  const char *colon = memchr (userinfo, ':', len);

  if (colon == NULL)
    return FALSE;
  self->username = g_uri_unescape_segment (userinfo, colon, NULL);
  self->password = g_uri_unescape_segment (colon + 1, userinfo + len, NULL);
  return self->username != NULL && self->username[0] != '\0' && self->password != NULL
         && self->password[0] != '\0';
}

static gboolean
is_ipv6_literal (const char *host)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);

  return address != NULL && g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6;
}

/* A name or an IPv4 address: of RFC 3986's reg-name only what a DNS name can hold. */
static gboolean
is_host_name (const char *host)
{
  gsize len = strlen (host);

  return len >= 1 && len <= HOST_MAX_SIZE && host[0] != '-' && host[0] != '.'
         && strspn (host, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-._") == len;
}

/* Takes the host off the front of @text; returns what follows, NULL when there is no host. */
static const char *
parse_host (IcsTurnServer *self, const char *text)
{
  const char *end;

  if (text[0] == '[')
    {
      end = strchr (text, ']');
      if (end == NULL)
        return NULL;
      self->host = g_strndup (text + 1, end - text - 1);
      return is_ipv6_literal (self->host) ? end + 1 : NULL;
    }
  end = text + strcspn (text, ":");
  self->host = g_strndup (text, end - text);
  return is_host_name (self->host) ? end : NULL;
}

/* An empty port after the colon is the default one (RFC 3986 §3.2.3). */
static gboolean
parse_port (IcsTurnServer *self, const char *text)
{
  guint64 port;

  self->port = self->transport == ICS_TURN_TLS ? DEFAULT_TLS_PORT : DEFAULT_PORT;
  if (text[0] == '\0' || strcmp (text, ":") == 0)
    return TRUE;
  if (text[0] != ':' || !ics_number_parse (text + 1, 1, G_MAXUINT16, &port))
    return FALSE;
  self->port = (guint16)port;
  return TRUE;
}

/* @rest is what follows the scheme, and is cut to pieces. */
static gboolean
parse_rest (IcsTurnServer *self, Scheme scheme, char *rest)
{
  char *query = strchr (rest, '?');
  const char *host = rest;
  const char *at, *port;

  if (query != NULL)
    *query++ = '\0';
  self->is_stun = scheme == SCHEME_STUN;
  if (!parse_transport (self, scheme, query))
    return FALSE;
  at = strchr (rest, '@');
  if (at != NULL)
    {
      if (self->is_stun || !parse_userinfo (self, rest, at - rest))
        return FALSE;
      host = at + 1;
    }
  port = parse_host (self, host);
  return port != NULL && parse_port (self, port);
}

IcsTurnServer *
ics_turn_server_parse (const char *uri, GError **error)
{
  g_autoptr (IcsTurnServer) self = g_new0 (IcsTurnServer, 1);
  const char *rest = NULL;
  Scheme scheme = parse_scheme (uri, &rest);
  gboolean ok = FALSE;

  if (scheme != SCHEME_NONE && strnlen (uri, URI_MAX_SIZE + 1) <= URI_MAX_SIZE)
    {
      char *copy = g_strdup (rest);

      ok = parse_rest (self, scheme, copy);
      ics_secret_free (copy);
    }
  if (!ok)
    {
      g_set_error_literal (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT, URI_HELP);
      return NULL;
    }
  return g_steal_pointer (&self);
}

IcsTurnServer *
ics_turn_server_copy (const IcsTurnServer *self)
{
  IcsTurnServer *copy = g_new (IcsTurnServer, 1);

  *copy = *self;
  copy->host = g_strdup (self->host);
  copy->username = g_strdup (self->username);
  copy->password = g_strdup (self->password);
  return copy;
}

void
ics_turn_server_free (IcsTurnServer *self)
{
  if (self == NULL)
    return;
  g_free (self->host);
  g_free (self->username);
  ics_secret_free (self->password);
  g_free (self);
}

char *
ics_turn_server_to_uri (const IcsTurnServer *self)
{
  gboolean ipv6 = strchr (self->host, ':') != NULL;
  const char *open = ipv6 ? "[" : "", *close = ipv6 ? "]" : "";
  const char *scheme = "turn", *query = "";

  if (self->is_stun)
    return g_strdup_printf ("stun:%s%s%s:%u", open, self->host, close, self->port);
  switch (self->transport)
    {
    case ICS_TURN_UDP:
      query = "?transport=udp";
      break;
    case ICS_TURN_TCP:
      query = "?transport=tcp";
      break;
    case ICS_TURN_TLS:
      scheme = "turns";
      query = "?transport=tcp";
      break;
    }
  return g_strdup_printf ("%s:%s%s%s:%u%s", scheme, open, self->host, close, self->port, query);
}
