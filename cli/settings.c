/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/settings.h"
#include "base/ics-error.h"
#include "cli/code.h"
#include "cli/human.h"
#include <fcntl.h>
#include <sodium.h>
#include <string.h>

#define TIMEOUT_MAX_S 4000000

static gboolean
usage (GError **error, const char *format, const char *value)
{
  g_autofree char *escaped = cli_human_sanitize (value, 200);
  g_autofree char *message = g_strdup (format);
  char *mark = strchr (message, '%');
  g_autofree char *text = g_strdup_printf ("%.*s%s%s", (int)(mark - message), message, escaped, mark + 1);

  g_set_error_literal (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT, text);
  return FALSE;
}

static gboolean
load_config (CliSettings *self, const CliArguments *arguments, GError **error)
{
  const char *given = cli_arguments_get (arguments, CLI_OPT_CONFIG);
  g_autofree char *path = NULL;
  g_autoptr (GError) local = NULL;

  if (given == NULL)
    given = g_getenv ("ICE_SESSION_CONFIG");
  if (given != NULL && *given == '\0')
    given = NULL;
  path = given != NULL ? g_strdup (given)
                       : g_build_filename (g_get_user_config_dir (), "ice-session", "config", NULL);
  if (g_key_file_load_from_file (self->config, path, G_KEY_FILE_NONE, &local))
    return TRUE;
  if (given == NULL && g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return TRUE;
  g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT, "cannot read the configuration %s: %s", path,
               local->message);
  return FALSE;
}

/* Option, else environment (if it has a variable), else configuration. */
static char *
pick (const CliSettings *self, const CliArguments *arguments, CliOptionId id, const char *variable)
{
  const char *value = cli_arguments_get (arguments, id);

  if (value == NULL && variable != NULL)
    value = g_getenv (variable);
  if (value != NULL && *value != '\0')
    return g_strdup (value);
  return g_key_file_get_string (self->config, CLI_CONFIG_GROUP, cli_options[id].long_name, NULL);
}

static gboolean
set_policy (CliSettings *self, const char *value, GError **error)
{
  return value == NULL || ics_path_policy_from_string (value, &self->policy)
         || usage (error, "--path % is unknown; say auto, direct, relay or lan", value);
}

static gboolean
set_rate (CliSettings *self, const char *value, GError **error)
{
  if (value == NULL || cli_human_parse_rate (value, &self->limit_rate))
    return TRUE;
  return usage (error, "--limit-rate % is no rate; say bytes a second, like 500K or 2M", value);
}

static gboolean
set_timeout (CliSettings *self, const char *value, GError **error)
{
  char *end = NULL;
  double seconds;

  if (value == NULL)
    return TRUE;
  seconds = g_ascii_strtod (value, &end);
  if (!g_ascii_isdigit (value[0]) || *end != '\0' || !(seconds >= 0.001 && seconds <= TIMEOUT_MAX_S))
    return usage (error, "--timeout % is no time; say seconds, like 30", value);
  self->timeout_ms = (guint)(seconds * 1000);
  return TRUE;
}

