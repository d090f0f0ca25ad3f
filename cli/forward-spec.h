/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define CLI_FORWARD_NAME_MAX 64
#define CLI_FORWARD_TARGETS_MAX 1000

/* What is offered under a name. */
typedef struct
{
  char *name;
  char *host; /* without brackets */
  guint16 port;
} CliTarget;

/* What is listened on for a name. */
typedef struct
{
  char *bind; /* an address, without brackets */
  guint16 port;
  char *name;
} CliListen;

/* "[NAME=]HOST:PORT" or "[NAME=]PORT"; IPv6 in brackets. NAME defaults to the port, HOST to localhost.
 * Errors: ICS_ERROR_INVALID_ARGUMENT. */
CliTarget *cli_target_parse (const char *text, GError **error);
void cli_target_free (CliTarget *self);
/* All of them; no name twice. Elements: CliTarget. */
GPtrArray *cli_targets_parse (char **texts, GError **error);
CliTarget *cli_targets_find (GPtrArray *targets, const char *name);

/* "[BIND:]PORT:NAME". */
CliListen *cli_listen_parse (const char *text, GError **error);
void cli_listen_free (CliListen *self);
GPtrArray *cli_listens_parse (char **texts, GError **error);

gboolean cli_forward_name_is_valid (const char *name);

/* "HOST:PORT" with IPv6 in brackets; @host is (transfer full). */
gboolean cli_host_port_parse (const char *text, gboolean allow_zero, char **host, guint16 *port);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliTarget, cli_target_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliListen, cli_listen_free)

G_END_DECLS
