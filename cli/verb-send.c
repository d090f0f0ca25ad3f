/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/exits.h"
#include "cli/file-send.h"
#include "cli/human.h"
#include "cli/link-session.h"
#include "cli/narrator.h"

static gboolean
work (CliSession *session, gpointer user_data, GCancellable *cancellable, GError **error)
{
  CliFileSend *job = user_data;

  job->peer = cli_session_get_peer (session);
  return cli_file_send_run (job, cancellable, error);
}

static void
skipped (const char *name, const char *why, gpointer user_data)
{
  cli_term_say (user_data, "left out: %s, for %s", name, why);
}

static void
tell_done (CliContext *context, const CliTotals *totals, gint64 start_us)
{
  g_autofree char *size = cli_human_bytes (totals->bytes);
  g_autofree char *time = cli_human_duration (g_get_monotonic_time () - start_us);
  g_autofree char *share = cli_narrator_share (totals->by_kind);

  cli_events_emit (context->events, cli_narrator_new_done (totals->bytes, totals->sha256, totals->by_kind));
  cli_term_say (context->term, "sent %s in %s, SHA-256 verified, %s", size, time, share);
}

int
cli_verb_send (CliContext *context, GError **error)
{
  g_auto (GStrv) names = cli_arguments_get_operands (context->arguments);
  g_autoptr (CliManifest) manifest = cli_manifest_collect (names, skipped, context->term, error);
  CliProgress progress = { 0 };
  CliFileSend send
      = { .manifest = manifest, .rate = { context->settings->limit_rate, 0 }, .progress = &progress };
  CliJob job = { .application = "file/1",
                 .writes_code = TRUE,
                 .hint = "ice-session receive %s",
                 .work = work,
                 .user_data = &send,
                 .progress = &progress };
  int status;

  if (manifest == NULL)
    return cli_exit_from_error (*error);
  status = cli_session_run (context, &job, error);
  if (status == CLI_EXIT_OK)
    tell_done (context, &send.totals, progress.start_us);
  cli_totals_clear (&send.totals);
  return status;
}
