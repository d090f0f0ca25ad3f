/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* SRTP protection profiles (RFC 5764 §4.1.2, RFC 7714 §14.2), in lists as the hosts tell them one another:
 * names with a blank between, the preferred one first. */

typedef enum
{
  ICS_SRTP_AEAD_AES_128_GCM,
  ICS_SRTP_AES128_CM_HMAC_SHA1_80
} IcsSrtpProfileId;

#define ICS_N_SRTP_PROFILES 2
#define ICS_SRTP_KEY_MAX 16
#define ICS_SRTP_SALT_MAX 14

typedef struct
{
  IcsSrtpProfileId id;
  const char *name;
  gsize key_len, salt_len; /* bytes, of the master key and the master salt */
  gsize rtp_overhead;      /* bytes that protection adds: the tag */
  gsize rtcp_overhead;     /* and the index with the E flag */
} IcsSrtpProfile;

/* All of them. The preferred one first. */
extern const IcsSrtpProfile ics_srtp_profiles[ICS_N_SRTP_PROFILES];

/* NULL when it is none that is known here. */
const IcsSrtpProfile *ics_srtp_profile_find (const char *name);

/* What both hosts agree on: the first of the QUIC client's list that the server's has too. NULL = none. */
const IcsSrtpProfile *ics_srtp_profile_choose (const char *client, const char *server);

G_END_DECLS
