/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/link-thread.h"

#include "base/secret.h"
#include "session/record.h"

#define MAX_POSTED_DATAGRAMS 64
/* What the peer can cause waits for an owner that is busy, within bounds: datagrams may be lost, a record
 * keeps no more lines, and more streams than QUIC allows at once wait only if the peer gave most of them up.
 */
#define MAX_WAITING_DATAGRAMS 256
#define MAX_WAITING_LINES ICS_RECORD_MAX_LINES
#define MAX_WAITING_STREAMS 256
/* Application error code of a stream that found no room. */
#define STREAM_REFUSED_CODE 0

struct _IcsLinkThread
{
  gatomicrefcount refs;
  GMainContext *io_context;
  GMainContext *owner_context;
  GMainLoop *loop;
  IcsEngine *engine; /* on the I/O thread */
  GMutex lock;
  gboolean ended; /* under the lock: nobody serves io_context any more */
  gint datagrams; /* posted and not yet queued */
  /* Atomic: events that the owner has not taken yet. */
  gint waiting_datagrams, waiting_lines, waiting_streams;
  GWeakRef owner;
  void (*handler) (GObject *owner, IcsLinkEvent *event);
  /* Set up here, made into an engine on the thread. */
  IcsEngineConfig config;
  char *server_uri, *nameplate, *code, *application;
  char **turn_uris;
};

IcsLinkThread *
ics_link_thread_ref (IcsLinkThread *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
ics_link_thread_unref (IcsLinkThread *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_weak_ref_clear (&self->owner);
  g_mutex_clear (&self->lock);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->io_context);
  g_main_context_unref (self->owner_context);
  g_clear_object (&self->config.channel);
  g_clear_object (&self->config.turn_ca);
  ics_tally_unref (self->config.tally);
  g_free (self->server_uri);
  g_free (self->nameplate);
  ics_secret_free (self->code);
  g_free (self->application);
  g_strfreev (self->turn_uris);
  g_free (self);
}

/* --- events to the owner --- */

typedef struct
{
  IcsLinkThread *thread;
  IcsLinkEvent event;
} Posted;

/* Counts what waits; NULL when that is bounded by other means. A stream is counted until it is taken. */
static gint *
counter_of (IcsLinkThread *self, IcsLinkEventType type, gint *max)
{
  switch (type)
    {
    case ICS_LINK_EVENT_DATAGRAM:
      *max = MAX_WAITING_DATAGRAMS;
      return &self->waiting_datagrams;
    case ICS_LINK_EVENT_RECORD:
      *max = MAX_WAITING_LINES;
      return &self->waiting_lines;
    case ICS_LINK_EVENT_STREAM:
      *max = MAX_WAITING_STREAMS;
      return &self->waiting_streams;
    case ICS_LINK_EVENT_CODE:
    case ICS_LINK_EVENT_CONNECTED:
    case ICS_LINK_EVENT_PATH:
    case ICS_LINK_EVENT_STALL:
    case ICS_LINK_EVENT_WHY:
    case ICS_LINK_EVENT_CLOSED:
    case ICS_LINK_EVENT_FINISHED:
      return NULL;
    }
  return NULL;
}

void
ics_link_thread_stream_taken (IcsLinkThread *self)
{
  g_atomic_int_add (&self->waiting_streams, -1);
}

static void
posted_free (gpointer data)
{
  Posted *posted = data;
  gint max, *counter = counter_of (posted->thread, posted->event.type, &max);

  if (counter != NULL && posted->event.type != ICS_LINK_EVENT_STREAM)
    g_atomic_int_add (counter, -1);
  g_free (posted->event.text);
  g_free (posted->event.own);
  g_clear_pointer (&posted->event.hub, ics_stream_hub_unref);
  g_clear_pointer (&posted->event.path, ics_path_info_unref);
  g_clear_pointer (&posted->event.stream, ics_quic_stream_unref);
  g_clear_pointer (&posted->event.bytes, g_bytes_unref);
  g_clear_error (&posted->event.error);
  ics_link_thread_unref (posted->thread);
  g_free (posted);
}

static gboolean
deliver (gpointer data)
{
  Posted *posted = data;
  g_autoptr (GObject) owner = g_weak_ref_get (&posted->thread->owner);

  if (owner != NULL)
    posted->thread->handler (owner, &posted->event);
  return G_SOURCE_REMOVE;
}

/* Always through the main loop, so that events keep their order. */
static void
post (GMainContext *context, GSourceFunc func, gpointer data, GDestroyNotify destroy)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, func, data, destroy);
  g_source_attach (source, context);
}

