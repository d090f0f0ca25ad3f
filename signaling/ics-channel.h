/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <base/ics-macros.h>
#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * IcsChannelKind:
 * @ICS_CHANNEL_SIGNAL: a signalling message; few and small (at most 16 KiB)
 * @ICS_CHANNEL_DATA: datagrams of the link; many, at most 64 KiB a message, may be lost but not altered
 *
 * Since: 0.1
 */
typedef enum
{
  ICS_CHANNEL_SIGNAL,
  ICS_CHANNEL_DATA
} IcsChannelKind;

/**
 * IcsChannelState:
 * @ICS_CHANNEL_CONNECTING: not usable yet
 * @ICS_CHANNEL_WAITING: in place, the peer is not there yet
 * @ICS_CHANNEL_OPEN: both hosts are there; messages flow
 * @ICS_CHANNEL_INTERRUPTED: broken for now, it is being restored; messages may have been lost
 * @ICS_CHANNEL_PEER_LOST: this side is in place, the peer's side is broken for now
 * @ICS_CHANNEL_CLOSED: gone for good; the error says why
 *
 * Since: 0.1
 */
typedef enum
{
  ICS_CHANNEL_CONNECTING,
  ICS_CHANNEL_WAITING,
  ICS_CHANNEL_OPEN,
  ICS_CHANNEL_INTERRUPTED,
  ICS_CHANNEL_PEER_LOST,
  ICS_CHANNEL_CLOSED
} IcsChannelState;

#define ICS_CHANNEL_SIGNAL_MAX 16384
#define ICS_CHANNEL_DATA_MAX 65536

#define ICS_TYPE_CHANNEL (ics_channel_get_type ())
ICS_API
G_DECLARE_INTERFACE (IcsChannel, ics_channel, ICS, CHANNEL, GObject)

/**
 * IcsChannelInterface:
 * @start: begin to connect. Called once.
 * @send: take one message for the peer; %FALSE when it cannot be taken now (a signal is then lost unless
 *   repeated; data waits for #IcsChannel::writable)
 * @get_writable: how many bytes of data messages @send would take now
 * @get_state: the state now
 * @get_error: (nullable): why the state is %ICS_CHANNEL_CLOSED
 * @get_addresses: (nullable) own address and the relay's address, as "host:port"; may leave both %NULL
 * @close: close for good and tell the peer
 *
 * A relayed channel: it carries messages between exactly two hosts, in order, and always works. An
 * application may bring its own. It need not be secret or authentic: all content is protected end to end.
 *
 * Since: 0.1
 */
struct _IcsChannelInterface
{
  GTypeInterface parent_iface;

  void (*start) (IcsChannel *self);
  gboolean (*send) (IcsChannel *self, IcsChannelKind kind, GBytes *message);
  gsize (*get_writable) (IcsChannel *self);
  IcsChannelState (*get_state) (IcsChannel *self);
  const GError *(*get_error) (IcsChannel *self);
  void (*get_addresses) (IcsChannel *self, char **local, char **remote);
  void (*close) (IcsChannel *self);

  gpointer padding[8];
};

ICS_API void ics_channel_start (IcsChannel *self);
ICS_API gboolean ics_channel_send (IcsChannel *self, IcsChannelKind kind, GBytes *message);
ICS_API gsize ics_channel_get_writable (IcsChannel *self);
ICS_API IcsChannelState ics_channel_get_state (IcsChannel *self);
ICS_API const GError *ics_channel_get_error (IcsChannel *self);
ICS_API void ics_channel_get_addresses (IcsChannel *self, char **local, char **remote);
ICS_API void ics_channel_close (IcsChannel *self);

/* For implementations: emit the interface's signals.
 *  IcsChannel::message (IcsChannelKind kind, GBytes *message)
 *  IcsChannel::writable ()            get_writable() was too small and has grown
 *  IcsChannel::state-changed (IcsChannelState state) */
ICS_API void ics_channel_emit_message (IcsChannel *self, IcsChannelKind kind, GBytes *message);
ICS_API void ics_channel_emit_writable (IcsChannel *self);
ICS_API void ics_channel_emit_state_changed (IcsChannel *self, IcsChannelState state);

G_END_DECLS
