/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"
#include "config.h"
#include <stdio.h>
#include <string.h>

#define HELP_INDENT 26
#define HELP_WIDTH 96

typedef struct
{
  const char *name;
  const char *text;
} Row;

static const Row environment[] = {
  { "ICE_SESSION_SERVER", "The rendezvous server, if --server is not given." },
  { "ICE_SESSION_CODE", "The code to join with. It is removed from the environment at once." },
  { "ICE_SESSION_CONFIG", "The configuration file, if --config is not given." },
  { "NO_COLOR", "If set and not empty: no colours." },
};

static const Row exits[] = {
  { "0", "success" },
  { "1", "local I/O error" },
  { "2", "wrong usage" },
  { "3", "server unreachable, or it refused" },
  { "4", "no peer, or time-out" },
  { "5", "code or key rejected" },
  { "6", "required path not available" },
  { "7", "refused by the peer, or the offer was declined here" },
  { "8", "link lost" },
  { "9", "integrity: what arrived is not what was sent" },
  { "130, 143", "ended by SIGINT or SIGTERM, after a clean close" },
};

/* Prints @text from column @column on, broken at spaces. */
static void
print_wrapped (const char *text, int column)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  int used = column;

  for (guint i = 0; words[i] != NULL; i++)
    {
      int length = (int)strlen (words[i]);

      if (used > column && used + 1 + length > HELP_WIDTH)
        {
          printf ("\n%*s", column, "");
          used = column;
        }
      used += printf ("%s%s", used > column ? " " : "", words[i]);
    }
  putchar ('\n');
}

static char *
option_spelling (const CliOption *option)
{
  GString *text = g_string_new (NULL);

  if (option->short_name != '\0')
    g_string_append_printf (text, "-%c%s", option->short_name, option->long_name != NULL ? ", " : "");
  if (option->long_name != NULL)
    g_string_append_printf (text, "--%s", option->long_name);
  if (option->argument != NULL)
    g_string_append_printf (text, " %s", option->argument);
  return g_string_free (text, FALSE);
}

static void
print_row (const char *name, const char *text)
{
  int used = printf ("  %s", name);

  if (used + 2 > HELP_INDENT)
    printf ("\n%*s", HELP_INDENT, "");
  else
    printf ("%*s", HELP_INDENT - used, "");
  print_wrapped (text, HELP_INDENT);
}

static void
print_options (guint64 options)
{
  for (guint i = 0; i < CLI_N_OPTS; i++)
    {
      g_autofree char *spelling = option_spelling (&cli_options[i]);

      if ((options & CLI_OPT_BIT (i)) != 0)
        print_row (spelling, cli_options[i].help);
    }
}

void
cli_docs_help (void)
{
  puts ("Links two hosts through a rendezvous server at once, and moves to a direct path when there is "
        "one.\n\nVerbs:");
  for (guint i = 0; i < cli_n_verbs; i++)
    printf ("  ice-session %s %s\n", cli_verbs[i].name, cli_verbs[i].synopsis);
  puts ("\nOptions of every verb that makes a link:");
  print_options (CLI_OPTS_LINK);
  puts ("\nEnvironment:");
  for (guint i = 0; i < G_N_ELEMENTS (environment); i++)
    print_row (environment[i].name, environment[i].text);
  puts ("\nExit status:");
  for (guint i = 0; i < G_N_ELEMENTS (exits); i++)
    print_row (exits[i].name, exits[i].text);
  puts ("\nice-session help VERB tells more about one.");
}

void
cli_docs_help_verb (const CliVerb *verb)
{
  printf ("ice-session %s %s\n\n%s\n", verb->name, verb->synopsis, verb->summary);
  print_wrapped (verb->details, 0);
  puts ("\nOptions:");
  print_options (verb->options);
}

/* A hyphen of the program's is a minus, so that it can be searched and copied; a line may not begin with a
 * dot. */
