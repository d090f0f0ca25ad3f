/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/options.h"
#include "base/ics-error.h"
#include <string.h>

/* clang-format off */
const CliOption cli_options[CLI_N_OPTS] = {
  [CLI_OPT_OUTPUT] = { CLI_OPT_OUTPUT, 'o', "output", "DIR", FALSE,
    "Put what is received into DIR (default: the current folder)." },
  [CLI_OPT_YES] = { CLI_OPT_YES, 'y', "yes", NULL, FALSE,
    "Accept without asking. Without a terminal nothing is asked either: who gives the code consents." },
  [CLI_OPT_OVERWRITE] = { CLI_OPT_OVERWRITE, 0, "overwrite", NULL, FALSE,
    "Replace files that exist, and put received files into folders that exist." },
  [CLI_OPT_TCP] = { CLI_OPT_TCP, 0, "tcp", "HOST:PORT", FALSE,
    "Connect to HOST:PORT instead of using standard input and output." },
  [CLI_OPT_UNIX] = { CLI_OPT_UNIX, 0, "unix", "PATH", FALSE,
    "Connect to the socket PATH instead of using standard input and output." },
  [CLI_OPT_LOCAL] = { CLI_OPT_LOCAL, 'L', NULL, "[BIND:]PORT:NAME", TRUE,
    "Listen on BIND (default 127.0.0.1; IPv6 in brackets) and PORT (0 picks one), and carry each connection to the target "
    "NAME of the other side." },
  [CLI_OPT_RTP_IN] = { CLI_OPT_RTP_IN, 0, "rtp-in", "[ADDRESS:]PORT", TRUE,
    "Take RTP at UDP port PORT of ADDRESS (default 127.0.0.1), and RTCP at the next port or the same one (RFC 5761)." },
  [CLI_OPT_RTP_OUT] = { CLI_OPT_RTP_OUT, 0, "rtp-out", "HOST:PORT", TRUE,
    "Send what the other side's --rtp-in of the same place takes to HOST: RTP to UDP port PORT, RTCP to the next one." },
  [CLI_OPT_RTCP_MUX] = { CLI_OPT_RTCP_MUX, 0, "rtcp-mux", NULL, FALSE,
    "Send RTCP to the same port as RTP (RFC 5761)." },
  [CLI_OPT_SRTP_PROFILE] = { CLI_OPT_SRTP_PROFILE, 0, "srtp-profile", "NAME", FALSE,
    "Protect media with this profile only: SRTP_AEAD_AES_128_GCM or SRTP_AES128_CM_HMAC_SHA1_80. Without, both sides agree on the "
    "first that both have." },
  [CLI_OPT_SRTP_KEY_LOG] = { CLI_OPT_SRTP_KEY_LOG, 0, "srtp-key-log", "F", FALSE,
    "Append the keys of the media to F (mode 0600), for debugging: who has them can read it." },
  [CLI_OPT_CODE_FILE] = { CLI_OPT_CODE_FILE, 0, "code-file", "F", FALSE,
    "Read the code from F. send, pipe, media and forward serve: if F is missing or empty, write the new code to it (mode 0600), and "
    "remove it at the end. \"-\" asks for the code." },
  [CLI_OPT_LISTEN] = { CLI_OPT_LISTEN, 0, "listen", "ADDR:PORT", TRUE,
    "Listen there; port 0 picks one (default [::]:8080, IPv4 included)." },
  [CLI_OPT_TLS_CERT] = { CLI_OPT_TLS_CERT, 0, "tls-cert", "F", FALSE, "Serve wss:// with this certificate chain (PEM)." },
  [CLI_OPT_TLS_KEY] = { CLI_OPT_TLS_KEY, 0, "tls-key", "F", FALSE, "The certificate's private key (PEM)." },
  [CLI_OPT_PUBLIC_ADDRESS] = { CLI_OPT_PUBLIC_ADDRESS, 0, "public-address", "A", TRUE,
    "The address under which the outside reaches this host." },
  [CLI_OPT_SERVER_TURN] = { CLI_OPT_SERVER_TURN, 0, "turn", "auto|none|URI", TRUE,
    "auto: run a TURN server (turnserver) as a child when it is installed. none: offer none. URI: offer that one." },
  [CLI_OPT_TURN_SECRET_FILE] = { CLI_OPT_TURN_SECRET_FILE, 0, "turn-secret-file", "F", FALSE,
    "The shared secret from which credentials for the TURN server at URI are made." },
  [CLI_OPT_TURN_ALLOW_PEER] = { CLI_OPT_TURN_ALLOW_PEER, 0, "turn-allow-peer", "RANGE", TRUE,
    "Let the TURN child relay to this range of addresses although it is private." },
  [CLI_OPT_TURN_LIFETIME] = { CLI_OPT_TURN_LIFETIME, 0, "turn-lifetime", "S", FALSE,
    "Credentials for the TURN server are good for S seconds (default 43200); hosts get fresh ones after half of it." },
  [CLI_OPT_STATE_DIR] = { CLI_OPT_STATE_DIR, 0, "state-dir", "D", FALSE, "Where the server keeps its files." },
  [CLI_OPT_SERVER] = { CLI_OPT_SERVER, 0, "server", "URL", FALSE,
    "The rendezvous server, ws://HOST[:PORT] or wss://HOST[:PORT]." },
  [CLI_OPT_PATH] = { CLI_OPT_PATH, 0, "path", "auto|direct|relay|lan", FALSE,
    "auto: start on the relay, move to the best path. direct, lan: data only on a direct path, lan between local addresses. "
    "relay: never look for a direct path nor show this host's addresses to the other side. Data takes only paths that both "
    "sides' policies allow." },
  [CLI_OPT_IPV4] = { CLI_OPT_IPV4, '4', NULL, NULL, FALSE, "Use IPv4 only." },
  [CLI_OPT_IPV6] = { CLI_OPT_IPV6, '6', NULL, NULL, FALSE, "Use IPv6 only." },
  [CLI_OPT_TURN] = { CLI_OPT_TURN, 0, "turn", "URI", TRUE,
    "Use this TURN server too: turn:USER:PASSWORD@HOST[:PORT], with ?transport=tcp over TCP, or turns:USER:PASSWORD@HOST[:PORT] "
    "over TLS. \"none\": not even those of the rendezvous server." },
  [CLI_OPT_TURN_CA] = { CLI_OPT_TURN_CA, 0, "turn-ca", "FILE", FALSE,
    "Trust the certificate authorities in FILE (PEM), too, for TURN over TLS." },
  [CLI_OPT_NO_PORT_MAPPING] = { CLI_OPT_NO_PORT_MAPPING, 0, "no-port-mapping", NULL, FALSE,
    "Do not ask this network's router to map a port (PCP, NAT-PMP, UPnP) for the direct path." },
  [CLI_OPT_NO_PORT_SEARCH] = { CLI_OPT_NO_PORT_SEARCH, 0, "no-port-search", NULL, FALSE,
    "Do not search for a way through a NAT that takes another port for each destination (at most 1024 small packets; never "
    "on a metered network)." },
  [CLI_OPT_LIMIT_RATE] = { CLI_OPT_LIMIT_RATE, 0, "limit-rate", "R", FALSE,
    "Send at most R bytes a second; K, M and G stand for 10^3, 10^6 and 10^9." },
  [CLI_OPT_TIMEOUT] = { CLI_OPT_TIMEOUT, 0, "timeout", "S", FALSE,
    "Give up after S seconds without the other side, or without any path to it." },
  [CLI_OPT_JSON] = { CLI_OPT_JSON, 0, "json", NULL, FALSE,
    "Write events to standard output, one JSON object a line; with pipe to standard error." },
  [CLI_OPT_EVENTS_FD] = { CLI_OPT_EVENTS_FD, 0, "events-fd", "N", FALSE, "Write events to the file descriptor N." },
  [CLI_OPT_QUIET] = { CLI_OPT_QUIET, 'q', "quiet", NULL, FALSE, "Write errors only (and the code, if nothing else tells it)." },
  [CLI_OPT_VERBOSE] = { CLI_OPT_VERBOSE, 'v', "verbose", NULL, FALSE, "Tell what is tried to find a path." },
  [CLI_OPT_CONFIG] = { CLI_OPT_CONFIG, 0, "config", "F", FALSE,
    "Read the configuration from F (default: $XDG_CONFIG_HOME/ice-session/config)." },
  [CLI_OPT_HELP] = { CLI_OPT_HELP, 'h', "help", NULL, FALSE, "Show help." },
};
/* clang-format on */

