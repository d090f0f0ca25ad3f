/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/timeout.h"
#include "signaling/ws-channel-private.h"
#include "signaling/ws-dial.h"
#include <stdlib.h>

#define BACKOFF_MAX_MS 10000
/* For one attempt to come back: the server was there, and what waits for a lost SYN longer than this had
 * better send another. */
#define RETURN_TIMEOUT_MS 8000

static void
stop_dialing (IcsWsChannel *self)
{
  if (self->dialing != NULL)
    g_cancellable_cancel (self->dialing);
  g_clear_object (&self->dialing);
}

static void
drop_websocket (IcsWsChannel *self)
{
  ics_timeout_clear (&self->beat);
  if (self->websocket != NULL)
    g_signal_handlers_disconnect_by_data (self->websocket, self);
  g_clear_object (&self->websocket);
}

void
ics_ws_channel_disconnect (IcsWsChannel *self)
{
  stop_dialing (self);
  ics_timeout_clear (&self->retry);
  drop_websocket (self);
}

/* Interruption and return */

static gboolean
on_retry (gpointer data)
{
  IcsWsChannel *self = data;

  ics_timeout_clear (&self->retry);
  /* Once the hosts have met, how long to go on is the owner's to say. */
  if (!self->joined && g_get_monotonic_time () - self->interrupted_at >= self->give_up_after)
    ics_ws_channel_fail (self, ICS_ERROR_SERVER_UNREACHABLE, "the server did not come back");
  else
    ics_ws_channel_dial (self);
  return G_SOURCE_REMOVE;
}

static void
schedule_retry (IcsWsChannel *self)
{
  guint ms = self->backoff_ms / 2 + g_random_int () % (self->backoff_ms / 2 + 1);

  self->backoff_ms = MIN (2 * self->backoff_ms, BACKOFF_MAX_MS);
  ics_timeout_clear (&self->retry);
  self->retry = ics_timeout_new (ms, on_retry, self);
}

void
ics_ws_channel_interrupt (IcsWsChannel *self, const char *why)
{
  drop_websocket (self);
  if (self->closing != NULL)
    {
      ics_ws_channel_finish (self, NULL);
      return;
    }
  if (!self->placed)
    {
      ics_ws_channel_fail (self, ICS_ERROR_SERVER_UNREACHABLE, why);
      return;
    }
  g_debug ("ws-channel: interrupted: %s", why);
  if (self->state != ICS_CHANNEL_INTERRUPTED)
    self->interrupted_at = g_get_monotonic_time ();
  schedule_retry (self);
  ics_ws_channel_set_state (self, ICS_CHANNEL_INTERRUPTED);
}

void
ics_ws_channel_reconnect (IcsWsChannel *self)
{
  if (!self->placed || self->closing != NULL || self->state == ICS_CHANNEL_CLOSED)
    return;
  drop_websocket (self);
  self->backoff_ms = ICS_WS_CHANNEL_BACKOFF_FIRST_MS;
  if (self->state != ICS_CHANNEL_INTERRUPTED)
    self->interrupted_at = g_get_monotonic_time ();
  ics_timeout_clear (&self->retry);
  ics_ws_channel_dial (self);
  ics_ws_channel_set_state (self, ICS_CHANNEL_INTERRUPTED);
}

static gboolean
on_beat (gpointer data)
{
  IcsWsChannel *self = data;
  g_autoptr (GBytes) frame = ics_rv_frame_new (ICS_RV_FRAME_BEAT, NULL, 0);

  if (g_get_monotonic_time () - self->heard < ICS_RV_CLIENT_SILENCE_US)
    {
      ics_ws_channel_send_frame (self, frame);
      return G_SOURCE_CONTINUE;
    }
  ics_ws_channel_interrupt (self, "nothing came from the server for too long");
  return G_SOURCE_REMOVE;
}

static void
on_message (SoupWebsocketConnection *websocket, SoupWebsocketDataType type, GBytes *message, gpointer data)
{
  g_autoptr (IcsWsChannel) self = g_object_ref (ICS_WS_CHANNEL (data));
  gsize len;
  const char *bytes = g_bytes_get_data (message, &len);

  self->heard = g_get_monotonic_time ();
  if (self->closing != NULL)
    return;
  if (type == SOUP_WEBSOCKET_DATA_TEXT)
    ics_ws_channel_take_text (self, bytes, len);
  else
    ics_ws_channel_take_binary (self, message);
}

static void
on_closed (SoupWebsocketConnection *websocket, gpointer data)
{
  g_autoptr (IcsWsChannel) self = g_object_ref (ICS_WS_CHANNEL (data));

  ics_ws_channel_interrupt (self, "the server closed the connection");
}

/* Connecting */

static void
send_first_request (IcsWsChannel *self)
{
  IcsRvMessage request = { .type = ICS_RV_ALLOCATE };

  if (self->placed)
    {
      request = self->place;
      request.type = ICS_RV_RESUME;
      request.joined = self->joined;
      if (request.nameplate == 0)
        request.nameplate = (guint)strtoul (self->nameplate, NULL, 10);
    }
  else if (self->wanted != NULL)
    {
      request.type = ICS_RV_JOIN;
      request.nameplate = (guint)strtoul (self->wanted, NULL, 10);
    }
  ics_ws_channel_send_request (self, &request);
}

static void
adopt (IcsWsChannel *self, SoupWebsocketConnection *websocket)
{
  self->websocket = websocket;
  self->heard = g_get_monotonic_time ();
  g_signal_connect (websocket, "message", G_CALLBACK (on_message), self);
  g_signal_connect (websocket, "closed", G_CALLBACK (on_closed), self);
  self->beat = ics_timeout_new (ICS_RV_BEAT_US / 1000, on_beat, self);
  send_first_request (self);
}

static void
on_dialed (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (IcsWsChannel) self = data;
  g_autoptr (GError) error = NULL;
  SoupWebsocketConnection *websocket = ics_ws_dial_finish (result, &error);

  /* Another attempt has taken its place, or the channel is closed. */
  if (g_task_get_cancellable (G_TASK (result)) != self->dialing)
    {
      g_clear_object (&websocket);
      return;
    }
  g_clear_object (&self->dialing);
  if (websocket != NULL)
    adopt (self, websocket);
  else if (self->placed)
    ics_ws_channel_interrupt (self, error->message);
  else
    ics_ws_channel_finish (self, g_steal_pointer (&error));
}

void
ics_ws_channel_dial (IcsWsChannel *self)
{
  IcsWsDial config = { .uri = self->uri, .family = self->family, .timeout_ms = self->connect_timeout_ms };

  if (self->placed)
    config.timeout_ms = MIN (config.timeout_ms, RETURN_TIMEOUT_MS);
  stop_dialing (self);
  self->dialing = g_cancellable_new ();
  ics_ws_dial_async (&config, self->dialing, on_dialed, g_object_ref (self));
}
