/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/nice-leg-private.h"
#include "agent/nice-sockets.h"
#include "base/timeout.h"

/* How long the end of a leg waits for an allocation that is under way. */
#define ALLOCATION_PATIENCE_MS 1000

static void
attach (IcsNiceLeg *self, GSource *source, GSourceFunc func)
{
  g_source_set_callback (source, func, self, NULL);
  g_source_attach (source, self->context);
}

static void
attach_idle (IcsNiceLeg *self, GSourceFunc func)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  attach (self, source, func);
}

static gboolean
finish (gpointer user_data)
{
  IcsNiceLeg *self = user_data;
  void (*closed) (gpointer) = self->closed;
  gpointer closed_data = self->closed_data;

  nice_agent_remove_stream (self->agent, self->stream);
  g_object_unref (self->agent);
  g_main_context_unref (self->context);
  g_free (self);
  if (closed != NULL)
    closed (closed_data);
  return G_SOURCE_REMOVE;
}

/* This may run inside a callback of libnice that goes on to use the stream. */
static void
on_closed (G_GNUC_UNUSED GObject *source, G_GNUC_UNUSED GAsyncResult *result, gpointer user_data)
{
  attach_idle (user_data, finish);
}

/* libnice's look-up of the STUN server warns when it is cancelled, crashes when its stream is gone and leaks
 * when its agent is. An allocation that is granted after the agent began to close would never be given back:
 * worth waiting for, but not for long; what a slow server may still grant lapses there by itself. */
static gboolean
must_wait (IcsNiceLeg *self)
{
  return self->resolving
         || (self->patient && self->relay_only && self->gather_started != 0 && self->gather_done == 0);
}

/* The stream stays until the agent is closed: without it nobody reads the TURN server's answers, and each
 * allocation takes seconds of retransmissions to give back. */
static gboolean
teardown (gpointer user_data)
{
  IcsNiceLeg *self = user_data;

  self->teardown_waits = must_wait (self);
  /* The end of the gathering and that of the patience may come at the same time. */
  if (self->teardown_waits || self->torn_down)
    return G_SOURCE_REMOVE;
  self->torn_down = TRUE;
  ics_timeout_clear (&self->patience);
  g_signal_handlers_disconnect_by_data (self->agent, self);
  g_main_context_push_thread_default (self->context);
  nice_agent_close_async (self->agent, on_closed, self);
  g_main_context_pop_thread_default (self->context);
  return G_SOURCE_REMOVE;
}

static gboolean
on_patience_over (gpointer user_data)
{
  IcsNiceLeg *self = user_data;

  self->patient = FALSE;
  if (self->teardown_waits)
    teardown (self);
  return G_SOURCE_REMOVE;
}

static void
start_patience (IcsNiceLeg *self)
{
  self->patient = TRUE;
  self->patience = g_timeout_source_new (ALLOCATION_PATIENCE_MS);
  attach (self, self->patience, on_patience_over);
}

void
ics_nice_leg_on_gathered (G_GNUC_UNUSED NiceAgent *agent, G_GNUC_UNUSED guint stream, gpointer user_data)
{
  IcsNiceLeg *self = user_data;

  self->gather_done = g_get_monotonic_time ();
  if (!self->closing)
    self->hooks.gathered (self->user_data);
  else if (self->teardown_waits)
    attach_idle (self, teardown);
}

static void
begin_closing (IcsNiceLeg *self)
{
  self->closing = TRUE;
  g_signal_handlers_block_matched (self->agent, G_SIGNAL_MATCH_DATA, 0, 0, NULL, NULL, self);
  g_signal_handlers_unblock_by_func (self->agent, ics_nice_leg_on_gathered, self);
  g_clear_pointer (&self->outlet, ics_nice_outlet_free);
  start_patience (self);
  attach_idle (self, teardown);
}

void
ics_nice_leg_close (IcsNiceLeg *self, void (*closed) (gpointer), gpointer closed_data)
{
  self->muted = TRUE;
  self->closed = closed;
  self->closed_data = closed_data;
  if (!self->closing)
    begin_closing (self);
}

GArray *
ics_nice_leg_retire (IcsNiceLeg *self, IcsFlow *selected, void (*closed) (gpointer), gpointer closed_data)
{
  GArray *fds = ics_nice_sockets_duplicate (self->agent, self->stream, selected);

  if (fds == NULL)
    return NULL;
  self->closed = closed;
  self->closed_data = closed_data;
  begin_closing (self);
  return fds;
}

static void
on_resolver_settled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  IcsNiceLeg *self = user_data;

  g_resolver_free_addresses (g_resolver_lookup_by_name_finish (G_RESOLVER (source), result, NULL));
  self->resolving = FALSE;
  if (self->teardown_waits)
    attach_idle (self, teardown);
}

static gboolean
follow_resolver (gpointer user_data)
{
  IcsNiceLeg *self = user_data;
  g_autoptr (GResolver) resolver = g_resolver_get_default ();
  g_autofree char *host = NULL;

  g_object_get (self->agent, "stun-server", &host, NULL);
  g_main_context_push_thread_default (self->context);
  g_resolver_lookup_by_name_async (resolver, host, NULL, on_resolver_settled, self);
  g_main_context_pop_thread_default (self->context);
  return G_SOURCE_REMOVE;
}

/* libnice does not say when its look-up of the STUN server (a literal by now) is over. The same look-up,
 * started right after it in the same context, is answered right after it. */
void
ics_nice_leg_follow_resolver (IcsNiceLeg *self)
{
  g_autoptr (GSource) source = g_timeout_source_new (0);

  self->resolving = TRUE;
  attach (self, source, follow_resolver);
}