static void
man_text (const char *text)
{
  if (*text == '.' || *text == '\'')
    fputs ("\\&", stdout);
  for (; *text != '\0'; text++)
    if (*text == '-')
      fputs ("\\-", stdout);
    else if (*text == '\\')
      fputs ("\\e", stdout);
    else
      putchar (*text);
}

static void
man_row (const char *name, const char *text)
{
  fputs (".TP\n.B ", stdout);
  man_text (name);
  putchar ('\n');
  man_text (text);
  putchar ('\n');
}

static void
man_options (guint64 options)
{
  for (guint i = 0; i < CLI_N_OPTS; i++)
    {
      g_autofree char *spelling = option_spelling (&cli_options[i]);

      if ((options & CLI_OPT_BIT (i)) != 0)
        man_row (spelling, cli_options[i].help);
    }
}

static void
man_verb (const CliVerb *verb)
{
  guint64 own = verb->options & ~CLI_OPTS_LINK;

  fputs (".SS ", stdout);
  man_text (verb->name);
  putchar ('\n');
  man_text (verb->summary);
  putchar ('\n');
  man_text (verb->details);
  putchar ('\n');
  man_options (own);
}

static void
man_rows (const char *title, const Row *rows, gsize n)
{
  printf (".SH %s\n", title);
  for (gsize i = 0; i < n; i++)
    man_row (rows[i].name, rows[i].text);
}

static void
man_synopsis (void)
{
  puts (".SH SYNOPSIS");
  for (guint i = 0; i < cli_n_verbs; i++)
    {
      fputs (i > 0 ? ".br\n.B ice\\-session " : ".B ice\\-session ", stdout);
      man_text (cli_verbs[i].name);
      putchar ('\n');
      man_text (cli_verbs[i].synopsis);
      putchar ('\n');
    }
}

static void
man_files (void)
{
  puts (".SH FILES");
  man_row ("$XDG_CONFIG_HOME/ice-session/config",
           "Key file. Group [ice-session]: server, path, turn (separated by ';'), turn-ca, timeout, "
           "limit-rate. Group "
           "[server]: listen, "
           "tls-cert, tls-key, public-address, turn, turn-secret-file, turn-allow-peer, turn-lifetime, "
           "state-dir. An option "
           "goes before the "
           "environment, the environment before the file.");
}

static void
man_events (void)
{
  puts (".SH EVENTS");
  man_text (
      "With --json one JSON object a line, each with \"v\" (1), \"type\" and \"at_ms\" (milliseconds "
      "since the program "
      "began). Types: listening (server: url), code, connected (peer), path (kind, transport, local, "
      "local_type, remote, "
      "remote_type, rtt_ms, reason: first, better, lost, policy, or roam when the peer's address changed), "
      "stall (ms: the longest pause in what was received around a move of the traffic), progress (file, "
      "bytes, total: of all files together), "
      "forwarding (bind, "
      "name), media (profile, sent, received, sent_rtcp, received_rtcp, lost: packets; dropped: packets by "
      "reason; once a second and at the end), record (line, with -v), why_not_direct (why: a sentence, when "
      "the session ends on a relay), "
      "probe (server, server_state: reachable, unreachable, captive or refusing, server_error, "
      "server_rtt_ms, "
      "proxy, local_addresses, mapped_addresses, udp, nat, mapping, mapping_varies, filtering, ports, "
      "hairpin, "
      "stun_rtt_ms, port_mapping: pcp, nat_pmp and upnp, each with maps (yes, no, unknown or not asked), "
      "address "
      "and error, relays: each with uri, transport, address, setup_ms, rtt_ms and error, verdict; what was "
      "not measured "
      "is "
      "\"unknown\", null or empty), done (bytes, sha256, channel_bytes, turn_bytes, direct_bytes), "
      "error (code, exit, "
      "message). The sha256 of several files is that of their contents one after the other, in the "
      "order of the offer. "
      "pipe's done counts both directions in bytes and the three sums, tells each in sent_bytes, "
      "received_bytes, "
      "sent_sha256 and received_sha256, and its sha256 is of what was received, or of what was sent if "
      "nothing was "
      "received. media's done counts RTP and RTCP of both directions in bytes and the three sums, tells each "
      "in "
      "sent_bytes and received_bytes, and comes before an error of the type interrupted too; its sha256 is "
      "null. "
      "Readers ignore types and fields they do not know.");
  putchar ('\n');
}

