/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/hash.h"
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

/* GnuTLS, because its SHA-256 uses the processor's instructions; GChecksum is several times slower. */
struct _CliHash
{
  gnutls_hash_hd_t handle;
};

CliHash *
cli_hash_new (void)
{
  CliHash *self = g_new0 (CliHash, 1);

  if (gnutls_hash_init (&self->handle, GNUTLS_DIG_SHA256) < 0)
    g_error ("GnuTLS offers no SHA-256");
  return self;
}

void
cli_hash_update (CliHash *self, const void *data, gsize length)
{
  gnutls_hash (self->handle, data, length);
}

char *
cli_hash_finish (CliHash *self, guint8 digest[CLI_SHA256_LENGTH])
{
  guint8 raw[CLI_SHA256_LENGTH];
  GString *hex = g_string_sized_new (2 * sizeof raw);

  gnutls_hash_output (self->handle, raw);
  for (gsize i = 0; i < sizeof raw; i++)
    {
      g_string_append_printf (hex, "%02x", raw[i]);
      if (digest != NULL)
        digest[i] = raw[i];
    }
  return g_string_free (hex, FALSE);
}

void
cli_hash_free (CliHash *self)
{
  gnutls_hash_deinit (self->handle, NULL);
  g_free (self);
}