static const CliOption *
find_long (guint64 allowed, const char *name, gsize length)
{
  for (guint i = 0; i < CLI_N_OPTS; i++)
    if ((allowed & CLI_OPT_BIT (i)) != 0 && cli_options[i].long_name != NULL
        && strlen (cli_options[i].long_name) == length
        && strncmp (cli_options[i].long_name, name, length) == 0)
      return &cli_options[i];
  return NULL;
}

static const CliOption *
find_short (guint64 allowed, char name)
{
  for (guint i = 0; i < CLI_N_OPTS; i++)
    if ((allowed & CLI_OPT_BIT (i)) != 0 && cli_options[i].short_name == name)
      return &cli_options[i];
  return NULL;
}

static gboolean
store (CliArguments *self, const CliOption *option, const char *spelling, char *value, GError **error)
{
  if (self->values[option->id] == NULL)
    self->values[option->id] = g_ptr_array_new ();
  else if (option->argument != NULL && !option->repeatable)
    {
      g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT, "%s is given twice; give it once", spelling);
      return FALSE;
    }
  g_ptr_array_add (self->values[option->id], value);
  return TRUE;
}

/* The value of @option: @inline_value, or the next argument. */
static char *
take_value (const CliOption *option, const char *spelling, char *inline_value, char ***rest, GError **error)
{
  static char flag[] = "";

  if (option->argument == NULL)
    {
      if (inline_value == NULL)
        return flag;
      g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT, "%s takes no value", spelling);
      return NULL;
    }
  if (inline_value != NULL)
    return inline_value;
  if ((*rest)[0] != NULL)
    return *(*rest)++;
  g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT, "%s needs a value: %s %s", spelling, spelling,
               option->argument);
  return NULL;
}