static gboolean
set_events_fd (CliSettings *self, const char *value, GError **error)
{
  guint64 fd;

  self->events_fd = -1;
  if (value == NULL)
    return TRUE;
  if (!g_ascii_string_to_unsigned (value, 10, 0, G_MAXINT, &fd, NULL) || fcntl ((int)fd, F_GETFD) < 0
      || (fcntl ((int)fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
    return usage (error,
                  "--events-fd %: that descriptor is not open for writing; open it first, like 3>events.json",
                  value);
  self->events_fd = (int)fd;
  return TRUE;
}

/* URIs carry passwords. */
static void
wipe_turn (const CliArguments *arguments)
{
  const GPtrArray *values = arguments->values[CLI_OPT_TURN];

  for (guint i = 0; values != NULL && i < values->len; i++)
    sodium_memzero (values->pdata[i], strlen (values->pdata[i]));
}

static void
set_turn (CliSettings *self, const CliArguments *arguments)
{
  g_auto (GStrv) given = cli_arguments_get_all (arguments, CLI_OPT_TURN);
  g_autoptr (GStrvBuilder) uris = g_strv_builder_new ();

  wipe_turn (arguments);
  if (given == NULL)
    given = g_key_file_get_string_list (self->config, CLI_CONFIG_GROUP, "turn", NULL, NULL);
  for (guint i = 0; given != NULL && given[i] != NULL; i++)
    if (strcmp (given[i], "none") == 0)
      self->no_server_turn = TRUE;
    else
      g_strv_builder_add (uris, given[i]);
  self->turn_uris = g_strv_builder_end (uris);
}

static gboolean
set_family (CliSettings *self, const CliArguments *arguments, GError **error)
{
  gboolean four = cli_arguments_has (arguments, CLI_OPT_IPV4);
  gboolean six = cli_arguments_has (arguments, CLI_OPT_IPV6);

  self->family = four ? 4 : six ? 6 : 0;
  return !(four && six) || usage (error, "-4 and % exclude each other; give one of them", "-6");
}

static gboolean
set_values (CliSettings *self, const CliArguments *arguments, GError **error)
{
  g_autofree char *policy = pick (self, arguments, CLI_OPT_PATH, NULL);
  g_autofree char *rate = pick (self, arguments, CLI_OPT_LIMIT_RATE, NULL);
  g_autofree char *timeout = pick (self, arguments, CLI_OPT_TIMEOUT, NULL);

  self->server = pick (self, arguments, CLI_OPT_SERVER, "ICE_SESSION_SERVER");
  self->turn_ca = pick (self, arguments, CLI_OPT_TURN_CA, NULL);
  self->code_file = g_strdup (cli_arguments_get (arguments, CLI_OPT_CODE_FILE));
  self->no_port_mapping = cli_arguments_has (arguments, CLI_OPT_NO_PORT_MAPPING)
                          || g_key_file_get_boolean (self->config, CLI_CONFIG_GROUP, "no-port-mapping", NULL);
  self->no_port_search = cli_arguments_has (arguments, CLI_OPT_NO_PORT_SEARCH);
  set_turn (self, arguments);
  return set_policy (self, policy, error) && set_rate (self, rate, error)
         && set_timeout (self, timeout, error) && set_family (self, arguments, error);
}

CliSettings *
cli_settings_new (const CliArguments *arguments, GError **error)
{
  g_autoptr (CliSettings) self = g_new0 (CliSettings, 1);

  self->config = g_key_file_new ();
  self->code = cli_code_take_environment ("ICE_SESSION_CODE");
  self->json = cli_arguments_has (arguments, CLI_OPT_JSON);
  self->quiet = cli_arguments_has (arguments, CLI_OPT_QUIET);
  self->verbose = cli_arguments_has (arguments, CLI_OPT_VERBOSE);
  if (!set_events_fd (self, cli_arguments_get (arguments, CLI_OPT_EVENTS_FD), error)
      || !load_config (self, arguments, error) || !set_values (self, arguments, error))
    {
      wipe_turn (arguments);
      return NULL;
    }
  return g_steal_pointer (&self);
}

void
cli_settings_free (CliSettings *self)
{
  g_free (self->server);
  for (guint i = 0; self->turn_uris != NULL && self->turn_uris[i] != NULL; i++)
    sodium_memzero (self->turn_uris[i], strlen (self->turn_uris[i]));
  g_strfreev (self->turn_uris);
  g_free (self->turn_ca);
  g_free (self->code_file);
  cli_code_free (self->code);
  g_key_file_unref (self->config);
  g_free (self);
}

gboolean
cli_settings_check_server (const CliSettings *self, GError **error)
{
  g_autoptr (GUri) uri = NULL;

  if (self->server == NULL)
    {
      g_set_error_literal (
          error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
          "no rendezvous server is given; say --server wss://HOST, set ICE_SESSION_SERVER, or write "
          "server=wss://HOST under [ice-session] into the configuration file");
      return FALSE;
    }
  uri = g_uri_parse (self->server, G_URI_FLAGS_NONE, NULL);
  if (uri == NULL
      || (strcmp (g_uri_get_scheme (uri), "ws") != 0 && strcmp (g_uri_get_scheme (uri), "wss") != 0)
      || g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0')
    return usage (error, "the server % is no address of one; say ws://HOST[:PORT] or wss://HOST[:PORT]",
                  self->server);
  return TRUE;
}

char **
cli_settings_get_list (const CliSettings *self, const CliArguments *arguments, CliOptionId id,
                       const char *key)
{
  char **values = cli_arguments_get_all (arguments, id);

  return values != NULL ? values
                        : g_key_file_get_string_list (self->config, CLI_CONFIG_GROUP_SERVER, key, NULL, NULL);
}

char *
cli_settings_get_string (const CliSettings *self, const CliArguments *arguments, CliOptionId id,
                         const char *key)
{
  const char *value = cli_arguments_get (arguments, id);

  return value != NULL ? g_strdup (value)
                       : g_key_file_get_string (self->config, CLI_CONFIG_GROUP_SERVER, key, NULL);
}