/* Takes what @event holds. FALSE when there is no room for it. */
static gboolean
emit (IcsLinkThread *self, const IcsLinkEvent *event)
{
  gint max = 0, *counter = counter_of (self, event->type, &max);
  Posted *posted = g_new0 (Posted, 1);

  posted->thread = ics_link_thread_ref (self);
  posted->event = *event;
  if (counter != NULL && g_atomic_int_add (counter, 1) >= max)
    {
      if (event->type == ICS_LINK_EVENT_STREAM)
        ics_link_thread_stream_taken (self);
      posted_free (posted);
      return FALSE;
    }
  post (self->owner_context, deliver, posted, posted_free);
  return TRUE;
}

static void
on_code (const char *code, gpointer self)
{
  emit (self, &(IcsLinkEvent){ .type = ICS_LINK_EVENT_CODE, .text = g_strdup (code) });
}

static void
on_connected (IcsStreamHub *hub, const char *own, const char *peer, IcsPathInfo *path, gpointer self)
{
  emit (self, &(IcsLinkEvent){ .type = ICS_LINK_EVENT_CONNECTED,
                               .text = g_strdup (peer),
                               .own = g_strdup (own),
                               .path = ics_path_info_ref (path),
                               .hub = ics_stream_hub_ref (hub) });
}

static void
on_path (IcsPathInfo *path, gpointer self)
{
  emit (self, &(IcsLinkEvent){ .type = ICS_LINK_EVENT_PATH, .path = ics_path_info_ref (path) });
}

static void
on_stall (guint ms, gpointer self)
{
  emit (self, &(IcsLinkEvent){ .type = ICS_LINK_EVENT_STALL, .ms = ms });
}

static void
on_why_not_direct (const char *why, gpointer self)
{
  emit (self, &(IcsLinkEvent){ .type = ICS_LINK_EVENT_WHY, .text = g_strdup (why) });
}

static void
on_stream (IcsQuicStream *stream, gpointer self)
{
  if (!emit (self, &(IcsLinkEvent){ .type = ICS_LINK_EVENT_STREAM, .stream = ics_quic_stream_ref (stream) }))
    ics_quic_stream_reset (stream, STREAM_REFUSED_CODE);
}

static void
on_datagram (GBytes *payload, gpointer self)
{
  if (!emit (self, &(IcsLinkEvent){ .type = ICS_LINK_EVENT_DATAGRAM, .bytes = g_bytes_ref (payload) }))
    ics_tally_add_datagram (((IcsLinkThread *)self)->config.tally, ICS_TALLY_MISSED);
}

static void
on_record (const char *line, gpointer self)
{
  emit (self, &(IcsLinkEvent){ .type = ICS_LINK_EVENT_RECORD, .text = g_strdup (line) });
}

static void
on_closed (const GError *error, gpointer self)
{
  emit (self, &(IcsLinkEvent){ .type = ICS_LINK_EVENT_CLOSED,
                               .error = error != NULL ? g_error_copy (error) : NULL });
}

static void
on_finished (gpointer user_data)
{
  IcsLinkThread *self = user_data;

  g_main_loop_quit (self->loop);
}

static const IcsEngineCallbacks callbacks = {
  .code = on_code,
  .connected = on_connected,
  .path = on_path,
  .stall = on_stall,
  .why_not_direct = on_why_not_direct,
  .stream = on_stream,
  .datagram = on_datagram,
  .record = on_record,
  .closed = on_closed,
  .finished = on_finished,
};

static gpointer
thread_main (gpointer data)
{
  IcsLinkThread *self = data;

  g_main_context_push_thread_default (self->io_context);
  self->engine = ics_engine_new (&self->config, &callbacks, self);
  ics_engine_start (self->engine);
  g_main_loop_run (self->loop);
  ics_engine_free (g_steal_pointer (&self->engine));
  g_mutex_lock (&self->lock);
  self->ended = TRUE;
  g_mutex_unlock (&self->lock);
  /* What libraries still have to finish in this context, they finish now. */
  while (g_main_context_iteration (self->io_context, FALSE))
    continue;
  g_main_context_pop_thread_default (self->io_context);
  emit (self, &(IcsLinkEvent){ .type = ICS_LINK_EVENT_FINISHED });
  ics_link_thread_unref (self);
  return NULL;
}

