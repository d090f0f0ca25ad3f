/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/peer.h"
#include "cli/transfer.h"
#include "cli/verbs.h"
#include <session/ice-session.h>

G_BEGIN_DECLS

/* What all verbs that make a link share: the link, its code, its events, signals, and the clean end. */
typedef struct _CliSession CliSession;

/* The verb's own work, on a thread of its own, once the two hosts are joined. */
typedef gboolean (*CliWork) (CliSession *session, gpointer user_data, GCancellable *cancellable,
                             GError **error);

typedef struct
{
  const char *application;   /* "file/1" */
  char *operand;             /* the code among the arguments, or NULL; is wiped */
  gboolean writes_code;      /* a code file that is missing or empty gets the new code */
  const char *hint;          /* what the other host's user types, with %s for the code */
  gboolean leave_is_success; /* the peer or a signal may end it at any time */
  CliWork work;
  gpointer user_data;
  CliProgress *progress; /* (nullable) */
} CliJob;

/* Runs the whole. Returns the exit status; *error tells of what went wrong. */
int cli_session_run (CliContext *context, const CliJob *job, GError **error);

CliPeer *cli_session_get_peer (CliSession *self);
IcsLink *cli_session_get_link (CliSession *self);

G_END_DECLS