static gboolean
unknown (const char *spelling, GError **error)
{
  g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
               "there is no option %s here; --help lists what there is", spelling);
  return FALSE;
}

static gboolean
parse_long (CliArguments *self, guint64 allowed, char *argument, char ***rest, GError **error)
{
  char *equals = strchr (argument, '=');
  gsize length = equals != NULL ? (gsize)(equals - argument) : strlen (argument);
  const CliOption *option = find_long (allowed, argument + 2, length - 2);
  g_autofree char *spelling = g_strndup (argument, length);
  char *value;

  if (option == NULL)
    return unknown (spelling, error);
  value = take_value (option, spelling, equals != NULL ? equals + 1 : NULL, rest, error);
  return value != NULL && store (self, option, spelling, value, error);
}

static gboolean
parse_cluster (CliArguments *self, guint64 allowed, char *argument, char ***rest, GError **error)
{
  for (char *p = argument + 1; *p != '\0'; p++)
    {
      const CliOption *option = find_short (allowed, *p);
      const char spelling[] = { '-', *p, '\0' };
      gboolean takes = option != NULL && option->argument != NULL;
      char *value;

      if (option == NULL)
        return unknown (spelling, error);
      value = take_value (option, spelling, takes && p[1] != '\0' ? p + 1 : NULL, rest, error);
      if (value == NULL || !store (self, option, spelling, value, error))
        return FALSE;
      if (takes)
        break;
    }
  return TRUE;
}

CliArguments *
cli_arguments_parse (guint64 allowed, int argc, char **argv, GError **error)
{
  g_autoptr (CliArguments) self = g_new0 (CliArguments, 1);
  char **rest = argv;
  gboolean only_operands = FALSE;

  self->operands = g_ptr_array_new ();
  while (rest < argv + argc && *rest != NULL)
    {
      char *argument = *rest++;
      gboolean good = TRUE;

      if (only_operands || argument[0] != '-' || argument[1] == '\0')
        g_ptr_array_add (self->operands, argument);
      else if (strcmp (argument, "--") == 0)
        only_operands = TRUE;
      else if (argument[1] == '-')
        good = parse_long (self, allowed, argument, &rest, error);
      else
        good = parse_cluster (self, allowed, argument, &rest, error);
      if (!good)
        return NULL;
    }
  return g_steal_pointer (&self);
}

void
cli_arguments_free (CliArguments *self)
{
  for (guint i = 0; i < CLI_N_OPTS; i++)
    g_clear_pointer (&self->values[i], g_ptr_array_unref);
  g_ptr_array_unref (self->operands);
  g_free (self);
}

gboolean
cli_arguments_has (const CliArguments *self, CliOptionId id)
{
  return self->values[id] != NULL;
}

const char *
cli_arguments_get (const CliArguments *self, CliOptionId id)
{
  return self->values[id] != NULL ? g_ptr_array_index (self->values[id], 0) : NULL;
}

static char **
to_strv (const GPtrArray *array)
{
  GPtrArray *copy = g_ptr_array_new ();

  for (guint i = 0; i < array->len; i++)
    g_ptr_array_add (copy, g_strdup (array->pdata[i]));
  g_ptr_array_add (copy, NULL);
  return (char **)g_ptr_array_free (copy, FALSE);
}

char **
cli_arguments_get_all (const CliArguments *self, CliOptionId id)
{
  return self->values[id] != NULL ? to_strv (self->values[id]) : NULL;
}

char **
cli_arguments_get_operands (const CliArguments *self)
{
  return to_strv (self->operands);
}
