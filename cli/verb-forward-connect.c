/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ics-error.h"
#include "cli/exits.h"
#include "cli/forward.h"
#include "cli/link-session.h"

static void
listening (const char *bind, const char *name, gpointer user_data)
{
  CliContext *context = user_data;
  JsonObject *event = cli_event_new ("forwarding");

  json_object_set_string_member (event, "bind", bind);
  json_object_set_string_member (event, "name", name);
  cli_events_emit (context->events, event);
  cli_term_say (context->term, "%s leads to %s", bind, name);
}

static gboolean
work (CliSession *session, gpointer user_data, GCancellable *cancellable, GError **error)
{
  CliForwardConnect *connect = user_data;

  connect->peer = cli_session_get_peer (session);
  return cli_forward_connect_run (connect, cancellable, error);
}

int
cli_verb_forward_connect (CliContext *context, GError **error)
{
  GPtrArray *operands = context->arguments->operands;
  g_auto (GStrv) specs = cli_arguments_get_all (context->arguments, CLI_OPT_LOCAL);
  g_autoptr (GPtrArray) listens = specs != NULL ? cli_listens_parse (specs, error) : NULL;
  CliForwardConnect connect = { .listens = listens,
                                .rate = { context->settings->limit_rate, 0 },
                                .listening = listening,
                                .user_data = context };
  CliJob job = { .application = "forward/1",
                 .operand = operands->len > 0 ? operands->pdata[0] : NULL,
                 .hint = "ICE_SESSION_CODE=%s ice-session forward serve [NAME=]HOST:PORT",
                 .leave_is_success = TRUE,
                 .work = work,
                 .user_data = &connect };

  if (specs == NULL)
    g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT, "say what to reach with -L [BIND:]PORT:NAME");
  return listens != NULL ? cli_session_run (context, &job, error) : CLI_EXIT_USAGE;
}
