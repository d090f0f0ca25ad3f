/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/ics-types.h"
#include "cli/options.h"
#include "cli/term.h"

G_BEGIN_DECLS

/* What the command line, the environment and the configuration file say, in this order of precedence. */
typedef struct
{
  char *server; /* NULL: none given */
  IcsPathPolicy policy;
  int family; /* 0, 4, 6 */
  char **turn_uris;
  gboolean no_server_turn;
  gboolean no_port_mapping;
  char *turn_ca;      /* a file; NULL: none given */
  gboolean no_port_search;
  guint64 limit_rate; /* bytes a second, 0 = none */
  guint timeout_ms;   /* 0 = default */
  gboolean json;
  int events_fd; /* -1: none */
  gboolean quiet;
  gboolean verbose;
  char *code_file;
  char *code;       /* from ICE_SESSION_CODE */
  GKeyFile *config; /* empty when there is no file */
} CliSettings;

#define CLI_CONFIG_GROUP "ice-session"
#define CLI_CONFIG_GROUP_SERVER "server"

/* Takes ICE_SESSION_CODE out of the environment and secrets out of the arguments. */
CliSettings *cli_settings_new (const CliArguments *arguments, GError **error);
void cli_settings_free (CliSettings *self);

/* The server, checked. Errors: ICS_ERROR_INVALID_ARGUMENT, which tells how to give one. */
gboolean cli_settings_check_server (const CliSettings *self, GError **error);

/* All values of a repeatable option, else those of @key in the [server] group. (transfer full) (nullable) */
char **cli_settings_get_list (const CliSettings *self, const CliArguments *arguments, CliOptionId id,
                              const char *key);
char *cli_settings_get_string (const CliSettings *self, const CliArguments *arguments, CliOptionId id,
                               const char *key);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliSettings, cli_settings_free)

G_END_DECLS
