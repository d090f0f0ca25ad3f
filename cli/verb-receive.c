/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/exits.h"
#include "cli/file-receive.h"
#include "cli/human.h"
#include "cli/link-session.h"
#include "cli/narrator.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAMES_SHOWN 5

typedef struct
{
  CliFileReceive receive;
  CliContext *context;
  GCancellable *cancellable;
} Receive;

/* "talk.mp4, photos/, … (12 files, 2.0 GB)" */
static char *
describe (CliManifest *manifest)
{
  g_autofree char *size = cli_human_bytes (manifest->total);
  GString *text = g_string_new (NULL);
  guint shown = 0;

  for (guint i = 0; i < manifest->entries->len && shown <= NAMES_SHOWN; i++)
    {
      const CliEntry *entry = cli_manifest_get (manifest, i);

      if (!cli_entry_is_top (entry))
        continue;
      if (shown < NAMES_SHOWN)
        g_string_append_printf (text, "%s%s%s", shown > 0 ? ", " : "", entry->path,
                                entry->is_folder ? "/" : "");
      else
        g_string_append (text, ", ...");
      shown++;
    }
  g_string_append_printf (text, " (%u file%s, %s)", manifest->n_files, manifest->n_files == 1 ? "" : "s",
                          size);
  return g_string_free (text, FALSE);
}

static gboolean
accept_offer (CliManifest *manifest, gpointer user_data)
{
  Receive *self = user_data;
  CliTerm *term = self->context->term;
  g_autofree char *text = describe (manifest);
  g_autofree char *answer = NULL;

  cli_term_say (term, "offered: %s", text);
  if (cli_arguments_has (self->context->arguments, CLI_OPT_YES) || !cli_term_can_ask (term))
    return TRUE;
  answer = cli_term_ask (term, "accept? [y/N] ", self->cancellable);
  return answer != NULL && (g_ascii_strcasecmp (answer, "y") == 0 || g_ascii_strcasecmp (answer, "yes") == 0);
}

static gboolean
work (CliSession *session, gpointer user_data, GCancellable *cancellable, GError **error)
{
  Receive *self = user_data;

  self->receive.peer = cli_session_get_peer (session);
  self->cancellable = cancellable;
  return cli_file_receive_run (&self->receive, cancellable, error);
}

/* The result belongs on standard output, unless the events are there. */
static gboolean
print_names (Receive *self, GError **error)
{
  gboolean good = TRUE;

  for (guint i = 0; i < self->receive.manifest->entries->len; i++)
    {
      const CliEntry *entry = cli_manifest_get (self->receive.manifest, i);
      g_autofree char *path = g_build_filename (self->receive.target, entry->path, NULL);

      if (cli_entry_is_top (entry))
        good = puts (strcmp (self->receive.target, ".") == 0 ? entry->path : path) >= 0 && good;
    }
  if (good && fflush (stdout) == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
               "everything was received, but standard output does not take the names: %s",
               g_strerror (errno));
  return FALSE;
}

static int
finish (Receive *self, gint64 start_us, GError **error)
{
  const CliTotals *totals = &self->receive.totals;
  g_autofree char *size = cli_human_bytes (totals->bytes);
  g_autofree char *time = cli_human_duration (g_get_monotonic_time () - start_us);
  g_autofree char *share = cli_narrator_share (totals->by_kind);

  if (!self->context->settings->json && !print_names (self, error))
    return CLI_EXIT_IO;
  cli_events_emit (self->context->events,
                   cli_narrator_new_done (totals->bytes, totals->sha256, totals->by_kind));
  cli_term_say (self->context->term, "received %s in %s, SHA-256 verified, %s", size, time, share);
  return CLI_EXIT_OK;
}

static gboolean
check_target (const char *target, GError **error)
{
  if (g_file_test (target, G_FILE_TEST_IS_DIR) && access (target, W_OK | X_OK) == 0)
    return TRUE;
  if (g_file_test (target, G_FILE_TEST_IS_DIR))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED, "the folder %s may not be written to",
                 target);
  else
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "there is no folder %s; make it first", target);
  return FALSE;
}

int
cli_verb_receive (CliContext *context, GError **error)
{
  const char *target = cli_arguments_get (context->arguments, CLI_OPT_OUTPUT);
  GPtrArray *operands = context->arguments->operands;
  CliProgress progress = { 0 };
  Receive self = { .context = context };
  CliJob job = { .application = "file/1",
                 .operand = operands->len > 0 ? operands->pdata[0] : NULL,
                 .hint = "ICE_SESSION_CODE=%s ice-session send FILE",
                 .work = work,
                 .user_data = &self,
                 .progress = &progress };
  int status;

  self.receive = (CliFileReceive){ .target = target != NULL ? target : ".",
                                   .overwrite = cli_arguments_has (context->arguments, CLI_OPT_OVERWRITE),
                                   .accept = accept_offer,
                                   .accept_data = &self,
                                   .progress = &progress };
  if (!check_target (self.receive.target, error))
    return CLI_EXIT_IO;
  status = cli_session_run (context, &job, error);
  if (status == CLI_EXIT_OK)
    status = finish (&self, progress.start_us, error);
  cli_totals_clear (&self.receive.totals);
  g_clear_pointer (&self.receive.manifest, cli_manifest_free);
  return status;
}
