/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/channel-proxy.h"

/* Bytes on their way to the channel at most: what it has not taken yet waits here. */
#define WINDOW (256 * 1024)
/* Bytes from the channel at most that wait for the I/O thread; what comes beyond is lost. */
#define INBOUND_MAX (4 * 1024 * 1024)
/* What a message costs beyond its length. */
#define MESSAGE_COST 256

/* The half that lives with the channel. */
typedef struct
{
  gatomicrefcount refs;
  GMainContext *app_context;
  GMainContext *io_context;
  IcsChannel *channel;
  GQueue waiting; /* GBytes the channel did not take yet */
  GWeakRef proxy;
  gint inbound; /* atomic: bytes on their way to the I/O thread */
} Peer;

struct _IcsChannelProxy
{
  GObject parent_instance;
  Peer *peer;
  IcsChannelState state;
  char *local, *remote;
  gsize on_the_way;
};

static void ics_channel_proxy_iface_init (IcsChannelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (IcsChannelProxy, ics_channel_proxy, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (ICS_TYPE_CHANNEL, ics_channel_proxy_iface_init))

/* One thing said from one side to the other. */
typedef struct
{
  Peer *peer;
  IcsChannelKind kind;
  GBytes *message;
  gsize taken;
  IcsChannelState state;
  GError *error;
  char *local, *remote;
} Word;

static Peer *
peer_ref (Peer *peer)
{
  g_atomic_ref_count_inc (&peer->refs);
  return peer;
}

static void
peer_unref (Peer *peer)
{
  if (!g_atomic_ref_count_dec (&peer->refs))
    return;
  g_queue_clear_full (&peer->waiting, (GDestroyNotify)g_bytes_unref);
  g_clear_object (&peer->channel);
  g_weak_ref_clear (&peer->proxy);
  g_main_context_unref (peer->app_context);
  g_clear_pointer (&peer->io_context, g_main_context_unref);
  g_free (peer);
}

static void
word_free (gpointer data)
{
  Word *word = data;

  g_clear_pointer (&word->message, g_bytes_unref);
  g_clear_error (&word->error);
  g_free (word->local);
  g_free (word->remote);
  peer_unref (word->peer);
  g_free (word);
}

static void
say (Peer *peer, GMainContext *context, GSourceFunc func, const Word *content)
{
  g_autoptr (GSource) source = g_idle_source_new ();
  Word *word = g_memdup2 (content, sizeof *content);

  word->peer = peer_ref (peer);
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, func, word, word_free);
  g_source_attach (source, context);
}

static void
drop_closure (gpointer peer, GClosure *closure)
{
  peer_unref (peer);
}

static gint
cost_of (GBytes *message)
{
  return (gint)MIN (g_bytes_get_size (message), INBOUND_MAX) + MESSAGE_COST;
}

/* --- on the I/O thread --- */

static gboolean
hear_message (gpointer data)
{
  Word *word = data;
  g_autoptr (IcsChannelProxy) self = g_weak_ref_get (&word->peer->proxy);

  g_atomic_int_add (&word->peer->inbound, -cost_of (word->message));
  if (self != NULL)
    ics_channel_emit_message (ICS_CHANNEL (self), word->kind, word->message);
  return G_SOURCE_REMOVE;
}

static gboolean
hear_taken (gpointer data)
{
  Word *word = data;
  g_autoptr (IcsChannelProxy) self = g_weak_ref_get (&word->peer->proxy);

  if (self == NULL)
    return G_SOURCE_REMOVE;
  self->on_the_way -= word->taken;
  ics_channel_emit_writable (ICS_CHANNEL (self));
  return G_SOURCE_REMOVE;
}

