/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/ics-link-private.h"
#include "session/media-private.h"
#include "transport/srtp-session.h"

/* What a media channel does; what it is to GObject is in ics-media-object.c. */

/* The names that libsrtp can do, in the order that was asked for; NULL with an error when one is unknown. */
static char *
list_profiles (const char *const *profiles, GError **error)
{
  g_autofree char *all = ics_srtp_list_profiles ();
  g_auto (GStrv) available = g_strsplit (all, " ", -1);
  g_autoptr (GPtrArray) chosen = g_ptr_array_new ();

  for (guint i = 0; profiles != NULL && profiles[i] != NULL; i++)
    if (ics_srtp_profile_find (profiles[i]) == NULL)
      {
        g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
                     "there is no protection profile \"%s\" here", profiles[i]);
        return NULL;
      }
    else if (g_strv_contains ((const char *const *)available, profiles[i]))
      g_ptr_array_add (chosen, (gpointer)profiles[i]);
  if (profiles == NULL)
    return g_steal_pointer (&all);
  g_ptr_array_add (chosen, NULL);
  return g_strjoinv (" ", (char **)chosen->pdata);
}

IcsMediaChannel *
ics_link_open_media (IcsLink *self, const char *const *profiles, IcsMediaFlags flags, GError **error)
{
  g_autofree char *list = list_profiles (profiles, error);
  g_autoptr (IcsMediaHub) hub = NULL;
  IcsMediaChannel *channel;

  if (list == NULL)
    return NULL;
  if (self->hub == NULL || g_atomic_int_get (&self->closed))
    {
      g_set_error_literal (error, ICS_ERROR, ICS_ERROR_CLOSED,
                           self->hub == NULL ? "the link is not connected" : "the link is closed");
      return NULL;
    }
  if (!g_atomic_int_compare_and_exchange (&self->has_media, FALSE, TRUE))
    {
      g_set_error_literal (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
                           "the media channel of this link is open already");
      return NULL;
    }
  hub = ics_media_hub_new ();
  channel = ics_media_channel_new (hub);
  ics_link_thread_open_media (self->thread, hub, list, (flags & ICS_MEDIA_FLAGS_KEEP_KEYS) != 0);
  return channel;
}

gboolean
ics_media_channel_send_rtp (IcsMediaChannel *self, GBytes *packet)
{
  return ics_media_hub_send (ics_media_channel_get_hub (self), ICS_RTP_RTP, packet);
}

gboolean
ics_media_channel_send_rtcp (IcsMediaChannel *self, GBytes *packet)
{
  return ics_media_hub_send (ics_media_channel_get_hub (self), ICS_RTP_RTCP, packet);
}

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  IcsMediaHub *hub = user_data;

  ics_media_hub_interrupt (hub);
}

GBytes *
ics_media_channel_receive (IcsMediaChannel *self, IcsMediaKind *kind, GCancellable *cancellable,
                           GError **error)
{
  gulong handler = 0;
  IcsRtpKind found = ICS_RTP_RTP;
  GBytes *packet;

  if (cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), ics_media_channel_get_hub (self),
                                     NULL);
  packet = ics_media_hub_wait (ics_media_channel_get_hub (self), &found, cancellable);
  if (handler != 0)
    g_cancellable_disconnect (cancellable, handler);
  *kind = (IcsMediaKind)found;
  if (packet == NULL && !g_cancellable_set_error_if_cancelled (cancellable, error))
    g_set_error_literal (error, ICS_ERROR, ICS_ERROR_CLOSED, "the link has ended");
  return packet;
}

const char *
ics_media_channel_get_profile (IcsMediaChannel *self)
{
  return ics_media_hub_get_profile (ics_media_channel_get_hub (self));
}

gsize
ics_media_channel_get_max_packet (G_GNUC_UNUSED IcsMediaChannel *self)
{
  return ICS_MEDIA_MAX_PACKET - ICS_MEDIA_OVERHEAD;
}

IcsMediaStatistics *
ics_media_channel_get_statistics (IcsMediaChannel *self)
{
  IcsMediaCounters counters;

  ics_media_hub_get_counters (ics_media_channel_get_hub (self), &counters);
  return ics_media_statistics_new (&counters);
}

char *
ics_media_channel_get_key_log (IcsMediaChannel *self)
{
  return ics_media_hub_get_key_log (ics_media_channel_get_hub (self));
}
