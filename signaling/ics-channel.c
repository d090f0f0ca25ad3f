/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signaling/ics-channel.h"

G_DEFINE_INTERFACE (IcsChannel, ics_channel, G_TYPE_OBJECT)

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
   * @kind: an #IcsChannelKind
   * @message: what the peer sent
   *
   * Since: 0.1
   */
  signals[SIGNAL_MESSAGE] = g_signal_new ("message", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                          G_TYPE_NONE, 2, G_TYPE_UINT, G_TYPE_BYTES);
  /**
   * IcsChannel::writable:
   *
   * ics_channel_get_writable() was too small and has grown.
   *
   * Since: 0.1
   */
  signals[SIGNAL_WRITABLE]
      = g_signal_new ("writable", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  /**
   * IcsChannel::state-changed:
   * @state: the new #IcsChannelState
   *
   * Since: 0.1
   */
  signals[SIGNAL_STATE_CHANGED] = g_signal_new ("state-changed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                                G_TYPE_NONE, 1, G_TYPE_UINT);
}

void
ics_channel_start (IcsChannel *self)
{
  g_return_if_fail (ICS_IS_CHANNEL (self));
  ICS_CHANNEL_GET_IFACE (self)->start (self);
}

gboolean
ics_channel_send (IcsChannel *self, IcsChannelKind kind, GBytes *message)
{
  g_return_val_if_fail (ICS_IS_CHANNEL (self), FALSE);
  g_return_val_if_fail (message != NULL, FALSE);
  return ICS_CHANNEL_GET_IFACE (self)->send (self, kind, message);
}

gsize
ics_channel_get_writable (IcsChannel *self)
{
  g_return_val_if_fail (ICS_IS_CHANNEL (self), 0);
  return ICS_CHANNEL_GET_IFACE (self)->get_writable (self);
}

IcsChannelState
ics_channel_get_state (IcsChannel *self)
{
  g_return_val_if_fail (ICS_IS_CHANNEL (self), ICS_CHANNEL_CLOSED);
  return ICS_CHANNEL_GET_IFACE (self)->get_state (self);
}

const GError *
ics_channel_get_error (IcsChannel *self)
{
  g_return_val_if_fail (ICS_IS_CHANNEL (self), NULL);
  return ICS_CHANNEL_GET_IFACE (self)->get_error (self);
}

void
ics_channel_get_addresses (IcsChannel *self, char **local, char **remote)
{
  g_return_if_fail (ICS_IS_CHANNEL (self));
  g_return_if_fail (local != NULL && remote != NULL);
  *local = NULL;
  *remote = NULL;
  ICS_CHANNEL_GET_IFACE (self)->get_addresses (self, local, remote);
}

void
ics_channel_close (IcsChannel *self)
{
  g_return_if_fail (ICS_IS_CHANNEL (self));
  ICS_CHANNEL_GET_IFACE (self)->close (self);
}

void
ics_channel_emit_message (IcsChannel *self, IcsChannelKind kind, GBytes *message)
{
  g_signal_emit (self, signals[SIGNAL_MESSAGE], 0, (guint)kind, message);
}

void
ics_channel_emit_writable (IcsChannel *self)
{
  g_signal_emit (self, signals[SIGNAL_WRITABLE], 0);
}

void
ics_channel_emit_state_changed (IcsChannel *self, IcsChannelState state)
{
  g_signal_emit (self, signals[SIGNAL_STATE_CHANGED], 0, (guint)state);
}
