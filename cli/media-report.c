/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/media-report.h"
#include "cli/human.h"
#include "cli/narrator.h"
#include "cli/pump.h"

static void
set_count (JsonObject *object, const char *name, guint64 n)
{
  json_object_set_int_member (object, name, (gint64)n);
}

static JsonObject *
new_dropped (const CliMedia *media, IcsMediaStatistics *statistics)
{
  JsonObject *dropped = json_object_new ();

  for (IcsMediaDrop reason = 0; reason < ICS_N_MEDIA_DROP_REASONS; reason++)
    set_count (dropped, ics_media_drop_to_string (reason),
               ics_media_statistics_get_dropped (statistics, reason));
  set_count (dropped, "no-rtp", cli_counter_get (&media->refused));
  set_count (dropped, "no-way-out", cli_counter_get (&media->unassigned));
  return dropped;
}

void
cli_media_report_statistics (CliContext *context, const CliMedia *media, IcsMediaChannel *channel)
{
  g_autoptr (IcsMediaStatistics) statistics = ics_media_channel_get_statistics (channel);
  const char *profile = ics_media_channel_get_profile (channel);
  JsonObject *event = cli_event_new ("media");

  if (profile != NULL)
    json_object_set_string_member (event, "profile", profile);
  else
    json_object_set_null_member (event, "profile");
  set_count (event, "sent", ics_media_statistics_get_sent (statistics, ICS_MEDIA_RTP));
  set_count (event, "received", ics_media_statistics_get_received (statistics, ICS_MEDIA_RTP));
  set_count (event, "sent_rtcp", ics_media_statistics_get_sent (statistics, ICS_MEDIA_RTCP));
  set_count (event, "received_rtcp", ics_media_statistics_get_received (statistics, ICS_MEDIA_RTCP));
  set_count (event, "lost", ics_media_statistics_get_lost (statistics));
  json_object_set_object_member (event, "dropped", new_dropped (media, statistics));
  cli_events_emit (context->events, event);
}

void
cli_media_report_done (CliContext *context, IcsMediaChannel *channel)
{
  g_autoptr (IcsMediaStatistics) statistics = ics_media_channel_get_statistics (channel);
  guint64 by_kind[ICS_N_PATH_KINDS], sent = 0, received = 0;
  g_autofree char *sent_text = NULL;
  g_autofree char *received_text = NULL;
  g_autofree char *share = NULL;
  JsonObject *event;

  for (IcsPathKind kind = 0; kind < ICS_N_PATH_KINDS; kind++)
    {
      guint64 out = ics_media_statistics_get_sent_bytes (statistics, kind);
      guint64 in = ics_media_statistics_get_received_bytes (statistics, kind);

      sent += out;
      received += in;
      by_kind[kind] = out + in;
    }
  event = cli_narrator_new_done (sent + received, NULL, by_kind);
  set_count (event, "sent_bytes", sent);
  set_count (event, "received_bytes", received);
  cli_events_emit (context->events, event);
  sent_text = cli_human_bytes (sent);
  received_text = cli_human_bytes (received);
  share = cli_narrator_share (by_kind);
  cli_term_say (context->term,
                "media: sent %s, received %s, %" G_GUINT64_FORMAT " packets lost on the way, %s", sent_text,
                received_text, ics_media_statistics_get_lost (statistics), share);
}