static gboolean
hear_state (gpointer data)
{
  Word *word = data;
  g_autoptr (IcsChannelProxy) self = g_weak_ref_get (&word->peer->proxy);

  if (self == NULL || self->state == ICS_CHANNEL_CLOSED || self->state == word->state)
    return G_SOURCE_REMOVE;
  self->state = word->state;
  g_free (self->local);
  g_free (self->remote);
  self->local = g_steal_pointer (&word->local);
  self->remote = g_steal_pointer (&word->remote);
  if (word->error != NULL)
    ics_channel_set_error (ICS_CHANNEL (self), word->error);
  ics_channel_emit_state_changed (ICS_CHANNEL (self), self->state);
  return G_SOURCE_REMOVE;
}

/* --- with the channel --- */

static void
on_message (IcsChannel *channel, IcsChannelKind kind, GBytes *message, gpointer user_data)
{
  Peer *peer = user_data;
  gint cost = cost_of (message);

  if (g_atomic_int_get (&peer->inbound) + cost > INBOUND_MAX)
    return;
  g_atomic_int_add (&peer->inbound, cost);
  say (peer, peer->io_context, hear_message, &(Word){ .kind = kind, .message = g_bytes_ref (message) });
}

static void
push_waiting (Peer *peer)
{
  gsize taken = 0;
  GBytes *message;

  peer_ref (peer);
  while (peer->channel != NULL && (message = g_queue_peek_head (&peer->waiting)) != NULL
         && ics_channel_send (peer->channel, ICS_CHANNEL_DATA, message))
    {
      taken += g_bytes_get_size (message);
      g_bytes_unref (g_queue_pop_head (&peer->waiting));
    }
  if (taken > 0)
    say (peer, peer->io_context, hear_taken, &(Word){ .taken = taken });
  peer_unref (peer);
}

static void
on_writable (IcsChannel *channel, gpointer user_data)
{
  push_waiting (user_data);
}

/* Here, so that the I/O thread never has the last reference. Handlers keep the peer, which keeps the channel,
 * which keeps its handlers: a channel that is closed is let go of at once, whoever closed it. */
static void
let_go (Peer *peer)
{
  if (peer->channel == NULL)
    return;
  g_signal_handlers_disconnect_matched (peer->channel, G_SIGNAL_MATCH_DATA, 0, 0, NULL, NULL, peer);
  g_clear_object (&peer->channel);
}

static void
on_state (IcsChannel *channel, IcsChannelState state, gpointer user_data)
{
  Peer *peer = peer_ref (user_data);
  Word word = { .state = state, .error = ics_channel_get_error (channel) };

  ics_channel_get_addresses (channel, &word.local, &word.remote);
  say (peer, peer->io_context, hear_state, &word);
  if (state == ICS_CHANNEL_CLOSED)
    let_go (peer);
  peer_unref (peer);
}

static void
listen_to (Peer *peer, const char *signal, GCallback handler)
{
  g_signal_connect_data (peer->channel, signal, handler, peer_ref (peer), drop_closure, 0);
}

static gboolean
do_start (gpointer data)
{
  Peer *peer = ((Word *)data)->peer;
  g_autoptr (IcsChannel) channel = g_object_ref (peer->channel);

  listen_to (peer, "message", G_CALLBACK (on_message));
  listen_to (peer, "writable", G_CALLBACK (on_writable));
  listen_to (peer, "state-changed", G_CALLBACK (on_state));
  ics_channel_start (channel);
  if (peer->channel != NULL)
    on_state (channel, ics_channel_get_state (channel), peer);
  return G_SOURCE_REMOVE;
}

static gboolean
do_send (gpointer data)
{
  Word *word = data;

  if (word->peer->channel == NULL)
    return G_SOURCE_REMOVE;
  if (word->kind == ICS_CHANNEL_SIGNAL)
    {
      ics_channel_send (word->peer->channel, ICS_CHANNEL_SIGNAL, word->message);
      return G_SOURCE_REMOVE;
    }
  g_queue_push_tail (&word->peer->waiting, g_bytes_ref (word->message));
  push_waiting (word->peer);
  return G_SOURCE_REMOVE;
}

