/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ics-error.h"
#include "cli/exits.h"
#include "cli/verbs.h"
#include <glib-unix.h>
#include <session/ice-session.h>
#include <signal.h>
#include <unistd.h>

/* Both families on one socket. */
#define LISTEN_DEFAULT "[::]:8080"

typedef struct
{
  CliContext *context;
  GMainLoop *loop;
  GError *error;
  int signal;
} Server;

static void
on_listening (IcsServer *server, const char *url, Server *self)
{
  JsonObject *event = cli_event_new ("listening");

  json_object_set_string_member (event, "url", url);
  cli_events_emit (self->context->events, event);
  cli_term_say (self->context->term, "listening on %s", url);
}

static void
on_log (IcsServer *server, const char *line, Server *self)
{
  cli_term_say (self->context->term, "%s", line);
}

static gboolean
on_signal (Server *self, int number)
{
  if (self->signal != 0)
    _exit (CLI_EXIT_SIGNAL + number);
  self->signal = number;
  g_main_loop_quit (self->loop);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_sigint (gpointer user_data)
{
  return on_signal (user_data, SIGINT);
}

static gboolean
on_sigterm (gpointer user_data)
{
  return on_signal (user_data, SIGTERM);
}

static void
on_events_lost (const GError *error, gpointer user_data)
{
  Server *self = user_data;

  if (self->error == NULL)
    self->error = g_error_copy (error);
  g_main_loop_quit (self->loop);
}

static void
on_stopped (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Server *self = user_data;

  ics_server_stop_finish (ICS_SERVER (source), result, self->error == NULL ? &self->error : NULL);
  g_main_loop_quit (self->loop);
}

/* 0 = the default. */
static gboolean
get_turn_lifetime (CliContext *context, guint64 *seconds, GError **error)
{
  g_autofree char *text = cli_settings_get_string (context->settings, context->arguments,
                                                   CLI_OPT_TURN_LIFETIME, "turn-lifetime");

  *seconds = 0;
  if (text == NULL
      || g_ascii_string_to_unsigned (text, 10, ICS_SERVER_TURN_LIFETIME_MIN, ICS_SERVER_TURN_LIFETIME_MAX,
                                     seconds, NULL))
    return TRUE;
  g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
               "--turn-lifetime %s is no number of seconds from %d to %d; say 43200", text,
               ICS_SERVER_TURN_LIFETIME_MIN, ICS_SERVER_TURN_LIFETIME_MAX);
  return FALSE;
}

static IcsServer *
make_server (CliContext *context, guint turn_lifetime)
{
  const CliSettings *settings = context->settings;
  const CliArguments *arguments = context->arguments;
  static const char *listen_default[] = { LISTEN_DEFAULT, NULL };
  g_auto (GStrv) listen = cli_settings_get_list (settings, arguments, CLI_OPT_LISTEN, "listen");
  g_auto (GStrv) addresses
      = cli_settings_get_list (settings, arguments, CLI_OPT_PUBLIC_ADDRESS, "public-address");
  g_auto (GStrv) turn = cli_settings_get_list (settings, arguments, CLI_OPT_SERVER_TURN, "turn");
  g_auto (GStrv) allow
      = cli_settings_get_list (settings, arguments, CLI_OPT_TURN_ALLOW_PEER, "turn-allow-peer");
  g_autofree char *cert = cli_settings_get_string (settings, arguments, CLI_OPT_TLS_CERT, "tls-cert");
  g_autofree char *key = cli_settings_get_string (settings, arguments, CLI_OPT_TLS_KEY, "tls-key");
  g_autofree char *secret
      = cli_settings_get_string (settings, arguments, CLI_OPT_TURN_SECRET_FILE, "turn-secret-file");
  g_autofree char *state = cli_settings_get_string (settings, arguments, CLI_OPT_STATE_DIR, "state-dir");

  return g_object_new (ICS_TYPE_SERVER, "listen", listen != NULL ? listen : (char **)listen_default,
                       "tls-cert-file", cert, "tls-key-file", key, "public-addresses", addresses, "turn-uris",
                       turn, "turn-secret-file", secret, "turn-allow-peers", allow, "turn-lifetime",
                       turn_lifetime, "state-dir", state, NULL);
}

static void
serve (Server *self, IcsServer *server)
{
  guint sigint = g_unix_signal_add (SIGINT, on_sigint, self);
  guint sigterm = g_unix_signal_add (SIGTERM, on_sigterm, self);

  cli_events_set_lost (self->context->events, on_events_lost, self);
  if (ics_server_start (server, &self->error))
    g_main_loop_run (self->loop);
  ics_server_stop_async (server, NULL, on_stopped, self);
  g_main_loop_run (self->loop);
  cli_events_set_lost (self->context->events, NULL, NULL);
  g_source_remove (sigint);
  g_source_remove (sigterm);
}

int
cli_verb_server (CliContext *context, GError **error)
{
  Server self = { .context = context };
  g_autoptr (IcsServer) server = NULL;
  guint64 turn_lifetime;
  gboolean cert = cli_arguments_has (context->arguments, CLI_OPT_TLS_CERT);

  if (cert != cli_arguments_has (context->arguments, CLI_OPT_TLS_KEY))
    {
      g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
                   "--tls-cert and --tls-key belong together; give both");
      return CLI_EXIT_USAGE;
    }
  if (!get_turn_lifetime (context, &turn_lifetime, error))
    return CLI_EXIT_USAGE;
  self.loop = g_main_loop_new (NULL, FALSE);
  server = make_server (context, (guint)turn_lifetime);
  g_signal_connect (server, "listening", G_CALLBACK (on_listening), &self);
  g_signal_connect (server, "log", G_CALLBACK (on_log), &self);
  serve (&self, server);
  g_signal_handlers_disconnect_by_data (server, &self);
  g_main_loop_unref (self.loop);
  if (self.error == NULL)
    return self.signal != 0 ? CLI_EXIT_SIGNAL + self.signal : CLI_EXIT_OK;
  g_propagate_error (error, self.error);
  return cli_exit_from_error (*error);
}
