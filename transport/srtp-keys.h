/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "transport/srtp-profile.h"

G_BEGIN_DECLS

/* SRTP master keys and salts from the TLS exporter (RFC 5764 §4.2). The QUIC client is the DTLS client of
 * that text: "client" is what it protects its packets with. */

#define ICS_SRTP_EXPORTER_LABEL "EXTRACTOR-dtls_srtp"
#define ICS_SRTP_MASTER_MAX (ICS_SRTP_KEY_MAX + ICS_SRTP_SALT_MAX)
#define ICS_SRTP_EXPORT_MAX (2 * ICS_SRTP_MASTER_MAX)

typedef struct
{
  guint8 client[ICS_SRTP_MASTER_MAX], server[ICS_SRTP_MASTER_MAX]; /* the key, then the salt */
} IcsSrtpKeys;

/* How many bytes are to be exported for a profile. */
gsize ics_srtp_keys_export_len (const IcsSrtpProfile *profile);

/* @exported: so many bytes, client_write_SRTP_master_key, server_…key, client_…salt, server_…salt. */
void ics_srtp_keys_split (IcsSrtpKeys *self, const IcsSrtpProfile *profile, const guint8 *exported);
void ics_srtp_keys_clear (IcsSrtpKeys *self);

/* The line of a key log: "PROFILE client KEY||SALT server KEY||SALT", hexadecimal. Free with
 * ics_secret_free(). */
char *ics_srtp_keys_to_log (const IcsSrtpKeys *self, const IcsSrtpProfile *profile);

G_END_DECLS
