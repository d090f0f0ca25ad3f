/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ics-error.h"
#include "cli/code.h"
#include "cli/exits.h"
#include "cli/key-log.h"
#include "cli/link-session.h"
#include "cli/media-report.h"
#include <unistd.h>

#define STATISTICS_MS 1000

typedef struct
{
  CliContext *context;
  CliMedia media;
  IcsMediaChannel *channel; /* from when the hosts are joined */
  int key_log;              /* -1: none */
  guint timer;
  gboolean told_profile;
} Media;

static gboolean
send_packet (gpointer channel, gboolean rtcp, GBytes *packet)
{
  return rtcp ? ics_media_channel_send_rtcp (channel, packet) : ics_media_channel_send_rtp (channel, packet);
}

static GBytes *
receive_packet (gpointer channel, gboolean *rtcp, GCancellable *cancellable, GError **error)
{
  IcsMediaKind kind;
  GBytes *packet = ics_media_channel_receive (channel, &kind, cancellable, error);

  *rtcp = kind == ICS_MEDIA_RTCP;
  return packet;
}

static const CliMediaCarrier carrier = { send_packet, receive_packet };

static void
write_keys (Media *self)
{
  char *line = ics_media_channel_get_key_log (self->channel);
  g_autoptr (GError) error = NULL;

  if (line != NULL && !cli_key_log_write (self->key_log, line, &error))
    cli_term_fail (self->context->term, error->message);
  cli_code_free (line);
}

/* On the default main context. Whichever of the two comes first: the profile may have been there before
 * anybody listened. */
static void
look_at_profile (Media *self)
{
  const char *profile = ics_media_channel_get_profile (self->channel);

  if (profile == NULL || self->told_profile)
    return;
  self->told_profile = TRUE;
  if (self->key_log >= 0)
    write_keys (self);
  cli_term_say (self->context->term, "media: %s", profile);
}

static void
on_profile (IcsMediaChannel *channel, GParamSpec *pspec, Media *self)
{
  look_at_profile (self);
  cli_media_report_statistics (self->context, &self->media, channel);
}

static gboolean
on_timer (gpointer user_data)
{
  Media *self = user_data;

  look_at_profile (self);
  cli_media_report_statistics (self->context, &self->media, self->channel);
  return G_SOURCE_CONTINUE;
}

static IcsMediaChannel *
open_channel (Media *self, IcsLink *link, GError **error)
{
  const char *profiles[] = { cli_arguments_get (self->context->arguments, CLI_OPT_SRTP_PROFILE), NULL };
  IcsMediaFlags flags = self->key_log >= 0 ? ICS_MEDIA_FLAGS_KEEP_KEYS : ICS_MEDIA_FLAGS_NONE;

  return ics_link_open_media (link, profiles[0] != NULL ? profiles : NULL, flags, error);
}

static gboolean
work (CliSession *session, gpointer user_data, GCancellable *cancellable, GError **error)
{
  Media *self = user_data;

  self->channel = open_channel (self, cli_session_get_link (session), error);
  if (self->channel == NULL)
    return FALSE;
  g_signal_connect (self->channel, "notify::profile", G_CALLBACK (on_profile), self);
  self->timer = g_timeout_add (STATISTICS_MS, on_timer, self);
  self->media.peer = cli_session_get_peer (session);
  self->media.carrier_data = self->channel;
  return cli_media_run (&self->media, cancellable, error);
}

static gboolean
set_up (Media *self, GError **error)
{
  CliArguments *arguments = self->context->arguments;
  g_auto (GStrv) ins = cli_arguments_get_all (arguments, CLI_OPT_RTP_IN);
  g_auto (GStrv) outs = cli_arguments_get_all (arguments, CLI_OPT_RTP_OUT);

  if (ins == NULL && outs == NULL)
    {
      g_set_error (
          error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
          "say where RTP comes from with --rtp-in PORT, or where it goes to with --rtp-out HOST:PORT");
      return FALSE;
    }
  self->media.ins = cli_rtp_in_parse (ins, error);
  if (self->media.ins != NULL)
    self->media.outs = cli_rtp_out_parse (outs, error);
  return self->media.outs != NULL;
}

static gboolean
open_key_log (Media *self, GError **error)
{
  const char *path = cli_arguments_get (self->context->arguments, CLI_OPT_SRTP_KEY_LOG);

  if (path != NULL)
    self->key_log = cli_key_log_open (path, error);
  return path == NULL || self->key_log >= 0;
}

static int
run (Media *self, GError **error)
{
  GPtrArray *operands = self->context->arguments->operands;
  CliJob job = { .application = "media/1",
                 .operand = operands->len > 0 ? operands->pdata[0] : NULL,
                 .writes_code = TRUE,
                 .hint = "ice-session media %s --rtp-in PORT --rtp-out HOST:PORT",
                 .leave_is_success = TRUE,
                 .work = work,
                 .user_data = self };
  int status = cli_session_run (self->context, &job, error);

  if (self->channel == NULL)
    return status;
  look_at_profile (self);
  cli_media_report_statistics (self->context, &self->media, self->channel);
  if (status == CLI_EXIT_OK || status > CLI_EXIT_SIGNAL)
    cli_media_report_done (self->context, self->channel);
  return status;
}

static void
clear (Media *self)
{
  g_clear_handle_id (&self->timer, g_source_remove);
  if (self->channel != NULL)
    g_signal_handlers_disconnect_by_data (self->channel, self);
  g_clear_object (&self->channel);
  g_clear_pointer (&self->media.ins, g_ptr_array_unref);
  g_clear_pointer (&self->media.outs, g_ptr_array_unref);
  if (self->key_log >= 0)
    close (self->key_log);
}

int
cli_verb_media (CliContext *context, GError **error)
{
  Media self = { .context = context,
                 .media = { .carrier = &carrier,
                            .mux = cli_arguments_has (context->arguments, CLI_OPT_RTCP_MUX),
                            .rate = { context->settings->limit_rate, 0 } },
                 .key_log = -1 };
  int status = CLI_EXIT_USAGE;

  if (set_up (&self, error))
    status = open_key_log (&self, error) ? run (&self, error) : CLI_EXIT_IO;
  clear (&self);
  return status;
}