IcsLinkThread *
ics_link_thread_new (const IcsEngineConfig *config, GMainContext *context, GObject *owner,
                     void (*handler) (GObject *owner, IcsLinkEvent *event))
{
  IcsLinkThread *self = g_new0 (IcsLinkThread, 1);

  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  g_weak_ref_init (&self->owner, owner);
  self->owner_context = g_main_context_ref (context);
  self->io_context = g_main_context_new ();
  self->loop = g_main_loop_new (self->io_context, FALSE);
  self->handler = handler;
  self->config = *config;
  self->config.tally = ics_tally_ref (config->tally);
  self->config.channel = config->channel != NULL ? g_object_ref (config->channel) : NULL;
  self->config.turn_ca = config->turn_ca != NULL ? g_object_ref (config->turn_ca) : NULL;
  self->config.server_uri = self->server_uri = g_strdup (config->server_uri);
  self->config.nameplate = self->nameplate = g_strdup (config->nameplate);
  self->config.code = self->code = g_strdup (config->code);
  self->config.application = self->application = g_strdup (config->application);
  self->turn_uris = g_strdupv ((char **)config->turn_uris);
  self->config.turn_uris = (const char *const *)self->turn_uris;
  g_thread_unref (g_thread_new ("ice-session", thread_main, ics_link_thread_ref (self)));
  return self;
}

/* --- calls to the engine --- */

typedef struct
{
  IcsLinkThread *thread;
  guint64 code;
  char *text; /* a reason, profiles */
  GBytes *payload;
  IcsPathPolicy policy;
  IcsMediaHub *hub;
  gboolean log_keys;
} Call;

static void
call_free (gpointer data)
{
  Call *call = data;

  ics_link_thread_unref (call->thread);
  g_free (call->text);
  g_clear_pointer (&call->payload, g_bytes_unref);
  g_clear_pointer (&call->hub, ics_media_hub_unref);
  g_free (call);
}

static gboolean
do_close (gpointer data)
{
  Call *call = data;

  if (call->thread->engine != NULL)
    ics_engine_close (call->thread->engine, call->code, call->text);
  return G_SOURCE_REMOVE;
}

static gboolean
do_set_policy (gpointer data)
{
  Call *call = data;

  if (call->thread->engine != NULL)
    ics_engine_set_policy (call->thread->engine, call->policy);
  return G_SOURCE_REMOVE;
}

static gboolean
do_send_datagram (gpointer data)
{
  Call *call = data;

  g_atomic_int_add (&call->thread->datagrams, -1);
  if (call->thread->engine != NULL)
    ics_engine_send_datagram (call->thread->engine, call->payload);
  return G_SOURCE_REMOVE;
}

static gboolean
do_open_media (gpointer data)
{
  Call *call = data;

  if (call->thread->engine != NULL)
    ics_engine_open_media (call->thread->engine, call->hub, call->text, call->log_keys);
  else
    ics_media_hub_end (call->hub);
  return G_SOURCE_REMOVE;
}

/* A call that nobody would serve is dropped: it would keep its thread's context, which would keep it. */
static void
post_call (Call *call, GSourceFunc func)
{
  IcsLinkThread *self = ics_link_thread_ref (call->thread);
  gboolean ended;

  g_mutex_lock (&self->lock);
  ended = self->ended;
  if (!ended)
    post (self->io_context, func, call, call_free);
  g_mutex_unlock (&self->lock);
  if (ended && call->hub != NULL)
    ics_media_hub_end (call->hub);
  if (ended)
    call_free (call);
  ics_link_thread_unref (self);
}

static Call *
call_new (IcsLinkThread *self)
{
  Call *call = g_new0 (Call, 1);

  call->thread = ics_link_thread_ref (self);
  return call;
}

void
ics_link_thread_close (IcsLinkThread *self, guint64 code, const char *reason)
{
  Call *call = call_new (self);

  call->code = code;
  call->text = g_strdup (reason);
  post_call (call, do_close);
}

void
ics_link_thread_set_policy (IcsLinkThread *self, IcsPathPolicy policy)
{
  Call *call = call_new (self);

  call->policy = policy;
  post_call (call, do_set_policy);
}

gboolean
ics_link_thread_send_datagram (IcsLinkThread *self, GBytes *payload)
{
  Call *call;

  if (g_atomic_int_get (&self->datagrams) >= MAX_POSTED_DATAGRAMS)
    {
      ics_tally_add_datagram (self->config.tally, ICS_TALLY_UNSENT);
      return FALSE;
    }
  g_atomic_int_inc (&self->datagrams);
  call = call_new (self);
  call->payload = g_bytes_ref (payload);
  post_call (call, do_send_datagram);
  return TRUE;
}

void
ics_link_thread_open_media (IcsLinkThread *self, IcsMediaHub *hub, const char *profiles, gboolean log_keys)
{
  Call *call = call_new (self);

  call->hub = ics_media_hub_ref (hub);
  call->text = g_strdup (profiles);
  call->log_keys = log_keys;
  post_call (call, do_open_media);
}