void
cli_docs_man (void)
{
  puts (".\\\" SPDX-License-Identifier: LGPL-2.1-or-later");
  puts (".\\\" Made from the tables of the program by ice-session --generate-man.");
  puts (".TH ICE\\-SESSION 1 \"\" \"ice\\-session " PACKAGE_VERSION "\" \"User Commands\"");
  puts (
      ".SH NAME\nice\\-session \\- links between two hosts that start on a relay and move to a direct path");
  man_synopsis ();
  puts (".SH DESCRIPTION");
  man_text ("Two hosts that both reach a rendezvous server are linked through it at once, end-to-end "
            "encrypted. In the "
            "background they look for a better path; when one proves itself the traffic moves to it "
            "unnoticed, and back when it fails. "
            "A code, NAMEPLATE-word-word, joins the two: without one a verb makes one and prints it, with "
            "one it joins. "
            "ICE_SESSION_CODE, --code-file and \"-\" as CODE, which asks for it, keep it out of the list of "
            "processes; a code "
            "among the arguments is accepted and wiped from them.");
  puts ("\n.SH VERBS");
  for (guint i = 0; i < cli_n_verbs; i++)
    man_verb (&cli_verbs[i]);
  puts (".SH OPTIONS");
  man_options (CLI_OPTS_LINK);
  man_rows ("ENVIRONMENT", environment, G_N_ELEMENTS (environment));
  man_files ();
  man_events ();
  man_rows ("EXIT STATUS", exits, G_N_ELEMENTS (exits));
}

static void
complete_options (guint64 options)
{
  for (guint i = 0; i < CLI_N_OPTS; i++)
    if ((options & CLI_OPT_BIT (i)) != 0)
      {
        if (cli_options[i].long_name != NULL)
          printf (" --%s", cli_options[i].long_name);
        else
          printf (" -%c", cli_options[i].short_name);
      }
}

/* The first words of the verbs, each once. */
static void
complete_verbs (void)
{
  const char *last = "";

  for (guint i = 0; i < cli_n_verbs; i++)
    {
      int length = (int)strcspn (cli_verbs[i].name, " ");

      if (strncmp (last, cli_verbs[i].name, (gsize)length) != 0)
        printf ("%.*s ", length, cli_verbs[i].name);
      last = cli_verbs[i].name;
    }
}

void
cli_docs_completion (void)
{
  puts ("# SPDX-License-Identifier: LGPL-2.1-or-later\n# Made from the tables of the program by ice-session "
        "--generate-completion.\n_ice_session ()\n{\n  local cur=${COMP_WORDS[COMP_CWORD]} "
        "verb=${COMP_WORDS[1]} words=\n"
        "  [ \"$verb\" = forward ] && [ $COMP_CWORD -gt 2 ] && verb=\"forward ${COMP_WORDS[2]}\"\n"
        "  if [ $COMP_CWORD -eq 1 ]; then");
  fputs ("    COMPREPLY=($(compgen -W \"", stdout);
  complete_verbs ();
  fputs ("help --help --version\" -- \"$cur\"))\n    return\n  fi\n  case $verb in\n    help) words=\"",
         stdout);
  complete_verbs ();
  puts ("\" ;;\n    forward) words=\"serve connect\" ;;");
  for (guint i = 0; i < cli_n_verbs; i++)
    {
      printf ("    '%s') words=\"", cli_verbs[i].name);
      complete_options (cli_verbs[i].options);
      puts ("\" ;;");
    }
  puts ("  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
        "complete -o default -F _ice_session ice-session");
}
