/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signaling/ws-channel-private.h"

static void
take_turn (IcsWsChannel *self, IcsRvMessage *message)
{
  g_ptr_array_unref (self->turn);
  self->turn = g_ptr_array_ref (message->turn);
  g_signal_emit_by_name (self, "turn-servers");
}

static void
take_peer (IcsWsChannel *self, IcsRvPeer peer, const char *reason)
{
  switch (peer)
    {
    case ICS_RV_PEER_ABSENT:
      ics_ws_channel_set_state (self, ICS_CHANNEL_WAITING);
      return;
    case ICS_RV_PEER_PRESENT:
      self->joined = TRUE;
      ics_ws_channel_set_state (self, ICS_CHANNEL_OPEN);
      if (self->state == ICS_CHANNEL_OPEN)
        ics_channel_emit_writable (ICS_CHANNEL (self));
      return;
    case ICS_RV_PEER_LOST:
      self->joined = TRUE;
      ics_ws_channel_set_state (self, ICS_CHANNEL_PEER_LOST);
      return;
    case ICS_RV_PEER_GONE:
      self->peer_left = g_strcmp0 (reason, "left") == 0;
      ics_ws_channel_fail (self, ICS_ERROR_LINK_LOST,
                           self->peer_left ? "the peer left" : "the peer did not come back");
      return;
    }
}

static void
take_welcome (IcsWsChannel *self, IcsRvMessage *message)
{
  gboolean first = !self->placed;
  IcsRvPeer peer = message->peer;

  if (message->window < ICS_RV_WINDOW_MIN || (message->type == ICS_RV_RESUMED) == first)
    {
      ics_ws_channel_fail (self, ICS_ERROR_PROTOCOL, "the server's answer makes no sense");
      return;
    }
  self->place = *message;
  self->place.text = NULL;
  self->place.turn = NULL;
  self->placed = TRUE;
  self->credit = message->window;
  self->received = 0;
  self->backoff_ms = ICS_WS_CHANNEL_BACKOFF_FIRST_MS;
  if (first)
    {
      self->nameplate = g_strdup_printf ("%u", message->nameplate);
      g_signal_emit_by_name (self, "nameplate", self->nameplate);
    }
  take_turn (self, message);
  if (self->state != ICS_CHANNEL_CLOSED)
    take_peer (self, peer, NULL);
}

static IcsError
error_code (IcsRvError error)
{
  switch (error)
    {
    case ICS_RV_ERROR_NO_ROOM:
    case ICS_RV_ERROR_EXPIRED:
      return ICS_ERROR_NO_PEER;
    case ICS_RV_ERROR_GONE:
      return ICS_ERROR_LINK_LOST;
    case ICS_RV_ERROR_TAKEN:
    case ICS_RV_ERROR_ROOMS:
    case ICS_RV_ERROR_ATTEMPTS:
    case ICS_RV_ERROR_OTHER:
      return ICS_ERROR_SERVER_REFUSED;
    case ICS_RV_ERROR_BAD_REQUEST:
      return ICS_ERROR_PROTOCOL;
    }
  return ICS_ERROR_SERVER_REFUSED;
}

static void
take_error (IcsWsChannel *self, const IcsRvMessage *message)
{
  gboolean for_now
      = message->error == ICS_RV_ERROR_ROOMS || (self->joined && message->error != ICS_RV_ERROR_GONE);

  /* A server that just restarted may be full for the moment; and only the end of the session ends what two
   * hosts have who met. */
  if (self->placed && for_now)
    ics_ws_channel_interrupt (self, ics_rv_error_to_string (message->error));
  else
    ics_ws_channel_finish (
        self, g_error_new (ICS_ERROR, (int)error_code (message->error), "the server refused: %s",
                           message->text != NULL ? message->text : ics_rv_error_to_string (message->error)));
}

void
ics_ws_channel_take_text (IcsWsChannel *self, const char *text, gsize len)
{
  IcsRvMessage message;

  if (!ics_rv_decode (text, len, TRUE, g_get_real_time () / G_USEC_PER_SEC, &message))
    {
      self->dropped++;
      return;
    }
  if (message.type == ICS_RV_ERROR)
    take_error (self, &message);
  else if (message.type == ICS_RV_PEER && self->placed)
    take_peer (self, message.peer, message.text);
  else if (message.type == ICS_RV_TURN && self->placed)
    take_turn (self, &message);
  else if (message.type == ICS_RV_ALLOCATED || message.type == ICS_RV_JOINED
           || message.type == ICS_RV_RESUMED)
    take_welcome (self, &message);
  else
    self->dropped++;
  ics_rv_message_clear (&message);
}

static void
handle_credit (IcsWsChannel *self, GBytes *frame)
{
  guint32 amount;

  if (!ics_rv_credit_parse (frame, &amount) || self->credit + amount > self->place.window)
    {
      self->dropped++;
      return;
    }
  self->credit += amount;
  if (self->state == ICS_CHANNEL_OPEN)
    ics_channel_emit_writable (ICS_CHANNEL (self));
}

static void
return_credit (IcsWsChannel *self, gsize cost)
{
  g_autoptr (GBytes) credit = NULL;

  self->received += cost;
  if (self->received < self->place.window / 4)
    return;
  credit = ics_rv_credit_new ((guint32)self->received);
  self->received = 0;
  ics_ws_channel_send_frame (self, credit);
}

static void
handle_peer_frame (IcsWsChannel *self, GBytes *frame, guint8 type, gsize len)
{
  g_autoptr (GBytes) message = g_bytes_new_from_bytes (frame, 1, len - 1);
  SoupWebsocketConnection *websocket = self->websocket;

  if (type == ICS_RV_FRAME_SIGNAL && len > 1 + ICS_RV_SIGNAL_MAX)
    self->dropped++;
  else
    ics_channel_emit_message (ICS_CHANNEL (self),
                              type == ICS_RV_FRAME_SIGNAL ? ICS_CHANNEL_SIGNAL : ICS_CHANNEL_DATA, message);
  /* The owner may have closed meanwhile. */
  if (self->websocket == websocket)
    return_credit (self, ics_rv_frame_cost (frame));
}

void
ics_ws_channel_take_binary (IcsWsChannel *self, GBytes *frame)
{
  gsize len;
  const guint8 *data = g_bytes_get_data (frame, &len);
  guint8 type = len > 0 ? data[0] : G_MAXUINT8;

  if (type == ICS_RV_FRAME_BEAT)
    return;
  if (self->placed && type == ICS_RV_FRAME_CREDIT)
    handle_credit (self, frame);
  else if (self->placed && type < ICS_RV_FRAME_CREDIT)
    handle_peer_frame (self, frame, type, len);
  else
    self->dropped++;
}
