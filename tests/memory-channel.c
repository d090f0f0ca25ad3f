/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/memory-channel.h"

struct _MemoryChannel
{
  GObject parent_instance;
  MemoryChannel *peer; /* a weak pointer */
  MemoryChannelTap tap;
  gpointer tap_data;
  IcsChannelState state;
  gboolean cut;
  gboolean end_hidden;
};

static void memory_channel_iface_init (IcsChannelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (MemoryChannel, memory_channel, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (ICS_TYPE_CHANNEL, memory_channel_iface_init))

typedef struct
{
  MemoryChannel *to;
  IcsChannelKind kind;
  GBytes *message;
} Delivery;

static void
delivery_free (gpointer data)
{
  Delivery *d = data;

  g_object_unref (d->to);
  g_clear_pointer (&d->message, g_bytes_unref);
  g_free (d);
}

static void
set_state (MemoryChannel *self, IcsChannelState state)
{
  if (self->state == ICS_CHANNEL_CLOSED || self->state == state)
    return;
  self->state = state;
  ics_channel_emit_state_changed (ICS_CHANNEL (self), state);
}

static gboolean
deliver (gpointer data)
{
  Delivery *d = data;

  if (d->message == NULL)
    set_state (d->to, ICS_CHANNEL_CLOSED);
  else if (d->to->state != ICS_CHANNEL_CLOSED)
    ics_channel_emit_message (ICS_CHANNEL (d->to), d->kind, d->message);
  return G_SOURCE_REMOVE;
}

/* @message NULL: the end; it comes after what was sent before it. */
static void
post (MemoryChannel *to, IcsChannelKind kind, GBytes *message)
{
  Delivery *d = g_new0 (Delivery, 1);

  d->to = g_object_ref (to);
  d->kind = kind;
  d->message = message != NULL ? g_bytes_ref (message) : NULL;
  g_idle_add_full (G_PRIORITY_DEFAULT, deliver, d, delivery_free);
}

void
memory_channel_inject (MemoryChannel *self, IcsChannelKind kind, GBytes *message)
{
  post (self, kind, message);
}

static void
memory_channel_start (IcsChannel *channel)
{
  MemoryChannel *self = MEMORY_CHANNEL (channel);

  set_state (self, ICS_CHANNEL_WAITING);
  if (self->peer == NULL || self->peer->state != ICS_CHANNEL_WAITING)
    return;
  set_state (self->peer, ICS_CHANNEL_OPEN);
  set_state (self, ICS_CHANNEL_OPEN);
}

static gboolean
memory_channel_send (IcsChannel *channel, IcsChannelKind kind, GBytes *message)
{
  MemoryChannel *self = MEMORY_CHANNEL (channel);
  g_autoptr (GBytes) passed = NULL;

  if (self->peer == NULL || self->cut)
    return TRUE;
  passed = self->tap != NULL ? self->tap (kind, message, self->tap_data) : g_bytes_ref (message);
  if (passed != NULL)
    memory_channel_inject (self->peer, kind, passed);
  return TRUE;
}

static IcsChannelState
memory_channel_get_state (IcsChannel *channel)
{
  return MEMORY_CHANNEL (channel)->state;
}

static void
memory_channel_close (IcsChannel *channel)
{
  MemoryChannel *self = MEMORY_CHANNEL (channel);

  if (self->peer != NULL && !self->cut && !self->end_hidden)
    post (self->peer, ICS_CHANNEL_SIGNAL, NULL);
  self->state = ICS_CHANNEL_CLOSED;
}

static void
memory_channel_iface_init (IcsChannelInterface *iface)
{
  iface->start = memory_channel_start;
  iface->send = memory_channel_send;
  iface->get_state = memory_channel_get_state;
  iface->close = memory_channel_close;
}

static void
memory_channel_dispose (GObject *object)
{
  MemoryChannel *self = MEMORY_CHANNEL (object);

  g_clear_weak_pointer (&self->peer);
  G_OBJECT_CLASS (memory_channel_parent_class)->dispose (object);
}

static void
memory_channel_class_init (MemoryChannelClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = memory_channel_dispose;
}

static void
memory_channel_init (MemoryChannel *self)
{
}

void
memory_channel_new_pair (MemoryChannel **a, MemoryChannel **b)
{
  *a = g_object_new (TYPE_MEMORY_CHANNEL, NULL);
  *b = g_object_new (TYPE_MEMORY_CHANNEL, NULL);
  g_set_weak_pointer (&(*a)->peer, *b);
  g_set_weak_pointer (&(*b)->peer, *a);
}

void
memory_channel_set_tap (MemoryChannel *self, MemoryChannelTap tap, gpointer user_data)
{
  self->tap = tap;
  self->tap_data = user_data;
}

void
memory_channel_cut (MemoryChannel *self, gboolean tell)
{
  MemoryChannel *peer = self->peer;

  self->cut = TRUE;
  if (tell)
    set_state (self, ICS_CHANNEL_INTERRUPTED);
  if (peer == NULL)
    return;
  peer->cut = TRUE;
  if (tell)
    set_state (peer, ICS_CHANNEL_INTERRUPTED);
}

void
memory_channel_mend (MemoryChannel *self)
{
  self->cut = FALSE;
  self->peer->cut = FALSE;
  set_state (self, ICS_CHANNEL_OPEN);
  set_state (self->peer, ICS_CHANNEL_OPEN);
}

void
memory_channel_hide_end (MemoryChannel *self)
{
  self->end_hidden = TRUE;
}
