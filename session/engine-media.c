/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/engine-private.h"
#include "transport/srtp-keys.h"
#include "transport/srtp-session.h"

#include <sodium.h>

/* RTP and RTCP beside QUIC: SRTP packets on the path that QUIC sends on, taken from every path. */

/* So much is sent before the I/O thread looks at what arrived. */
#define MAX_PACKETS 64
/* What the path does not take for so long is too old for media. */
#define STALE_US (200 * 1000)

/* libsrtp wants packets aligned to 32 bits, and room behind them. */
typedef guint32 Buffer[(ICS_MEDIA_MAX_PACKET + ICS_SRTP_ROOM) / sizeof (guint32)];

struct _IcsEngineMedia
{
  IcsMediaHub *hub; /* NULL: the application has not opened media */
  char *own, *peer; /* profiles that the hosts offer; NULL = not told yet */
  gboolean log_keys;
  IcsSrtp *out, *in;
  IcsSrtpKeyState told_out, told_in;
};

void
ics_media_init (IcsEngine *self)
{
  self->media = g_new0 (IcsEngineMedia, 1);
}

void
ics_media_clear (IcsEngine *self)
{
  IcsEngineMedia *media = self->media;

  ics_media_stop (self);
  g_clear_pointer (&media->hub, ics_media_hub_unref);
  g_clear_pointer (&media->out, ics_srtp_free);
  g_clear_pointer (&media->in, ics_srtp_free);
  g_free (media->own);
  g_free (media->peer);
  g_clear_pointer (&self->media, g_free);
}

void
ics_media_stop (IcsEngine *self)
{
  if (self->media->hub != NULL)
    ics_media_hub_end (self->media->hub);
}

/* --- what the hosts agree on --- */

static IcsSrtp *
new_direction (IcsEngineMedia *media, const IcsSrtpProfile *profile, const guint8 *master, gboolean outbound)
{
  const guint64 *lifetime = ics_media_hub_get_lifetime (media->hub);
  IcsSrtpConfig config = { .profile = profile, .master = master, .outbound = outbound };

  for (guint i = 0; i < ICS_N_RTP_KINDS; i++)
    config.lifetime[i] = lifetime[i];
  return ics_srtp_new (&config);
}

static gboolean
export_keys (IcsEngine *self, const IcsSrtpProfile *profile, IcsSrtpKeys *keys)
{
  guint8 exported[ICS_SRTP_EXPORT_MAX];
  gboolean good = ics_quic_export (self->quic, ICS_SRTP_EXPORTER_LABEL, "", exported,
                                   ics_srtp_keys_export_len (profile));

  if (good)
    ics_srtp_keys_split (keys, profile, exported);
  sodium_memzero (exported, sizeof exported);
  return good;
}

static void
begin (IcsEngine *self, const IcsSrtpProfile *profile)
{
  IcsEngineMedia *media = self->media;
  IcsSrtpKeys keys;

  if (!export_keys (self, profile, &keys))
    return;
  media->out = new_direction (media, profile, self->joiner ? keys.client : keys.server, TRUE);
  media->in = new_direction (media, profile, self->joiner ? keys.server : keys.client, FALSE);
  if (media->out != NULL && media->in != NULL)
    {
      ics_engine_note (self, "media: %s", profile->name);
      ics_media_hub_set_ready (media->hub, profile->name,
                               media->log_keys ? ics_srtp_keys_to_log (&keys, profile) : NULL);
    }
  ics_srtp_keys_clear (&keys);
}

/* Once: keys that began anew would encrypt different packets alike. */
static void
agree (IcsEngine *self)
{
  IcsEngineMedia *media = self->media;
  const IcsSrtpProfile *profile;

  if (media->own == NULL || media->peer == NULL || media->out != NULL)
    return;
  profile = self->joiner ? ics_srtp_profile_choose (media->own, media->peer)
                         : ics_srtp_profile_choose (media->peer, media->own);
  if (profile != NULL)
    begin (self, profile);
  else
    ics_engine_note (self, "media: the hosts have no protection profile in common (%s; %s)", media->own,
                     media->peer);
}

static void
on_hub_wake (gpointer user_data)
{
  ics_engine_wake (user_data);
}

void
ics_engine_open_media (IcsEngine *self, IcsMediaHub *hub, const char *profiles, gboolean log_keys)
{
  IcsControl message = { .type = ICS_CONTROL_MEDIA, .a = (char *)profiles };
  IcsEngineMedia *media = self->media;

  if (self->state != ICS_ENGINE_UP || media->hub != NULL)
    {
      ics_media_hub_end (hub);
      return;
    }
  media->hub = ics_media_hub_ref (hub);
  media->own = g_strdup (profiles);
  media->log_keys = log_keys;
  ics_media_hub_set_carrier (hub, on_hub_wake, self);
  ics_engine_send_control (self, &message);
  agree (self);
}

void
ics_media_handle_control (IcsEngine *self, const IcsControl *message)
{
  if (self->media->peer != NULL)
    return;
  self->media->peer = g_strdup (message->a);
  agree (self);
}

/* --- packets --- */

static void
tell_key_state (IcsEngine *self, IcsSrtp *srtp, IcsSrtpKeyState *told, const char *way)
{
  IcsSrtpKeyState state = ics_srtp_get_key_state (srtp);

  if (state == *told)
    return;
  *told = state;
  ics_engine_note (self, "media: the key for what this host %s is %s", way,
                   state == ICS_SRTP_KEY_OVER ? "spent: no packet more; a new link has a new one"
                                              : "nearly spent");
}

