/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "turn-fallback/turn-rest.h"
#include <gnutls/crypto.h>
#include <sodium.h>
#include <string.h>

#define SHA1_SIZE 20
#define ID_SIZE 8

char *
ics_turn_rest_password (const char *secret, const char *username)
{
  guint8 mac[SHA1_SIZE];
  char *password;

  if (gnutls_hmac_fast (GNUTLS_MAC_SHA1, secret, strlen (secret), username, strlen (username), mac) < 0)
    g_error ("HMAC-SHA1 is not available");
  password = g_base64_encode (mac, sizeof mac);
  sodium_memzero (mac, sizeof mac);
  return password;
}

void
ics_turn_rest_issue (IcsTurnServer *server, const char *secret, gint64 now_unix, guint ttl)
{
  guint8 id[ID_SIZE];
  char hex[2 * ID_SIZE + 1];

  randombytes_buf (id, sizeof id);
  sodium_bin2hex (hex, sizeof hex, id, sizeof id);
  g_free (server->username);
  g_free (server->password);
  server->expires_unix = now_unix + ttl;
  server->username = g_strdup_printf ("%" G_GINT64_FORMAT ":%s", server->expires_unix, hex);
  server->password = ics_turn_rest_password (secret, server->username);
}
