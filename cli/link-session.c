/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/link-session.h"
#include "cli/code.h"
#include "cli/exits.h"
#include "cli/link-peer.h"
#include "cli/narrator.h"
#include <glib-unix.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRESS_INTERVAL_MS 250
/* How long the link may take to tell why its streams broke. */
#define LAST_WORD_MS 1000
/* The library bounds its close; this is for the worst. */
#define CLOSE_LIMIT_MS 10000

struct _CliSession
{
  CliContext *context;
  const CliJob *job;
  CliNarrator narrator;
  GMainLoop *loop;
  GCancellable *cancellable;
  IcsLink *link;
  CliLinkPeer *peer;
  char *code;         /* the one to join with */
  char *written_code; /* what the code file got */
  GError *error;      /* the verb's, or the link's */
  GError *link_error;
  GError *work_error; /* while the link's own word on it is waited for */
  gboolean link_ended;
  gboolean working;
  gboolean good;
  gboolean closing;
  guint last_word;
  int signal;
};

CliPeer *
cli_session_get_peer (CliSession *self)
{
  return cli_link_peer_get (self->peer);
}

IcsLink *
cli_session_get_link (CliSession *self)
{
  return self->link;
}

/* The first error counts. */
static void
set_error (CliSession *self, const GError *error)
{
  if (self->error == NULL)
    self->error = g_error_copy (error);
}

static void
on_link_closed_by_us (GObject *source, GAsyncResult *result, gpointer user_data)
{
  CliSession *self = user_data;

  ics_link_close_finish (ICS_LINK (source), result, NULL);
  g_main_loop_quit (self->loop);
}

static gboolean
close_limit (gpointer user_data)
{
  g_main_loop_quit (((CliSession *)user_data)->loop);
  return G_SOURCE_REMOVE;
}

static void
close_link (CliSession *self)
{
  gboolean clean = self->good || (self->signal != 0 && self->job->leave_is_success);
  const char *reason = self->signal != 0 ? "interrupted" : self->error != NULL ? self->error->message : "";
  guint limit = g_timeout_add (CLOSE_LIMIT_MS, close_limit, self);

  ics_link_close_async (self->link, clean ? 0 : 1, clean ? "" : reason, NULL, on_link_closed_by_us, self);
  g_main_loop_run (self->loop);
  if (g_main_context_find_source_by_id (NULL, limit) != NULL)
    g_source_remove (limit);
}

