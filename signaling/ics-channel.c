/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signaling/ics-channel.h"

G_DEFINE_INTERFACE (IcsChannel, ics_channel, G_TYPE_OBJECT)

G_DEFINE_ENUM_TYPE (IcsChannelKind, ics_channel_kind, G_DEFINE_ENUM_VALUE (ICS_CHANNEL_SIGNAL, "signal"),
                    G_DEFINE_ENUM_VALUE (ICS_CHANNEL_DATA, "data"))

G_DEFINE_ENUM_TYPE (IcsChannelState, ics_channel_state,
                    G_DEFINE_ENUM_VALUE (ICS_CHANNEL_CONNECTING, "connecting"),
                    G_DEFINE_ENUM_VALUE (ICS_CHANNEL_WAITING, "waiting"),
                    G_DEFINE_ENUM_VALUE (ICS_CHANNEL_OPEN, "open"),
                    G_DEFINE_ENUM_VALUE (ICS_CHANNEL_INTERRUPTED, "interrupted"),
                    G_DEFINE_ENUM_VALUE (ICS_CHANNEL_PEER_LOST, "peer-lost"),
                    G_DEFINE_ENUM_VALUE (ICS_CHANNEL_CLOSED, "closed"))

enum
{
  SIGNAL_MESSAGE,
  SIGNAL_WRITABLE,
  SIGNAL_STATE_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
ics_channel_default_init (IcsChannelInterface *iface)
{
  GType type = G_TYPE_FROM_INTERFACE (iface);

  /**
   * IcsChannel::message:
   * @self: the channel
   * @kind: what it is
   * @message: what the peer sent
   *
   * A message came.
   *
   * Since: 0.1
   */
  signals[SIGNAL_MESSAGE] = g_signal_new ("message", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                          G_TYPE_NONE, 2, ICS_TYPE_CHANNEL_KIND, G_TYPE_BYTES);
  /**
   * IcsChannel::writable:
   * @self: the channel
   *
   * [method@Channel.get_writable] was too small and has grown.
   *
   * Since: 0.1
   */
  signals[SIGNAL_WRITABLE]
      = g_signal_new ("writable", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  /**
   * IcsChannel::state-changed:
   * @self: the channel
   * @state: the new state
   *
   * The channel is good for something else now.
   *
   * Since: 0.1
   */
  signals[SIGNAL_STATE_CHANGED] = g_signal_new ("state-changed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                                G_TYPE_NONE, 1, ICS_TYPE_CHANNEL_STATE);
}

void
ics_channel_start (IcsChannel *self)
{
  g_return_if_fail (ICS_IS_CHANNEL (self));
  g_return_if_fail (ICS_CHANNEL_GET_IFACE (self)->start != NULL);
  ICS_CHANNEL_GET_IFACE (self)->start (self);
}

gboolean
ics_channel_send (IcsChannel *self, IcsChannelKind kind, GBytes *message)
{
  g_return_val_if_fail (ICS_IS_CHANNEL (self), FALSE);
  g_return_val_if_fail (message != NULL, FALSE);
  g_return_val_if_fail (ICS_CHANNEL_GET_IFACE (self)->send != NULL, FALSE);
  return ICS_CHANNEL_GET_IFACE (self)->send (self, kind, message);
}

gsize
ics_channel_get_writable (IcsChannel *self)
{
  IcsChannelInterface *iface;

  g_return_val_if_fail (ICS_IS_CHANNEL (self), 0);
  iface = ICS_CHANNEL_GET_IFACE (self);
  return iface->get_writable != NULL ? iface->get_writable (self) : G_MAXSIZE;
}

IcsChannelState
ics_channel_get_state (IcsChannel *self)
{
  g_return_val_if_fail (ICS_IS_CHANNEL (self), ICS_CHANNEL_CLOSED);
  g_return_val_if_fail (ICS_CHANNEL_GET_IFACE (self)->get_state != NULL, ICS_CHANNEL_CLOSED);
  return ICS_CHANNEL_GET_IFACE (self)->get_state (self);
}

/* Not a virtual function: not every language can return an error, or none, from one. */
static GQuark
error_key (void)
{
  return g_quark_from_static_string ("ics-channel-error");
}

void
ics_channel_set_error (IcsChannel *self, const GError *error)
{
  g_return_if_fail (ICS_IS_CHANNEL (self));
  g_return_if_fail (error != NULL);
  if (g_object_get_qdata (G_OBJECT (self), error_key ()) == NULL)
    g_object_set_qdata_full (G_OBJECT (self), error_key (), g_error_copy (error),
                             (GDestroyNotify)g_error_free);
}

GError *
ics_channel_get_error (IcsChannel *self)
{
  const GError *error;

  g_return_val_if_fail (ICS_IS_CHANNEL (self), NULL);
  error = g_object_get_qdata (G_OBJECT (self), error_key ());
  return error != NULL ? g_error_copy (error) : NULL;
}

void
ics_channel_get_addresses (IcsChannel *self, char **local, char **remote)
{
  IcsChannelInterface *iface;

  g_return_if_fail (ICS_IS_CHANNEL (self));
  g_return_if_fail (local != NULL && remote != NULL);
  *local = NULL;
  *remote = NULL;
  iface = ICS_CHANNEL_GET_IFACE (self);
  if (iface->get_addresses != NULL)
    iface->get_addresses (self, local, remote);
}

void
ics_channel_close (IcsChannel *self)
{
  g_return_if_fail (ICS_IS_CHANNEL (self));
  g_return_if_fail (ICS_CHANNEL_GET_IFACE (self)->close != NULL);
  ICS_CHANNEL_GET_IFACE (self)->close (self);
}

void
ics_channel_emit_message (IcsChannel *self, IcsChannelKind kind, GBytes *message)
{
  g_return_if_fail (ICS_IS_CHANNEL (self));
  g_return_if_fail (message != NULL);
  g_signal_emit (self, signals[SIGNAL_MESSAGE], 0, kind, message);
}

void
ics_channel_emit_writable (IcsChannel *self)
{
  g_return_if_fail (ICS_IS_CHANNEL (self));
  g_signal_emit (self, signals[SIGNAL_WRITABLE], 0);
}

void
ics_channel_emit_state_changed (IcsChannel *self, IcsChannelState state)
{
  g_return_if_fail (ICS_IS_CHANNEL (self));
  g_signal_emit (self, signals[SIGNAL_STATE_CHANGED], 0, state);
}
