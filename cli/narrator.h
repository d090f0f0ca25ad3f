/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/transfer.h"
#include "cli/verbs.h"
#include <session/ice-session.h>

G_BEGIN_DECLS

/* Tells what happens on a link, as events and to people. */
typedef struct
{
  CliContext *context;
  char *host;          /* of the server */
  gint64 connected_us; /* 0: not yet */
  IcsPathKind kind;    /* where the traffic is */
  char *path_text;     /* the first path, until it is told with "connected" */
} CliNarrator;

void cli_narrator_init (CliNarrator *self, CliContext *context);
void cli_narrator_clear (CliNarrator *self);

void cli_narrator_code (CliNarrator *self, const char *code, const char *hint);
void cli_narrator_connected (CliNarrator *self, const char *fingerprint, IcsPathInfo *path);
void cli_narrator_path (CliNarrator *self, IcsPathInfo *path);
void cli_narrator_stall (CliNarrator *self, guint ms);
void cli_narrator_record (CliNarrator *self, const char *line);
/* The state of a transfer, at most a few times a second; @last for the one at the end. */
/* At the end of a session that did not end on a direct path; people see it in the record. */
void cli_narrator_why_not_direct (CliNarrator *self, const char *why);
void cli_narrator_progress (CliNarrator *self, CliProgress *progress, gboolean last);

/* The "done" event with the fields that all transfers have. @sha256: (nullable). (transfer full) */
JsonObject *cli_narrator_new_done (guint64 bytes, const char *sha256,
                                   const guint64 by_kind[ICS_N_PATH_KINDS]);
/* "97% direct" */
char *cli_narrator_share (const guint64 by_kind[ICS_N_PATH_KINDS]);

G_END_DECLS
