/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Every option of the program. The order is that of the help. */
typedef enum
{
  CLI_OPT_OUTPUT,
  CLI_OPT_YES,
  CLI_OPT_OVERWRITE,
  CLI_OPT_TCP,
  CLI_OPT_UNIX,
  CLI_OPT_LOCAL,
  CLI_OPT_RTP_IN,
  CLI_OPT_RTP_OUT,
  CLI_OPT_RTCP_MUX,
  CLI_OPT_SRTP_PROFILE,
  CLI_OPT_SRTP_KEY_LOG,
  CLI_OPT_CODE_FILE,
  CLI_OPT_LISTEN,
  CLI_OPT_TLS_CERT,
  CLI_OPT_TLS_KEY,
  CLI_OPT_PUBLIC_ADDRESS,
  CLI_OPT_SERVER_TURN,
  CLI_OPT_TURN_SECRET_FILE,
  CLI_OPT_TURN_ALLOW_PEER,
  CLI_OPT_TURN_LIFETIME,
  CLI_OPT_STATE_DIR,
  CLI_OPT_SERVER,
  CLI_OPT_PATH,
  CLI_OPT_IPV4,
  CLI_OPT_IPV6,
  CLI_OPT_TURN,
  CLI_OPT_TURN_CA,
  CLI_OPT_NO_PORT_MAPPING,
  CLI_OPT_NO_PORT_SEARCH,
  CLI_OPT_LIMIT_RATE,
  CLI_OPT_TIMEOUT,
  CLI_OPT_JSON,
  CLI_OPT_EVENTS_FD,
  CLI_OPT_QUIET,
  CLI_OPT_VERBOSE,
  CLI_OPT_CONFIG,
  CLI_OPT_HELP,
  CLI_N_OPTS
} CliOptionId;

#define CLI_OPT_BIT(id) (G_GUINT64_CONSTANT (1) << (id))
/* Those of every verb, and those of every verb that makes a link. */
#define CLI_OPTS_COMMON                                                                                      \
  (CLI_OPT_BIT (CLI_OPT_JSON) | CLI_OPT_BIT (CLI_OPT_EVENTS_FD) | CLI_OPT_BIT (CLI_OPT_QUIET)                \
   | CLI_OPT_BIT (CLI_OPT_VERBOSE) | CLI_OPT_BIT (CLI_OPT_CONFIG) | CLI_OPT_BIT (CLI_OPT_HELP))
#define CLI_OPTS_LINK                                                                                        \
  (CLI_OPTS_COMMON | CLI_OPT_BIT (CLI_OPT_CODE_FILE) | CLI_OPT_BIT (CLI_OPT_SERVER)                          \
   | CLI_OPT_BIT (CLI_OPT_PATH) | CLI_OPT_BIT (CLI_OPT_IPV4) | CLI_OPT_BIT (CLI_OPT_IPV6)                    \
   | CLI_OPT_BIT (CLI_OPT_TURN) | CLI_OPT_BIT (CLI_OPT_TURN_CA) | CLI_OPT_BIT (CLI_OPT_NO_PORT_MAPPING)      \
   | CLI_OPT_BIT (CLI_OPT_NO_PORT_SEARCH) | CLI_OPT_BIT (CLI_OPT_LIMIT_RATE) | CLI_OPT_BIT (CLI_OPT_TIMEOUT))

typedef struct
{
  CliOptionId id;
  char short_name;       /* '\0': none */
  const char *long_name; /* NULL: none */
  const char *argument;  /* NULL: a flag */
  gboolean repeatable;
  const char *help;
} CliOption;

/* By id. */
extern const CliOption cli_options[CLI_N_OPTS];

/* A parsed command line. The strings point into argv. */
typedef struct
{
  GPtrArray *values[CLI_N_OPTS]; /* of char *, NULL where not given; a flag's value is "" */
  GPtrArray *operands;
} CliArguments;

/* Parses argv[0..argc), which begins after the verb; only the options in the bit set @allowed exist. Errors:
 * ICS_ERROR_INVALID_ARGUMENT with a sentence for people. */
CliArguments *cli_arguments_parse (guint64 allowed, int argc, char **argv, GError **error);
void cli_arguments_free (CliArguments *self);
gboolean cli_arguments_has (const CliArguments *self, CliOptionId id);
/* The value, the first one of a repeatable option; NULL if not given. */
const char *cli_arguments_get (const CliArguments *self, CliOptionId id);
/* All values, NULL-terminated (transfer full), NULL if not given. */
char **cli_arguments_get_all (const CliArguments *self, CliOptionId id);
char **cli_arguments_get_operands (const CliArguments *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliArguments, cli_arguments_free)

G_END_DECLS
