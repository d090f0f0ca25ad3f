/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ics-error.h"
#include "cli/code.h"
#include "cli/exits.h"
#include "cli/std-streams.h"
#include "cli/verbs.h"
#include "config.h"
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Before anything is known about where events and messages belong. */
static int
fail_early (const GError *error)
{
  g_autoptr (CliTerm) term = cli_term_new (CLI_TERM_NORMAL);

  cli_term_fail (term, error->message);
  return cli_exit_from_error (error);
}

static void
tell_error (CliContext *context, const GError *error, int status)
{
  JsonObject *event = cli_event_new ("error");
  g_autofree char *message = g_utf8_make_valid (error->message, -1);

  json_object_set_string_member (event, "code", cli_exit_error_name (error));
  json_object_set_int_member (event, "exit", status);
  json_object_set_string_member (event, "message", message);
  cli_events_emit (context->events, event);
  if (status > CLI_EXIT_SIGNAL)
    cli_term_say (context->term, "%s", message);
  else
    cli_term_fail (context->term, message);
}

static CliTermMode
term_mode (const CliVerb *verb, const CliSettings *settings)
{
  if (verb->stdout_is_data && settings->json)
    return CLI_TERM_SILENT;
  return settings->quiet ? CLI_TERM_QUIET : CLI_TERM_NORMAL;
}

static gboolean
check_operands (const CliVerb *verb, const CliArguments *arguments, GError **error)
{
  int n = (int)arguments->operands->len;

  if (n >= verb->min_operands && (verb->max_operands < 0 || n <= verb->max_operands))
    return TRUE;
  g_set_error_literal (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT, verb->operand_hint);
  return FALSE;
}

static int
run_context (CliContext *context)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) lost = NULL;
  int status = context->verb->run (context, &error);

  if (error != NULL)
    tell_error (context, error, status);
  /* From here on a signal shall end a wait for a reader that does not read. */
  signal (SIGINT, SIG_DFL);
  signal (SIGTERM, SIG_DFL);
  if (cli_events_flush (context->events, &lost) || status != CLI_EXIT_OK)
    return status;
  cli_term_fail (context->term, lost->message);
  return CLI_EXIT_IO;
}

static int
run_verb (const CliVerb *verb, CliArguments *arguments, gint64 start_us)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CliSettings) settings = NULL;
  g_autoptr (CliEvents) events = cli_events_new (start_us);
  g_autoptr (CliTerm) term = NULL;
  CliContext context = { .verb = verb, .arguments = arguments, .events = events };

  if (check_operands (verb, arguments, &error))
    settings = cli_settings_new (arguments, &error);
  if (settings == NULL)
    return fail_early (error);
  if (settings->json)
    cli_events_add_fd (events, verb->stdout_is_data ? STDERR_FILENO : STDOUT_FILENO);
  if (settings->events_fd >= 0)
    cli_events_add_fd (events, settings->events_fd);
  term = cli_term_new (term_mode (verb, settings));
  context.settings = settings;
  context.term = term;
  return run_context (&context);
}

/* --help and the like; -1 if argv asks for none of them. */
static int
run_docs (int argc, char **argv)
{
  const char *word = argc > 1 ? argv[1] : "";
  g_autoptr (GError) error = NULL;
  const CliVerb *verb;
  int n_words;

  if (strcmp (word, "--version") == 0)
    puts ("ice-session " PACKAGE_VERSION);
  else if (strcmp (word, "--help") == 0 || strcmp (word, "-h") == 0
           || (strcmp (word, "help") == 0 && argc == 2))
    cli_docs_help ();
  else if (strcmp (word, "--generate-man") == 0)
    cli_docs_man ();
  else if (strcmp (word, "--generate-completion") == 0)
    cli_docs_completion ();
  else if (strcmp (word, "help") != 0)
    return -1;
  else if ((verb = cli_verbs_find (argc - 2, argv + 2, &n_words, &error)) == NULL)
    return fail_early (error);
  else
    cli_docs_help_verb (verb);
  return fflush (stdout) == 0 ? CLI_EXIT_OK : CLI_EXIT_IO;
}

int
main (int argc, char **argv)
{
  gint64 start_us = g_get_monotonic_time ();
  g_autoptr (GError) error = NULL;
  g_autoptr (CliArguments) arguments = NULL;
  const CliVerb *verb;
  int n_words;
  int status;

  cli_stdio_guard ();
  setlocale (LC_ALL, "");
  signal (SIGPIPE, SIG_IGN);
  status = run_docs (argc, argv);
  if (status >= 0)
    return status;
  verb = cli_verbs_find (argc - 1, argv + 1, &n_words, &error);
  if (verb != NULL)
    arguments = cli_arguments_parse (verb->options, argc - 1 - n_words, argv + 1 + n_words, &error);
  if (arguments == NULL)
    return fail_early (error);
  if (cli_arguments_has (arguments, CLI_OPT_HELP))
    {
      cli_docs_help_verb (verb);
      return fflush (stdout) == 0 ? CLI_EXIT_OK : CLI_EXIT_IO;
    }
  return run_verb (verb, arguments, start_us);
}
