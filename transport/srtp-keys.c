/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/srtp-keys.h"

#include <sodium.h>
#include <string.h>

gsize
ics_srtp_keys_export_len (const IcsSrtpProfile *profile)
{
  return 2 * (profile->key_len + profile->salt_len);
}

void
ics_srtp_keys_split (IcsSrtpKeys *self, const IcsSrtpProfile *profile, const guint8 *exported)
{
  gsize key = profile->key_len, salt = profile->salt_len;

  memset (self, 0, sizeof *self);
  memcpy (self->client, exported, key);
  memcpy (self->server, exported + key, key);
  memcpy (self->client + key, exported + 2 * key, salt);
  memcpy (self->server + key, exported + 2 * key + salt, salt);
}

void
ics_srtp_keys_clear (IcsSrtpKeys *self)
{
  sodium_memzero (self, sizeof *self);
}

char *
ics_srtp_keys_to_log (const IcsSrtpKeys *self, const IcsSrtpProfile *profile)
{
  gsize len = profile->key_len + profile->salt_len;
  char client[2 * ICS_SRTP_MASTER_MAX + 1], server[2 * ICS_SRTP_MASTER_MAX + 1];
  char *line;

  sodium_bin2hex (client, sizeof client, self->client, len);
  sodium_bin2hex (server, sizeof server, self->server, len);
  line = g_strdup_printf ("%s client %s server %s", profile->name, client, server);
  sodium_memzero (client, sizeof client);
  sodium_memzero (server, sizeof server);
  return line;
}
