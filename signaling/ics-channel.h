/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <base/ics-macros.h>
#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * IcsChannelKind:
 * @ICS_CHANNEL_SIGNAL: a signalling message; few and small (at most %ICS_CHANNEL_SIGNAL_MAX bytes)
 * @ICS_CHANNEL_DATA: datagrams of the link; many, at most %ICS_CHANNEL_DATA_MAX bytes a message, may be lost
 *   but not altered
 *
 * What a message on a channel is.
 *
 * Since: 0.1
 */
typedef enum
{
  ICS_CHANNEL_SIGNAL,
  ICS_CHANNEL_DATA
} IcsChannelKind;

#define ICS_TYPE_CHANNEL_KIND (ics_channel_kind_get_type ())
ICS_AVAILABLE_IN_1_0 GType ics_channel_kind_get_type (void) G_GNUC_CONST;

/**
 * IcsChannelState:
 * @ICS_CHANNEL_CONNECTING: not usable yet
 * @ICS_CHANNEL_WAITING: in place, the peer is not there yet
 * @ICS_CHANNEL_OPEN: both hosts are there; messages flow
 * @ICS_CHANNEL_INTERRUPTED: broken for now, it is being restored; messages may have been lost
 * @ICS_CHANNEL_PEER_LOST: this side is in place, the peer's side is broken for now
 * @ICS_CHANNEL_CLOSED: gone for good; [method@Channel.get_error] says why
 *
 * What a channel is good for now.
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

#define ICS_TYPE_CHANNEL_STATE (ics_channel_state_get_type ())
ICS_AVAILABLE_IN_1_0 GType ics_channel_state_get_type (void) G_GNUC_CONST;

/**
 * ICS_CHANNEL_SIGNAL_MAX:
 *
 * The longest signalling message, in bytes.
 *
 * Since: 0.1
 */
#define ICS_CHANNEL_SIGNAL_MAX 16384

/**
 * ICS_CHANNEL_DATA_MAX:
 *
 * The longest data message, in bytes.
 *
 * Since: 0.1
 */
#define ICS_CHANNEL_DATA_MAX 65536

#define ICS_TYPE_CHANNEL (ics_channel_get_type ())
ICS_AVAILABLE_IN_1_0
G_DECLARE_INTERFACE (IcsChannel, ics_channel, ICS, CHANNEL, GObject)

/**
 * IcsChannel:
 *
 * A relayed channel: it carries messages between exactly two hosts, in order, and always works.
 *
 * A link has one of the rendezvous server's unless the application gives it another by
 * [property@Link:channel], over whatever it has: a chat service, a message broker, a serial line. It need not
 * be secret or authentic: all content is protected end to end, and a message that was altered is dropped.
 * Messages of signalling should arrive as long as the state is %ICS_CHANNEL_OPEN, those of data may be lost.
 *
 * Everything of a channel is called, and shall be emitted, on the main context in which the link was
 * created; so an implementation needs no locks. Nothing of it may block.
 *
 * An implementation has to have `start`, `send`, `get_state` and `close`; the rest has defaults. It tells
 * what happens by [method@Channel.emit_message], [method@Channel.emit_writable] and
 * [method@Channel.emit_state_changed], and before the end by [method@Channel.set_error] if something went
 * wrong.
 *
 * Since: 0.1
 */

/**
 * IcsChannelInterface:
 * @parent_iface: the parent
 * @start: begin to connect; called once
 * @send: take one message for the peer
 * @get_writable: how many bytes of data messages @send would take now; by default there is no limit
 * @get_state: the state now
 * @get_addresses: own address and the relay's; by default they are not known
 * @close: close for good and tell the peer
 *
 * What an implementation of [iface@Channel] has to do; the functions of the same names say more.
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
  void (*get_addresses) (IcsChannel *self, char **local, char **remote);
  void (*close) (IcsChannel *self);

  /*< private >*/
  gpointer padding[8];
};

/**
 * ics_channel_start:
 * @self: a channel
 *
 * Begins to connect. Called once, by the link.
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 void ics_channel_start (IcsChannel *self);

/**
 * ics_channel_send:
 * @self: a channel
 * @kind: what it is
 * @message: the message, not empty
 *
 * Takes one message for the peer. What is not taken is not kept: a signalling message is then lost unless it
 * is repeated, a data message is offered again after [signal@Channel::writable].
 *
 * Returns: whether the message was taken
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 gboolean ics_channel_send (IcsChannel *self, IcsChannelKind kind, GBytes *message);

/**
 * ics_channel_get_writable:
 * @self: a channel
 *
 * How much [method@Channel.send] would take now.
 *
 * Returns: bytes of data messages
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 gsize ics_channel_get_writable (IcsChannel *self);

/**
 * ics_channel_get_state:
 * @self: a channel
 *
 * The state now; [signal@Channel::state-changed] tells of changes.
 *
 * Returns: the state
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 IcsChannelState ics_channel_get_state (IcsChannel *self);

/**
 * ics_channel_set_error:
 * @self: a channel
 * @error: why
 *
 * For implementations: says why the channel is going to be %ICS_CHANNEL_CLOSED, before it is. The first error
 * counts. The link's own end tells it on, if the link cannot do without the channel.
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 void ics_channel_set_error (IcsChannel *self, const GError *error);

/**
 * ics_channel_get_error:
 * @self: a channel
 *
 * Why the state is %ICS_CHANNEL_CLOSED.
 *
 * Returns: (transfer full) (nullable): the error; %NULL when there is none: it is not closed, or the peer
 *   closed it
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 GError *ics_channel_get_error (IcsChannel *self);

/**
 * ics_channel_get_addresses:
 * @self: a channel
 * @local: (out) (transfer full) (nullable): this host's address, as "host:port"
 * @remote: (out) (transfer full) (nullable): the relay's address, as "host:port"
 *
 * What to show to people as the ends of this channel; %NULL where there is nothing to show.
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 void ics_channel_get_addresses (IcsChannel *self, char **local, char **remote);

/**
 * ics_channel_close:
 * @self: a channel
 *
 * Closes for good and tells the peer's side, which then becomes %ICS_CHANNEL_CLOSED without an error. The
 * state is %ICS_CHANNEL_CLOSED when it returns; no signal need tell it.
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 void ics_channel_close (IcsChannel *self);

/**
 * ics_channel_emit_message:
 * @self: a channel
 * @kind: what it is
 * @message: what the peer sent
 *
 * For implementations: emits [signal@Channel::message].
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 void ics_channel_emit_message (IcsChannel *self, IcsChannelKind kind, GBytes *message);

/**
 * ics_channel_emit_writable:
 * @self: a channel
 *
 * For implementations: emits [signal@Channel::writable].
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 void ics_channel_emit_writable (IcsChannel *self);

/**
 * ics_channel_emit_state_changed:
 * @self: a channel
 * @state: the new state, which [method@Channel.get_state] returns already
 *
 * For implementations: emits [signal@Channel::state-changed].
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 void ics_channel_emit_state_changed (IcsChannel *self, IcsChannelState state);

G_END_DECLS
