/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "session/ics-link.h"
#include "session/link-thread.h"

G_BEGIN_DECLS

/* Between ics-link.c, which does what a link does, ics-link-events.c, which tells what happens to it, and
 * ics-link-object.c and ics-link-properties.c, which say what it is to GObject. */

struct _IcsLink
{
  GObject parent_instance;

  GMainContext *context; /* the creator's */
  char *server_uri;
  char *application;
  IcsChannel *channel;
  char *nameplate;
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
  char *fingerprint, *peer_fingerprint;
  IcsTally *tally;
  IcsPathInfo *path;
  char *why_not_direct;
  GQueue record; /* char *, bounded */
  GTask *connect_task;
  gulong cancel_handler; /* on the cancellable of connect_task */
  GQueue close_tasks;    /* GTask that wait for the end */
  GTask *accept_task;
  GQueue incoming; /* IcsStream nobody took yet */
  gint closed;     /* atomic: streams are opened from any thread */
  gint has_media;  /* atomic */
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

void ics_link_install_properties (GObjectClass *klass);
void ics_link_handle_event (GObject *owner, IcsLinkEvent *event);
/* Answers who waits for a stream, if there is one or the link has ended. */
void ics_link_finish_accept (IcsLink *self);
/* Calls @on_cancelled (task) on the link's context until ics_link_unwatch_cancel(). */
void ics_link_watch_cancel (IcsLink *self, GTask *task, GCancellableSourceFunc on_cancelled);
void ics_link_unwatch_cancel (GTask *task);

G_END_DECLS