/* What the worker met may be but the echo of what happened to the link. */
static void
settle_error (CliSession *self, const GError *work_error)
{
  gboolean echo = work_error->domain == ICS_ERROR
                      ? work_error->code == ICS_ERROR_LINK_LOST || work_error->code == ICS_ERROR_CLOSED
                            || work_error->code == ICS_ERROR_REFUSED
                      : g_error_matches (work_error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  if (!echo || !self->link_ended)
    set_error (self, work_error);
  else if (self->link_error != NULL)
    set_error (self, self->link_error);
  else if (self->job->leave_is_success)
    self->good = TRUE;
  else if (work_error->domain == ICS_ERROR)
    set_error (self, work_error);
  else
    g_set_error (&self->error, ICS_ERROR, ICS_ERROR_CLOSED, "the other side left before the end");
}

static void
work_thread (GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  CliSession *self = task_data;
  GError *error = NULL;

  if (self->job->work (self, self->job->user_data, cancellable, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
end_work (CliSession *self)
{
  if (self->error == NULL)
    settle_error (self, self->work_error);
  g_clear_error (&self->work_error);
  g_main_loop_quit (self->loop);
}

static gboolean
no_last_word (gpointer user_data)
{
  CliSession *self = user_data;

  self->last_word = 0;
  end_work (self);
  return G_SOURCE_REMOVE;
}

/* A stream may break before the link says why. */
static gboolean
may_be_explained (CliSession *self, const GError *error)
{
  return !self->link_ended
         && (g_error_matches (error, ICS_ERROR, ICS_ERROR_CLOSED)
             || g_error_matches (error, ICS_ERROR, ICS_ERROR_LINK_LOST));
}

static void
on_worked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  CliSession *self = user_data;

  self->working = FALSE;
  if (g_task_propagate_boolean (G_TASK (result), &self->work_error))
    {
      self->good = self->error == NULL;
      g_main_loop_quit (self->loop);
    }
  else if (may_be_explained (self, self->work_error))
    self->last_word = g_timeout_add (LAST_WORD_MS, no_last_word, self);
  else
    end_work (self);
}

static void
start_work (CliSession *self)
{
  g_autoptr (GTask) task = g_task_new (NULL, self->cancellable, on_worked, self);

  self->working = TRUE;
  /* Work that is done is done, even if the peer's leaving cancelled its last wait. */
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, self, NULL);
  g_task_run_in_thread (task, work_thread);
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  CliSession *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (IcsPathInfo) path = NULL;

  if (!ics_link_connect_finish (self->link, result, &error))
    {
      set_error (self, error);
      g_main_loop_quit (self->loop);
      return;
    }
  path = ics_link_get_path (self->link);
  cli_narrator_connected (&self->narrator, ics_link_get_peer_fingerprint (self->link), path);
  cli_link_peer_start (self->peer);
  start_work (self);
}

static void
on_code (IcsLink *link, const char *code, CliSession *self)
{
  const char *file = self->context->settings->code_file;
  g_autoptr (GError) error = NULL;

  if (file != NULL && strcmp (file, "-") != 0 && self->written_code == NULL)
    {
      if (!cli_code_write_file (file, code, &error))
        {
          set_error (self, error);
          g_cancellable_cancel (self->cancellable);
          return;
        }
      self->written_code = g_strdup (code);
    }
  cli_narrator_code (&self->narrator, code, self->job->hint);
}

static void
on_path_changed (IcsLink *link, IcsPathInfo *path, CliSession *self)
{
  cli_narrator_path (&self->narrator, path);
}

static void
on_stall (IcsLink *link, guint ms, CliSession *self)
{
  cli_narrator_stall (&self->narrator, ms);
}

static void
on_record (IcsLink *link, const char *line, CliSession *self)
{
  cli_narrator_record (&self->narrator, line);
}

static void
on_closed (IcsLink *link, GError *error, CliSession *self)
{
  self->link_ended = TRUE;
  if (self->link_error == NULL && error != NULL)
    self->link_error = g_error_copy (error);
  cli_link_peer_end (self->peer, error);
  if (self->working)
    g_cancellable_cancel (self->cancellable);
  else if (self->work_error != NULL)
    end_work (self);
}

static void
on_events_lost (const GError *error, gpointer user_data)
{
  CliSession *self = user_data;

  set_error (self, error);
  g_cancellable_cancel (self->cancellable);
}

static void
on_signal (CliSession *self, int number)
{
  if (self->signal != 0)
    _exit (CLI_EXIT_SIGNAL + number);
  self->signal = number;
  /* Too late to interrupt anything but the good-bye. */
  if (self->closing)
    return;
  g_clear_error (&self->error);
  g_set_error (&self->error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "interrupted");
  g_cancellable_cancel (self->cancellable);
}

static gboolean
on_sigint (gpointer user_data)
{
  on_signal (user_data, SIGINT);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_sigterm (gpointer user_data)
{
  on_signal (user_data, SIGTERM);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_tick (gpointer user_data)
{
  CliSession *self = user_data;

  cli_narrator_progress (&self->narrator, self->job->progress, FALSE);
  return G_SOURCE_CONTINUE;
}

/* The code to join with, NULL to make one. */
static gboolean
find_code (CliSession *self, GError **error)
{
  CliSettings *settings = self->context->settings;
  const char *file = settings->code_file;
  char *operand = self->job->operand;
  gboolean ask = operand != NULL ? strcmp (operand, "-") == 0 : g_strcmp0 (file, "-") == 0;
  g_autoptr (GError) local = NULL;

  if (ask)
    self->code = cli_code_ask (!self->context->verb->stdout_is_data, &local);
  else if (operand != NULL)
    self->code = cli_code_take (operand);
  else if (file != NULL)
    self->code = cli_code_read_file (file, &local);
  if (local == NULL && self->code == NULL && operand == NULL && (file == NULL || self->job->writes_code))
    self->code = g_strdup (settings->code);
  if (local == NULL && self->code == NULL && file != NULL && !ask && !self->job->writes_code)
    g_set_error (&local, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
                 "there is no code in %s; write the other host's code to it", file);
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static void
make_link (CliSession *self)
{
  const CliSettings *settings = self->context->settings;

  self->link
      = g_object_new (ICS_TYPE_LINK, "server-uri", settings->server, "application", self->job->application,
                      "policy", settings->policy, "family", settings->family, "turn-uris",
                      settings->turn_uris, "server-turn", !settings->no_server_turn, "turn-ca-file",
                      settings->turn_ca, "port-mapping", !settings->no_port_mapping, "port-search",
                      !settings->no_port_search, "timeout-ms", settings->timeout_ms, NULL);
  self->peer = cli_link_peer_new (self->link, self->code != NULL);
  g_signal_connect (self->link, "code", G_CALLBACK (on_code), self);
  g_signal_connect (self->link, "path-changed", G_CALLBACK (on_path_changed), self);
  g_signal_connect (self->link, "stall", G_CALLBACK (on_stall), self);
  g_signal_connect (self->link, "record", G_CALLBACK (on_record), self);
  g_signal_connect (self->link, "closed", G_CALLBACK (on_closed), self);
}

static void
run_link (CliSession *self)
{
  guint sigint = g_unix_signal_add (SIGINT, on_sigint, self);
  guint sigterm = g_unix_signal_add (SIGTERM, on_sigterm, self);
  guint tick = self->job->progress != NULL ? g_timeout_add (PROGRESS_INTERVAL_MS, on_tick, self) : 0;

  cli_events_set_lost (self->context->events, on_events_lost, self);
  ics_link_connect_async (self->link, self->code, self->cancellable, on_connected, self);
  g_main_loop_run (self->loop);
  if (self->job->progress != NULL)
    cli_narrator_progress (&self->narrator, self->job->progress, TRUE);
  g_clear_handle_id (&tick, g_source_remove);
  g_clear_handle_id (&self->last_word, g_source_remove);
  self->closing = TRUE;
  close_link (self);
  cli_events_set_lost (self->context->events, NULL, NULL);
  g_source_remove (sigint);
  g_source_remove (sigterm);
}

/* And, with -v, what happened in short. */
static void
summarize (CliSession *self)
{
  g_auto (GStrv) record = NULL;
  const char *why = self->link != NULL ? ics_link_get_why_not_direct (self->link) : NULL;

  if (why != NULL)
    cli_narrator_why_not_direct (&self->narrator, why);
  if (self->good || self->link == NULL || !self->context->settings->verbose)
    return;
  record = ics_link_get_record (self->link);
  if (self->narrator.connected_us == 0)
    cli_term_say (self->context->term,
                  "it failed before the two hosts were joined; %u lines above tell what was tried",
                  record != NULL ? g_strv_length (record) : 0);
  else
    cli_term_say (self->context->term,
                  "it failed %.1f s after the two hosts were joined; the data went by %s last",
                  (double)(g_get_monotonic_time () - self->narrator.connected_us) / G_USEC_PER_SEC,
                  ics_path_kind_to_string (self->narrator.kind));
}

static void
session_clear (CliSession *self)
{
  if (self->link != NULL)
    g_signal_handlers_disconnect_by_data (self->link, self);
  if (self->written_code != NULL)
    cli_code_remove_file (self->context->settings->code_file, self->written_code);
  cli_code_free (self->written_code);
  cli_code_free (self->code);
  g_clear_pointer (&self->peer, cli_link_peer_unref);
  g_clear_object (&self->link);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->loop, g_main_loop_unref);
  g_clear_error (&self->link_error);
  cli_narrator_clear (&self->narrator);
}

int
cli_session_run (CliContext *context, const CliJob *job, GError **error)
{
  CliSession self = { .context = context, .job = job };
  int status = CLI_EXIT_OK;

  if (!cli_settings_check_server (context->settings, &self.error) || !find_code (&self, &self.error))
    status = CLI_EXIT_USAGE;
  else
    {
      self.loop = g_main_loop_new (NULL, FALSE);
      self.cancellable = g_cancellable_new ();
      cli_narrator_init (&self.narrator, context);
      make_link (&self);
      run_link (&self);
      summarize (&self);
    }
  if (self.error != NULL)
    status = self.signal != 0 ? CLI_EXIT_SIGNAL + self.signal : cli_exit_from_error (self.error);
  session_clear (&self);
  if (self.error != NULL)
    g_propagate_error (error, self.error);
  return status;
}
