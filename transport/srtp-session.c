/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/srtp-session.h"

#include "transport/rtp-source.h"

#include <sodium.h>
#include <srtp2/srtp.h>
#include <string.h>

/* libsrtp tells of a key's end by a handler that is one for the whole process, and may be another library's.
 * The packets are counted here instead, and its verdict is in what it returns. */

#define WORN_PART 16
/* A source that fails for so long may have lost more than half of the sequence numbers in an outage. */
#define RESYNC_AFTER_US G_USEC_PER_SEC
/* Wraps that are looked through: 4 million packets. */
#define RESYNC_MOST 64
/* A packet that is worth it is not larger. */
#define RESYNC_PACKET_MAX 2048

G_STATIC_ASSERT (ICS_SRTP_ROOM >= SRTP_MAX_TRAILER_LEN);

typedef struct
{
  IcsRtpSource count;
  gint64 last_good;
  guint ahead;  /* the wrap that was tried last */
  guint missed; /* wraps that the packet in hand showed */
} Source;

struct _IcsSrtp
{
  srtp_t session;
  gboolean outbound;
  guint64 lifetime[ICS_N_RTP_KINDS], used[ICS_N_RTP_KINDS];
  GHashTable *sources; /* SSRC -> Source */
  guint64 lost;        /* of all sources */
};

static void
set_policy (srtp_crypto_policy_t *policy, IcsSrtpProfileId id)
{
  switch (id)
    {
    case ICS_SRTP_AEAD_AES_128_GCM:
      srtp_crypto_policy_set_aes_gcm_128_16_auth (policy);
      break;
    case ICS_SRTP_AES128_CM_HMAC_SHA1_80:
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80 (policy);
      break;
    }
}

static srtp_t
create_session (const IcsSrtpConfig *config)
{
  static gsize ready;
  guint8 master[ICS_SRTP_KEY_MAX + ICS_SRTP_SALT_MAX] = { 0 };
  srtp_policy_t policy = { .key = master, .window_size = ICS_SRTP_REPLAY_WINDOW };
  srtp_t session = NULL;

  if (g_once_init_enter (&ready))
    g_once_init_leave (&ready, srtp_init () == srtp_err_status_ok ? 1 : 2);
  if (ready != 1)
    return NULL;
  memcpy (master, config->master, config->profile->key_len + config->profile->salt_len);
  policy.ssrc.type = config->outbound ? ssrc_any_outbound : ssrc_any_inbound;
  set_policy (&policy.rtp, config->profile->id);
  set_policy (&policy.rtcp, config->profile->id);
  if (srtp_create (&session, &policy) != srtp_err_status_ok)
    session = NULL;
  sodium_memzero (master, sizeof master);
  return session;
}

IcsSrtp *
ics_srtp_new (const IcsSrtpConfig *config)
{
  static const guint64 allowed[ICS_N_RTP_KINDS]
      = { [ICS_RTP_RTP] = ICS_SRTP_RTP_LIFETIME, [ICS_RTP_RTCP] = ICS_SRTP_RTCP_LIFETIME };
  srtp_t session = create_session (config);
  IcsSrtp *self;

  if (session == NULL)
    return NULL;
  self = g_new0 (IcsSrtp, 1);
  self->session = session;
  self->outbound = config->outbound;
  for (guint i = 0; i < ICS_N_RTP_KINDS; i++)
    self->lifetime[i] = config->lifetime[i] != 0 ? config->lifetime[i] : allowed[i];
  self->sources = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return self;
}

void
ics_srtp_free (IcsSrtp *self)
{
  srtp_dealloc (self->session);
  g_hash_table_unref (self->sources);
  g_free (self);
}

char *
ics_srtp_list_profiles (void)
{
  static const guint8 master[ICS_SRTP_KEY_MAX + ICS_SRTP_SALT_MAX];
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (guint i = 0; i < ICS_N_SRTP_PROFILES; i++)
    {
      IcsSrtpConfig config = { .profile = &ics_srtp_profiles[i], .master = master, .outbound = TRUE };
      IcsSrtp *trial = ics_srtp_new (&config);

      if (trial != NULL)
        g_ptr_array_add (names, (gpointer)config.profile->name);
      g_clear_pointer (&trial, ics_srtp_free);
    }
  g_ptr_array_add (names, NULL);
  return g_strjoinv (" ", (char **)names->pdata);
}

IcsSrtpKeyState
ics_srtp_get_key_state (const IcsSrtp *self)
{
  IcsSrtpKeyState state = ICS_SRTP_KEY_FRESH;

  for (guint i = 0; i < ICS_N_RTP_KINDS; i++)
    {
      if (self->used[i] >= self->lifetime[i])
        return ICS_SRTP_KEY_OVER;
      if (self->used[i] >= self->lifetime[i] - self->lifetime[i] / WORN_PART)
        state = ICS_SRTP_KEY_WORN;
    }
  return state;
}

static Source *
find_source (IcsSrtp *self, guint32 ssrc)
{
  return g_hash_table_lookup (self->sources, GUINT_TO_POINTER (ssrc));
}

static gboolean
has_room_for (IcsSrtp *self, guint32 ssrc)
{
  return find_source (self, ssrc) != NULL || g_hash_table_size (self->sources) < ICS_SRTP_MAX_SOURCES;
}

static Source *
need_source (IcsSrtp *self, guint32 ssrc)
{
  Source *source = find_source (self, ssrc);

  if (source == NULL)
    {
      source = g_new0 (Source, 1);
      source->count.ssrc = ssrc;
      g_hash_table_insert (self->sources, GUINT_TO_POINTER (ssrc), source);
    }
  return source;
}

