/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "session/engine.h"

G_BEGIN_DECLS

/* The I/O thread of one link: it owns the engine and ends by itself when the engine has finished, also when
 * the link is long gone. Events come back through the creator's main context. */
typedef struct _IcsLinkThread IcsLinkThread;

typedef enum
{
  ICS_LINK_EVENT_CODE,      /* text */
  ICS_LINK_EVENT_CONNECTED, /* text: peer's fingerprint; own, hub, path */
  ICS_LINK_EVENT_PATH,      /* path */
  ICS_LINK_EVENT_STALL,     /* ms */
  ICS_LINK_EVENT_WHY,       /* text, or NULL: why the path is not direct */
  ICS_LINK_EVENT_STREAM,    /* stream */
  ICS_LINK_EVENT_DATAGRAM,  /* bytes */
  ICS_LINK_EVENT_RECORD,    /* text */
  ICS_LINK_EVENT_CLOSED,    /* error */
  ICS_LINK_EVENT_FINISHED
} IcsLinkEventType;

typedef struct
{
  IcsLinkEventType type;
  char *text;
  char *own; /* fingerprint */
  IcsStreamHub *hub;
  IcsPathInfo *path;
  guint ms;
  IcsQuicStream *stream;
  GBytes *bytes;
  GError *error;
} IcsLinkEvent;

/* Starts the thread and the engine on it. @handler runs on @context; it gets a reference to @owner and is not
 * called any more once that is gone. */
IcsLinkThread *ics_link_thread_new (const IcsEngineConfig *config, GMainContext *context, GObject *owner,
                                    void (*handler) (GObject *owner, IcsLinkEvent *event));
void ics_link_thread_close (IcsLinkThread *self, guint64 code, const char *reason);
void ics_link_thread_set_policy (IcsLinkThread *self, IcsPathPolicy policy);
/* FALSE when too many are on their way. */
gboolean ics_link_thread_send_datagram (IcsLinkThread *self, GBytes *payload);
void ics_link_thread_open_media (IcsLinkThread *self, IcsMediaHub *hub, const char *profiles,
                                 gboolean log_keys);
/* The owner has given a stream on; those it keeps are bounded. */
void ics_link_thread_stream_taken (IcsLinkThread *self);
IcsLinkThread *ics_link_thread_ref (IcsLinkThread *self);
void ics_link_thread_unref (IcsLinkThread *self);

G_END_DECLS