static IcsMediaHubDrop
drop_of (IcsSrtpResult result, gboolean outbound)
{
  switch (result)
    {
    case ICS_SRTP_FORGED:
      return ICS_MEDIA_HUB_FORGED;
    case ICS_SRTP_REPLAYED:
      return outbound ? ICS_MEDIA_HUB_REPEATED : ICS_MEDIA_HUB_REPLAYED;
    case ICS_SRTP_LATE:
      return outbound ? ICS_MEDIA_HUB_REPEATED : ICS_MEDIA_HUB_LATE;
    case ICS_SRTP_TOO_MANY_SOURCES:
      return ICS_MEDIA_HUB_SOURCES;
    case ICS_SRTP_KEY_SPENT:
      return ICS_MEDIA_HUB_KEY_SPENT;
    case ICS_SRTP_OK:
    case ICS_SRTP_MALFORMED:
      break;
    }
  return ICS_MEDIA_HUB_MALFORMED;
}

/* TRUE with the kind, when it was one that can be opened; else the reason is counted. */
static gboolean
admit (IcsEngine *self, const guint8 *data, gsize len, IcsRtpKind *kind)
{
  IcsEngineMedia *media = self->media;

  if (media->hub == NULL)
    self->strays++;
  else if (media->in == NULL)
    ics_media_hub_count_drop (media->hub, ICS_MEDIA_HUB_NOT_READY);
  else if (len > ICS_MEDIA_MAX_PACKET)
    ics_media_hub_count_drop (media->hub, ICS_MEDIA_HUB_TOO_LARGE);
  else if (!ics_rtp_classify (data, len, kind))
    ics_media_hub_count_drop (media->hub, ICS_MEDIA_HUB_MALFORMED);
  else
    return TRUE;
  return FALSE;
}

gboolean
ics_media_receive (IcsEngine *self, gint64 now, const IcsCarrier *path, const guint8 *data, gsize len)
{
  IcsEngineMedia *media = self->media;
  IcsSrtpResult result;
  IcsRtpKind kind;
  Buffer buf;

  if (!admit (self, data, len, &kind))
    return FALSE;
  memcpy (buf, data, len);
  result = ics_srtp_unprotect (media->in, now, kind, (guint8 *)buf, &len);
  tell_key_state (self, media->in, &media->told_in, "receives");
  if (result == ICS_SRTP_OK)
    ics_media_hub_deliver (media->hub, kind, path->kind, g_bytes_new (buf, len),
                           ics_srtp_get_lost (media->in));
  else
    ics_media_hub_count_drop (media->hub, drop_of (result, FALSE));
  return result == ICS_SRTP_OK;
}

/* What the path takes and QUIC found out about it. */
static gboolean
passes (IcsEngine *self, gint64 now, const IcsCarrier *path, gsize len)
{
  return path->kind == ICS_PATH_CHANNEL || len <= ICS_MEDIA_SAFE_PACKET
         || len <= ics_quic_get_path_mtu (self->quic, now);
}

static void
send_protected (IcsEngine *self, gint64 now, IcsCarrier *path, IcsRtpKind kind, const guint8 *data, gsize len,
                gsize plain)
{
  IcsMediaHub *hub = self->media->hub;

  if (path == NULL)
    ics_media_hub_count_drop (hub, ICS_MEDIA_HUB_NO_PATH);
  else if (!passes (self, now, path, len))
    ics_media_hub_count_drop (hub, ICS_MEDIA_HUB_TOO_LARGE);
  else
    {
      ics_carrier_send (path, data, len);
      ics_path_engine_on_sent (self->paths, now, path->id, len);
      ics_media_hub_count_sent (hub, kind, path->kind, plain);
    }
}

/* It is protected even if it can not go: both hosts count the sequence numbers, and more than half of them
 * may be lost in an outage. */
static void
send_one (IcsEngine *self, gint64 now, IcsCarrier *path, IcsRtpKind kind, GBytes *packet)
{
  IcsEngineMedia *media = self->media;
  gsize len, plain;
  const guint8 *data = g_bytes_get_data (packet, &plain);
  IcsSrtpResult result;
  Buffer buf;

  len = plain;
  memcpy (buf, data, len);
  result = ics_srtp_protect (media->out, kind, (guint8 *)buf, &len);
  tell_key_state (self, media->out, &media->told_out, "sends");
  if (result == ICS_SRTP_OK)
    send_protected (self, now, path, kind, (const guint8 *)buf, len, plain);
  else
    ics_media_hub_count_drop (media->hub, drop_of (result, TRUE));
}

void
ics_media_send (IcsEngine *self, gint64 now, IcsCarrier *path)
{
  IcsEngineMedia *media = self->media;

  if (media->out == NULL)
    return;
  for (guint i = 0; i < MAX_PACKETS; i++)
    {
      gboolean blocked = path != NULL && !ics_carrier_can_send (path);
      g_autoptr (GBytes) packet = NULL;
      IcsRtpKind kind;

      packet = ics_media_hub_next (media->hub, blocked ? now - STALE_US : G_MAXINT64, &kind);
      if (packet == NULL)
        return;
      send_one (self, now, blocked ? NULL : path, kind, packet);
    }
  ics_engine_wake (self);
}