static IcsSrtpResult
result_of (srtp_err_status_t status)
{
  switch ((int)status)
    {
    case srtp_err_status_ok:
      return ICS_SRTP_OK;
    case srtp_err_status_auth_fail:
      return ICS_SRTP_FORGED;
    case srtp_err_status_replay_fail:
      return ICS_SRTP_REPLAYED;
    case srtp_err_status_replay_old:
    case srtp_err_status_pkt_idx_old:
      return ICS_SRTP_LATE;
    case srtp_err_status_key_expired:
      return ICS_SRTP_KEY_SPENT;
    default:
      return ICS_SRTP_MALFORMED;
    }
}

/* What must hold before libsrtp sees the packet. */
static IcsSrtpResult
admit (IcsSrtp *self, IcsRtpKind kind, const guint8 *buf, gsize len)
{
  IcsRtpKind found;

  if (!ics_rtp_classify (buf, len, &found) || found != kind)
    return ICS_SRTP_MALFORMED;
  if (ics_srtp_get_key_state (self) == ICS_SRTP_KEY_OVER)
    return ICS_SRTP_KEY_SPENT;
  return has_room_for (self, ics_rtp_get_ssrc (buf, kind)) ? ICS_SRTP_OK : ICS_SRTP_TOO_MANY_SOURCES;
}

IcsSrtpResult
ics_srtp_protect (IcsSrtp *self, IcsRtpKind kind, guint8 *buf, gsize *len)
{
  IcsSrtpResult result = admit (self, kind, buf, *len);
  int n = (int)*len;

  if (result != ICS_SRTP_OK)
    return result;
  need_source (self, ics_rtp_get_ssrc (buf, kind));
  result = result_of (kind == ICS_RTP_RTCP ? srtp_protect_rtcp (self->session, buf, &n)
                                           : srtp_protect (self->session, buf, &n));
  *len = (gsize)n;
  self->used[kind] += result == ICS_SRTP_OK;
  return result;
}

static IcsSrtpResult
unprotect (IcsSrtp *self, IcsRtpKind kind, guint8 *buf, gsize *len)
{
  int n = (int)*len;
  srtp_err_status_t status = kind == ICS_RTP_RTCP ? srtp_unprotect_rtcp (self->session, buf, &n)
                                                  : srtp_unprotect (self->session, buf, &n);

  if (status == srtp_err_status_ok)
    *len = (gsize)n;
  return result_of (status);
}

/* RFC 3711 §3.3.1: who misses 2^15 packets in a row guesses the rollover counter wrong from then on, and each
 * packet seems old or forged. One other guess a packet, and only for a source that is silent otherwise. */
static gboolean
resync (IcsSrtp *self, Source *source, guint8 *buf, gsize *len)
{
  guint32 ssrc = source->count.ssrc, roc;

  if (srtp_get_stream_roc (self->session, ssrc, &roc) != srtp_err_status_ok)
    return FALSE;
  source->ahead = source->ahead % RESYNC_MOST + 1;
  srtp_set_stream_roc (self->session, ssrc, roc + source->ahead);
  if (unprotect (self, ICS_RTP_RTP, buf, len) == ICS_SRTP_OK)
    {
      source->missed = source->ahead;
      return TRUE;
    }
  /* 0: the guess is taken back. */
  srtp_set_stream_roc (self->session, ssrc, 0);
  return FALSE;
}

static IcsSrtpResult
unprotect_rtp (IcsSrtp *self, gint64 now, Source *source, guint8 *buf, gsize *len)
{
  guint32 copy[RESYNC_PACKET_MAX / sizeof (guint32)];
  gboolean silent = source != NULL && source->count.begun && now - source->last_good > RESYNC_AFTER_US
                    && *len <= sizeof copy;
  IcsSrtpResult result;
  gsize n = *len;

  if (!silent)
    return unprotect (self, ICS_RTP_RTP, buf, len);
  memcpy (copy, buf, n);
  result = unprotect (self, ICS_RTP_RTP, buf, len);
  if (result != ICS_SRTP_FORGED && result != ICS_SRTP_LATE)
    return result;
  memcpy (buf, copy, n);
  *len = n;
  return resync (self, source, buf, len) ? ICS_SRTP_OK : result;
}

static void
note_received (IcsSrtp *self, gint64 now, guint32 ssrc, guint16 sequence)
{
  Source *source = need_source (self, ssrc);

  self->lost -= ics_rtp_source_lost (&source->count);
  ics_rtp_source_received (&source->count, sequence, source->missed);
  self->lost += ics_rtp_source_lost (&source->count);
  source->last_good = now;
  source->ahead = source->missed = 0;
}

IcsSrtpResult
ics_srtp_unprotect (IcsSrtp *self, gint64 now, IcsRtpKind kind, guint8 *buf, gsize *len)
{
  IcsSrtpResult result = admit (self, kind, buf, *len);
  guint32 ssrc;
  guint16 sequence;

  if (result != ICS_SRTP_OK)
    return result;
  ssrc = ics_rtp_get_ssrc (buf, kind);
  sequence = ics_rtp_get_sequence (buf);
  result = kind == ICS_RTP_RTCP ? unprotect (self, kind, buf, len)
                                : unprotect_rtp (self, now, find_source (self, ssrc), buf, len);
  if (result != ICS_SRTP_OK)
    return result;
  self->used[kind]++;
  if (kind == ICS_RTP_RTP)
    note_received (self, now, ssrc, sequence);
  else
    need_source (self, ssrc);
  return ICS_SRTP_OK;
}

guint64
ics_srtp_get_lost (const IcsSrtp *self)
{
  return self->lost;
}
