/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "session/ics-link.h"
#include "session/link-thread.h"

G_BEGIN_DECLS

/* Between ics-link.c, which does what a link does, and ics-link-object.c, which says what it is to GObject.
 */

struct _IcsLink
{
  GObject parent_instance;

  GMainContext *context; /* the creator's */
  char *server_uri;
  char *application;
  IcsChannel *channel;
  IcsPathPolicy policy;
  int family;
  char **turn_uris;
  gboolean no_server_turn;
  gboolean no_port_mapping;
  char *turn_ca_file;
  gboolean no_port_search;
  guint timeout_ms, handshake_timeout_ms;

  IcsLinkThread *thread;
  IcsStreamHub *hub; /* set once, when connected */
  char *code;
  char *peer_fingerprint;
  IcsPathInfo *path;
  char *why_not_direct;
  GQueue record; /* char *, bounded */
  GTask *connect_task;
  gulong cancel_handler; /* on the cancellable of connect_task */
  GTask *close_task;
  GTask *accept_task;
  GSource *close_cancel, *accept_cancel; /* NULL: not cancellable */
  GQueue incoming;                       /* IcsStream nobody took yet */
  gint closed;                           /* atomic: streams are opened from any thread */
  gboolean finished;
  GError *close_error;
};

typedef enum
{
  ICS_LINK_SIGNAL_CODE,
  ICS_LINK_SIGNAL_PATH_CHANGED,
  ICS_LINK_SIGNAL_STALL,
  ICS_LINK_SIGNAL_INCOMING_STREAM,
  ICS_LINK_SIGNAL_DATAGRAM,
  ICS_LINK_SIGNAL_RECORD,
  ICS_LINK_SIGNAL_CLOSED,
  ICS_LINK_N_SIGNALS
} IcsLinkSignal;

extern guint ics_link_signals[ICS_LINK_N_SIGNALS];

G_END_DECLS
