/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"
#include "base/ics-error.h"
#include <string.h>

#define BIT CLI_OPT_BIT

/* clang-format off */
const CliVerb cli_verbs[] = {
  { "server", "[--listen ADDR:PORT]... [--tls-cert F --tls-key F]",
    "Run a rendezvous server.",
    "Serves until SIGTERM or SIGINT. Starts a TURN server as a child when turnserver is installed and no other one is named. "
    "In the configuration file its options stand under [server].",
    CLI_OPTS_COMMON | BIT (CLI_OPT_LISTEN) | BIT (CLI_OPT_TLS_CERT) | BIT (CLI_OPT_TLS_KEY) | BIT (CLI_OPT_PUBLIC_ADDRESS)
      | BIT (CLI_OPT_SERVER_TURN) | BIT (CLI_OPT_TURN_SECRET_FILE) | BIT (CLI_OPT_TURN_ALLOW_PEER)
      | BIT (CLI_OPT_TURN_LIFETIME) | BIT (CLI_OPT_STATE_DIR),
    0, 0, "server takes no operand; see ice-session help server", FALSE, cli_verb_server },
  { "send", "FILE|DIR... [--code-file F]",
    "Send files and folders.",
    "Makes a code for the receiver, or joins with the one in ICE_SESSION_CODE or the code file. Folders are sent with all that is in "
    "them, except symbolic links and what is no regular file; a file or folder named as an operand may be a link. Ends "
    "when the receiver has verified the SHA-256 of every file.",
    CLI_OPTS_LINK,
    1, -1, "say what to send: ice-session send FILE|DIR...", FALSE, cli_verb_send },
  { "receive", "[CODE] [-o DIR] [--yes]",
    "Receive files and folders.",
    "Nothing that exists is overwritten unless --overwrite is given. What is under way lies in a hidden folder .NAME.ice-session-partial-XXXXXX "
    "within the target folder, moves into place when all of it is verified, and is removed on a failure. On a terminal the "
    "offer has to be accepted; without one it is, for giving the code was the consent. The names of what was received are "
    "written to standard output, one a line.",
    CLI_OPTS_LINK | BIT (CLI_OPT_OUTPUT) | BIT (CLI_OPT_YES) | BIT (CLI_OPT_OVERWRITE),
    0, 1, "receive takes one code at most: ice-session receive [CODE]", FALSE, cli_verb_receive },
  { "pipe", "[CODE] [--tcp HOST:PORT | --unix PATH]",
    "Join standard input and output of two hosts.",
    "What comes in on one host's standard input goes out on the other's standard output, in both directions. Each direction ends on "
    "its own; the program ends when both have ended and both hosts have agreed on the SHA-256. With --json the events go to "
    "standard error, which people's messages then leave.",
    CLI_OPTS_LINK | BIT (CLI_OPT_TCP) | BIT (CLI_OPT_UNIX),
    0, 1, "pipe takes one code at most: ice-session pipe [CODE]", TRUE, cli_verb_pipe },
  { "media", "[CODE] --rtp-in PORT... --rtp-out HOST:PORT...",
    "Carry RTP, as video and audio, between two hosts.",
    "RTP and RTCP packets that local applications send to --rtp-in come out at the other host's --rtp-out, both ways, protected as SRTP. "
    "Several of both carry several media: what the first --rtp-in takes goes to the first --rtp-out of the other host, and so on; "
    "where there is but one --rtp-out, all goes there. Packets are not repeated, ordered or slowed down; the largest may have 1420 bytes, "
    "and up to 1180 pass on every path. Runs until it is interrupted or the other side leaves.",
    CLI_OPTS_LINK | BIT (CLI_OPT_RTP_IN) | BIT (CLI_OPT_RTP_OUT) | BIT (CLI_OPT_RTCP_MUX) | BIT (CLI_OPT_SRTP_PROFILE)
      | BIT (CLI_OPT_SRTP_KEY_LOG),
    0, 1, "media takes one code at most: ice-session media [CODE] --rtp-in PORT --rtp-out HOST:PORT", FALSE, cli_verb_media },
  { "probe", "",
    "Tell what this network allows.",
    "Asks the rendezvous server, and the STUN and TURN servers that it names, and tells: whether they answer, under which addresses this "
    "host is seen, how the NAT maps and filters (RFC 4787; \"unknown\" where it can not be measured: a server with two addresses "
    "is needed for all of it), by which protocols this network's router maps a port (it is asked for one, which it gets back at once), "
    "which relays can be had over UDP, TCP and TLS, and in one line what to expect. On standard output, with --json as one object.",
    CLI_OPTS_COMMON | BIT (CLI_OPT_SERVER) | BIT (CLI_OPT_IPV4) | BIT (CLI_OPT_IPV6) | BIT (CLI_OPT_TURN) | BIT (CLI_OPT_TURN_CA)
      | BIT (CLI_OPT_NO_PORT_MAPPING),
    0, 0, "probe takes no operand; see ice-session help probe", FALSE, cli_verb_probe },
  { "forward serve", "[NAME=]HOST:PORT|[NAME=]PORT...",
    "Offer TCP services to the other host.",
    "Only what is named can be reached. NAME defaults to the port number, HOST to localhost. Ends when the other host leaves.",
    CLI_OPTS_LINK,
    1, -1, "say what to offer: ice-session forward serve [NAME=]HOST:PORT...", FALSE, cli_verb_forward_serve },
  { "forward connect", "[CODE] -L [BIND:]PORT:NAME...",
    "Reach the TCP services that the other host offers.",
    "Listens on this host; each connection becomes a stream of the link. Up to 63 at once; more wait.",
    CLI_OPTS_LINK | BIT (CLI_OPT_LOCAL),
    0, 1, "forward connect takes one code at most", FALSE, cli_verb_forward_connect },
};
/* clang-format on */

const guint cli_n_verbs = G_N_ELEMENTS (cli_verbs);

/* How many words of argv the verb's name takes; 0 when they differ. */
static int
match (const CliVerb *verb, int argc, char **argv)
{
  g_auto (GStrv) words = g_strsplit (verb->name, " ", -1);
  int n = (int)g_strv_length (words);

  for (int i = 0; i < n; i++)
    if (i >= argc || strcmp (words[i], argv[i]) != 0)
      return 0;
  return n;
}

const CliVerb *
cli_verbs_find (int argc, char **argv, int *n_words, GError **error)
{
  for (guint i = 0; i < cli_n_verbs; i++)
    {
      *n_words = match (&cli_verbs[i], argc, argv);
      if (*n_words > 0)
        return &cli_verbs[i];
    }
  if (argc == 0)
    g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
                 "say what to do; ice-session --help lists the verbs");
  else if (strcmp (argv[0], "forward") == 0)
    g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
                 "say which end this is: ice-session forward serve, or ice-session forward connect");
  else
    g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
                 "there is no verb \"%s\"; ice-session --help lists the verbs", argv[0]);
  return NULL;
}
