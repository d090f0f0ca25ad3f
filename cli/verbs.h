/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/events.h"
#include "cli/options.h"
#include "cli/settings.h"
#include "cli/term.h"

G_BEGIN_DECLS

/* What every verb gets. */
typedef struct
{
  const struct _CliVerb *verb;
  CliArguments *arguments;
  CliSettings *settings;
  CliEvents *events;
  CliTerm *term;
} CliContext;

typedef struct _CliVerb
{
  const char *name; /* "forward serve" is two words */
  const char *synopsis;
  const char *summary;
  const char *details;
  guint64 options;
  int min_operands;
  int max_operands;         /* -1: any number */
  const char *operand_hint; /* what to do when the number is wrong */
  gboolean stdout_is_data;  /* events go to stderr */
  /* Returns the exit status; on an error that is not yet told sets *error. */
  int (*run) (CliContext *context, GError **error);
} CliVerb;

extern const CliVerb cli_verbs[];
extern const guint cli_n_verbs;

/* The verb that argv begins with; *n_words is the number of words of its name. Errors:
 * ICS_ERROR_INVALID_ARGUMENT. */
const CliVerb *cli_verbs_find (int argc, char **argv, int *n_words, GError **error);

int cli_verb_server (CliContext *context, GError **error);
int cli_verb_send (CliContext *context, GError **error);
int cli_verb_receive (CliContext *context, GError **error);
int cli_verb_pipe (CliContext *context, GError **error);
int cli_verb_media (CliContext *context, GError **error);
int cli_verb_probe (CliContext *context, GError **error);
int cli_verb_forward_serve (CliContext *context, GError **error);
int cli_verb_forward_connect (CliContext *context, GError **error);

/* Written from the tables to stdout. */
void cli_docs_help (void);
void cli_docs_help_verb (const CliVerb *verb);
void cli_docs_man (void);
void cli_docs_completion (void);

G_END_DECLS
