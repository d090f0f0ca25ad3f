/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* SHA-256 (FIPS 180-4). */
#define CLI_SHA256_LENGTH 32

typedef struct _CliHash CliHash;

CliHash *cli_hash_new (void);
void cli_hash_update (CliHash *self, const void *data, gsize length);
/* The digest so far, in lower-case hex (transfer full), and to @digest if not NULL; starts over. */
char *cli_hash_finish (CliHash *self, guint8 digest[CLI_SHA256_LENGTH]);
void cli_hash_free (CliHash *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliHash, cli_hash_free)

G_END_DECLS
