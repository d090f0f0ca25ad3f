/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "transport/rtp-packet.h"
#include "transport/srtp-profile.h"

G_BEGIN_DECLS

/* One direction of SRTP and SRTCP (RFC 3711, RFC 7714) under one master key, for several sources: libsrtp and
 * the bounds around it. No sockets, no clock. Used from one thread. */

typedef struct _IcsSrtp IcsSrtp;

/* RFC 3711 §9.2: packets under one master key, whichever is reached first. */
#define ICS_SRTP_RTP_LIFETIME (G_GUINT64_CONSTANT (1) << 48)
#define ICS_SRTP_RTCP_LIFETIME (G_GUINT64_CONSTANT (1) << 31)
/* Sources (SSRCs) of a direction. None is forgotten: its packets could be replayed, or its keystream used
 * twice. */
#define ICS_SRTP_MAX_SOURCES 256
/* Packets (RFC 3711 §3.3.2): what a faster path may overtake. */
#define ICS_SRTP_REPLAY_WINDOW 1024
/* What libsrtp may write behind a packet (SRTP_MAX_TRAILER_LEN). */
#define ICS_SRTP_ROOM 160

typedef struct
{
  const IcsSrtpProfile *profile;
  const guint8 *master; /* the key, then the salt; copied into session keys */
  gboolean outbound;
  guint64 lifetime[ICS_N_RTP_KINDS]; /* packets; 0 = what the RFC allows */
} IcsSrtpConfig;

typedef enum
{
  ICS_SRTP_OK,
  ICS_SRTP_MALFORMED,
  ICS_SRTP_FORGED,   /* not authentic */
  ICS_SRTP_REPLAYED, /* came before; out: the sequence number was used before */
  ICS_SRTP_LATE,     /* older than the replay window */
  ICS_SRTP_TOO_MANY_SOURCES,
  ICS_SRTP_KEY_SPENT /* the key must not be used any more */
} IcsSrtpResult;

typedef enum
{
  ICS_SRTP_KEY_FRESH,
  ICS_SRTP_KEY_WORN, /* a sixteenth of its lifetime is left */
  ICS_SRTP_KEY_OVER
} IcsSrtpKeyState;

/* NULL when libsrtp does not have the profile. */
IcsSrtp *ics_srtp_new (const IcsSrtpConfig *config);
void ics_srtp_free (IcsSrtp *self);

/* The profiles that libsrtp has here, as a list. (transfer full) */
char *ics_srtp_list_profiles (void);

/* In place: @buf holds *@len bytes, is aligned to 32 bits and has room for ICS_SRTP_ROOM more. Its content is
 * lost when the result is not ICS_SRTP_OK. */
IcsSrtpResult ics_srtp_protect (IcsSrtp *self, IcsRtpKind kind, guint8 *buf, gsize *len);
IcsSrtpResult ics_srtp_unprotect (IcsSrtp *self, gint64 now, IcsRtpKind kind, guint8 *buf, gsize *len);

IcsSrtpKeyState ics_srtp_get_key_state (const IcsSrtp *self);

/* Of an inbound direction: RTP packets that are missing, of all sources together. */
guint64 ics_srtp_get_lost (const IcsSrtp *self);

G_END_DECLS
