/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/exits.h"
#include "cli/forward.h"
#include "cli/link-session.h"

static gboolean
work (CliSession *session, gpointer user_data, GCancellable *cancellable, GError **error)
{
  CliForwardServe *serve = user_data;

  serve->peer = cli_session_get_peer (session);
  return cli_forward_serve_run (serve, cancellable, error);
}

int
cli_verb_forward_serve (CliContext *context, GError **error)
{
  g_auto (GStrv) operands = cli_arguments_get_operands (context->arguments);
  g_autoptr (GPtrArray) targets = cli_targets_parse (operands, error);
  CliForwardServe serve = { .targets = targets, .rate = { context->settings->limit_rate, 0 } };
  CliJob job = { .application = "forward/1",
                 .writes_code = TRUE,
                 .hint = "ice-session forward connect %s -L PORT:NAME",
                 .leave_is_success = TRUE,
                 .work = work,
                 .user_data = &serve };
  int status;

  if (targets == NULL)
    return CLI_EXIT_USAGE;
  status = cli_session_run (context, &job, error);
  cli_term_say (context->term,
                "%" G_GUINT64_FORMAT " connections were carried, %" G_GUINT64_FORMAT " refused", serve.served,
                serve.refused);
  return status;
}
