/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ics-error.h"
#include "cli/exits.h"
#include "cli/forward-spec.h"
#include "cli/human.h"
#include "cli/link-session.h"
#include "cli/narrator.h"
#include "cli/pipe-run.h"
#include "cli/std-streams.h"
#include <gio/gunixsocketaddress.h>
#include <string.h>

typedef struct
{
  CliPipe pipe;
  GSocketConnectable *target; /* NULL: stdin and stdout */
  const char *target_name;
} Pipe;

static GIOStream *
open_local (gpointer user_data, GCancellable *cancellable, GError **error)
{
  Pipe *self = user_data;
  g_autoptr (GSocketClient) client = NULL;
  GSocketConnection *connection;

  if (self->target == NULL)
    return cli_stdio_take (error);
  client = g_socket_client_new ();
  g_socket_client_set_enable_proxy (client, FALSE);
  connection = g_socket_client_connect (client, self->target, cancellable, error);
  if (connection == NULL)
    g_prefix_error (error, "cannot connect to %s: ", self->target_name);
  return (GIOStream *)connection;
}

static gboolean
work (CliSession *session, gpointer user_data, GCancellable *cancellable, GError **error)
{
  Pipe *self = user_data;

  self->pipe.peer = cli_session_get_peer (session);
  return cli_pipe_run (&self->pipe, cancellable, error);
}

static gboolean
set_target (Pipe *self, CliContext *context, GError **error)
{
  const char *tcp = cli_arguments_get (context->arguments, CLI_OPT_TCP);
  const char *path = cli_arguments_get (context->arguments, CLI_OPT_UNIX);
  g_autofree char *host = NULL;
  guint16 port;

  self->target_name = tcp != NULL ? tcp : path;
  if (tcp != NULL && path != NULL)
    g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
                 "--tcp and --unix exclude each other; give one of them");
  else if (tcp != NULL && !cli_host_port_parse (tcp, FALSE, &host, &port))
    g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT, "--tcp \"%s\" will not do; say HOST:PORT",
                 tcp);
  else if (tcp != NULL)
    self->target = g_network_address_new (host, port);
  else if (path != NULL)
    self->target = G_SOCKET_CONNECTABLE (g_unix_socket_address_new (path));
  return self->target != NULL || self->target_name == NULL;
}

static void
tell_done (CliContext *context, const CliPipe *pipe)
{
  guint64 by_kind[ICS_N_PATH_KINDS];
  const CliTotals *main_totals = pipe->received.bytes > 0 ? &pipe->received : &pipe->sent;
  g_autofree char *sent = cli_human_bytes (pipe->sent.bytes);
  g_autofree char *received = cli_human_bytes (pipe->received.bytes);
  g_autofree char *share = NULL;
  JsonObject *event;

  for (guint kind = 0; kind < ICS_N_PATH_KINDS; kind++)
    by_kind[kind] = pipe->sent.by_kind[kind] + pipe->received.by_kind[kind];
  share = cli_narrator_share (by_kind);
  event = cli_narrator_new_done (pipe->sent.bytes + pipe->received.bytes, main_totals->sha256, by_kind);
  json_object_set_int_member (event, "sent_bytes", (gint64)pipe->sent.bytes);
  json_object_set_int_member (event, "received_bytes", (gint64)pipe->received.bytes);
  json_object_set_string_member (event, "sent_sha256", pipe->sent.sha256);
  json_object_set_string_member (event, "received_sha256", pipe->received.sha256);
  cli_events_emit (context->events, event);
  cli_term_say (context->term, "sent %s, received %s, SHA-256 verified, %s", sent, received, share);
}

int
cli_verb_pipe (CliContext *context, GError **error)
{
  GPtrArray *operands = context->arguments->operands;
  Pipe self = { .pipe = { .open = open_local, .rate = { context->settings->limit_rate, 0 } } };
  CliJob job = { .application = "pipe/1",
                 .operand = operands->len > 0 ? operands->pdata[0] : NULL,
                 .writes_code = TRUE,
                 .hint = "ice-session pipe %s",
                 .work = work,
                 .user_data = &self };
  int status;

  self.pipe.open_data = &self;
  if (!set_target (&self, context, error))
    return CLI_EXIT_USAGE;
  status = cli_session_run (context, &job, error);
  cli_stdio_restore ();
  if (status == CLI_EXIT_OK)
    tell_done (context, &self.pipe);
  cli_totals_clear (&self.pipe.sent);
  cli_totals_clear (&self.pipe.received);
  g_clear_object (&self.target);
  return status;
}