static gboolean
do_close (gpointer data)
{
  Peer *peer = ((Word *)data)->peer;
  g_autoptr (IcsChannel) channel = peer->channel != NULL ? g_object_ref (peer->channel) : NULL;

  let_go (peer);
  if (channel != NULL)
    ics_channel_close (channel);
  return G_SOURCE_REMOVE;
}

/* --- the interface --- */

static void
ics_channel_proxy_start (IcsChannel *channel)
{
  Peer *peer = ICS_CHANNEL_PROXY (channel)->peer;

  peer->io_context = g_main_context_ref_thread_default ();
  say (peer, peer->app_context, do_start, &(Word){ 0 });
}

static gboolean
ics_channel_proxy_send (IcsChannel *channel, IcsChannelKind kind, GBytes *message)
{
  IcsChannelProxy *self = ICS_CHANNEL_PROXY (channel);

  if (kind == ICS_CHANNEL_DATA && self->on_the_way >= WINDOW)
    return FALSE;
  if (kind == ICS_CHANNEL_DATA)
    self->on_the_way += g_bytes_get_size (message);
  say (self->peer, self->peer->app_context, do_send,
       &(Word){ .kind = kind, .message = g_bytes_ref (message) });
  return TRUE;
}

static gsize
ics_channel_proxy_get_writable (IcsChannel *channel)
{
  IcsChannelProxy *self = ICS_CHANNEL_PROXY (channel);

  return self->on_the_way < WINDOW ? WINDOW - self->on_the_way : 0;
}

static IcsChannelState
ics_channel_proxy_get_state (IcsChannel *channel)
{
  return ICS_CHANNEL_PROXY (channel)->state;
}

static void
ics_channel_proxy_get_addresses (IcsChannel *channel, char **local, char **remote)
{
  IcsChannelProxy *self = ICS_CHANNEL_PROXY (channel);

  *local = g_strdup (self->local);
  *remote = g_strdup (self->remote);
}

static void
ics_channel_proxy_close (IcsChannel *channel)
{
  IcsChannelProxy *self = ICS_CHANNEL_PROXY (channel);

  self->state = ICS_CHANNEL_CLOSED;
  say (self->peer, self->peer->app_context, do_close, &(Word){ 0 });
}

static void
ics_channel_proxy_iface_init (IcsChannelInterface *iface)
{
  iface->start = ics_channel_proxy_start;
  iface->send = ics_channel_proxy_send;
  iface->get_writable = ics_channel_proxy_get_writable;
  iface->get_state = ics_channel_proxy_get_state;
  iface->get_addresses = ics_channel_proxy_get_addresses;
  iface->close = ics_channel_proxy_close;
}

static void
ics_channel_proxy_finalize (GObject *object)
{
  IcsChannelProxy *self = ICS_CHANNEL_PROXY (object);

  g_clear_pointer (&self->peer, peer_unref);
  g_free (self->local);
  g_free (self->remote);
  G_OBJECT_CLASS (ics_channel_proxy_parent_class)->finalize (object);
}

static void
ics_channel_proxy_class_init (IcsChannelProxyClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ics_channel_proxy_finalize;
}

static void
ics_channel_proxy_init (IcsChannelProxy *self)
{
}

IcsChannel *
ics_channel_proxy_new (IcsChannel *channel, GMainContext *context)
{
  IcsChannelProxy *self = g_object_new (ICS_TYPE_CHANNEL_PROXY, NULL);
  Peer *peer = g_new0 (Peer, 1);

  g_atomic_ref_count_init (&peer->refs);
  g_queue_init (&peer->waiting);
  g_weak_ref_init (&peer->proxy, self);
  peer->app_context = g_main_context_ref (context);
  peer->channel = g_object_ref (channel);
  self->peer = peer;
  return ICS_CHANNEL (self);
}
