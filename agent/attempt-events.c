/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/attempt-events.h"

/* A peer can cause notes; the record of a link is bounded, and so is what goes into it. */
#define NOTES_MAX 200

typedef enum
{
  EVENT_CANDIDATE,
  EVENT_GATHERED,
  EVENT_STATE,
  EVENT_WRITABLE,
  EVENT_DOWN,
  EVENT_UP,
  EVENT_ROAMED,
  EVENT_NOTE
} EventType;

typedef struct
{
  EventType type;
  IcsIceState state;
  char *text;
} Event;

/* Reference-counted: a callback may free it. */
struct _IcsAttemptEvents
{
  IcsTraversal *attempt;
  IcsIceCallbacks callbacks;
  gpointer user_data;
  GMainContext *context;
  GQueue queue;
  GSource *dispatch;
  guint n_notes;
  gboolean stopped;
};

IcsAttemptEvents *
ics_attempt_events_new (IcsTraversal *attempt, const IcsIceCallbacks *callbacks, gpointer user_data,
                        GMainContext *context)
{
  IcsAttemptEvents *self = g_rc_box_new0 (IcsAttemptEvents);

  self->attempt = attempt;
  self->callbacks = *callbacks;
  self->user_data = user_data;
  self->context = g_main_context_ref (context);
  g_queue_init (&self->queue);
  return self;
}

static void
event_free (Event *event)
{
  g_free (event->text);
  g_free (event);
}

static void
clear (gpointer data)
{
  IcsAttemptEvents *self = data;

  g_queue_clear_full (&self->queue, (GDestroyNotify)event_free);
  g_main_context_unref (self->context);
}

static void
stop_dispatch (IcsAttemptEvents *self)
{
  if (self->dispatch == NULL)
    return;
  g_source_destroy (self->dispatch);
  g_clear_pointer (&self->dispatch, g_source_unref);
}

void
ics_attempt_events_free (IcsAttemptEvents *self)
{
  self->stopped = TRUE;
  stop_dispatch (self);
  g_rc_box_release_full (self, clear);
}

static void
deliver (IcsAttemptEvents *self, const Event *event)
{
  switch (event->type)
    {
    case EVENT_CANDIDATE:
      self->callbacks.candidate (self->attempt, event->text, self->user_data);
      break;
    case EVENT_GATHERED:
      self->callbacks.gathered (self->attempt, self->user_data);
      break;
    case EVENT_STATE:
      self->callbacks.state (self->attempt, event->state, self->user_data);
      break;
    case EVENT_WRITABLE:
      self->callbacks.writable (self->attempt, self->user_data);
      break;
    case EVENT_DOWN:
    case EVENT_UP:
      if (self->callbacks.down != NULL)
        self->callbacks.down (self->attempt, event->type == EVENT_DOWN, self->user_data);
      break;
    case EVENT_ROAMED:
      if (self->callbacks.roamed != NULL)
        self->callbacks.roamed (self->attempt, self->user_data);
      break;
    case EVENT_NOTE:
      self->callbacks.note (self->attempt, event->text, self->user_data);
      break;
    }
}

/* The caller holds a reference. */
static void
drain (IcsAttemptEvents *self)
{
  Event *event;

  while (!self->stopped && (event = g_queue_pop_head (&self->queue)) != NULL)
    {
      deliver (self, event);
      event_free (event);
    }
}

static gboolean
on_dispatch (gpointer user_data)
{
  IcsAttemptEvents *self = g_rc_box_acquire (user_data);

  stop_dispatch (self);
  drain (self);
  g_rc_box_release_full (self, clear);
  return G_SOURCE_REMOVE;
}

static void
push (IcsAttemptEvents *self, EventType type, IcsIceState state, char *text)
{
  Event *event = g_new0 (Event, 1);

  event->type = type;
  event->state = state;
  event->text = text;
  g_queue_push_tail (&self->queue, event);
  if (self->dispatch != NULL)
    return;
  self->dispatch = g_idle_source_new ();
  g_source_set_priority (self->dispatch, G_PRIORITY_DEFAULT);
  g_source_set_callback (self->dispatch, on_dispatch, self, NULL);
  g_source_attach (self->dispatch, self->context);
}

void
ics_attempt_events_candidate (IcsAttemptEvents *self, const char *line)
{
  push (self, EVENT_CANDIDATE, ICS_ICE_GATHERING, g_strdup (line));
}

void
ics_attempt_events_gathered (IcsAttemptEvents *self)
{
  push (self, EVENT_GATHERED, ICS_ICE_GATHERING, NULL);
}

void
ics_attempt_events_state (IcsAttemptEvents *self, IcsIceState state)
{
  push (self, EVENT_STATE, state, NULL);
}

void
ics_attempt_events_writable (IcsAttemptEvents *self)
{
  push (self, EVENT_WRITABLE, ICS_ICE_CONNECTED, NULL);
}

void
ics_attempt_events_down (IcsAttemptEvents *self, gboolean down)
{
  push (self, down ? EVENT_DOWN : EVENT_UP, ICS_ICE_CONNECTED, NULL);
}

void
ics_attempt_events_roamed (IcsAttemptEvents *self)
{
  push (self, EVENT_ROAMED, ICS_ICE_CONNECTED, NULL);
}

void
ics_attempt_events_note (IcsAttemptEvents *self, const char *format, ...)
{
  va_list args;

  if (self->n_notes >= NOTES_MAX)
    return;
  self->n_notes++;
  va_start (args, format);
  push (self, EVENT_NOTE, ICS_ICE_GATHERING, g_strdup_vprintf (format, args));
  va_end (args);
}

void
ics_attempt_events_received (IcsAttemptEvents *self, const guint8 *data, gsize len, gsize segment)
{
  g_rc_box_acquire (self);
  drain (self);
  if (!self->stopped)
    self->callbacks.received (self->attempt, data, len, segment, self->user_data);
  g_rc_box_release_full (self, clear);
}
