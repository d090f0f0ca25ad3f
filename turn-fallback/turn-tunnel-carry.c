/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "turn-fallback/turn-tunnel-private.h"

/* What goes through a tunnel whose both ends are there. */

static void up_pump (IcsTurnTunnel *self);
static void down_pump (IcsTurnTunnel *self);

static void
tell (IcsTurnTunnel *self, IcsTurnTalkEvent event, const IcsTurnAnswer *answer)
{
  g_autofree char *cause = NULL;

  switch (event)
    {
    case ICS_TURN_TALK_NOTHING:
      break;
    case ICS_TURN_TALK_REDIRECTED:
      ics_tunnel_redirect (self, answer);
      break;
    case ICS_TURN_TALK_OTHER_FAMILY:
      ics_tunnel_note (self, "%s has no IPv4 relay: asked for an IPv6 one", self->uri);
      ics_tunnel_dial_anew (self);
      break;
    case ICS_TURN_TALK_REFUSED:
      cause = ics_turn_verdict_cause (ics_turn_talk_get_verdict (self->talk));
      ics_tunnel_note (self, "%s refused: %s", self->uri, cause);
      break;
    case ICS_TURN_TALK_LOST:
      ics_tunnel_note (self, "%s has given up the allocation (%u)", self->uri, answer->code);
      break;
    case ICS_TURN_TALK_FORBIDDEN:
      ics_tunnel_note (self, "%s does not relay to one of the other host's addresses (%u)", self->uri,
                       answer->code);
      break;
    case ICS_TURN_TALK_BROKEN:
      ics_tunnel_note (self, "what answers at %s is no TURN server", self->uri);
      ics_tunnel_end (self);
      break;
    }
}

static void
lose (IcsTurnTunnel *self, const GError *error)
{
  const char *why = error != NULL ? error->message : "the server closed it";

  if (self->state == ICS_TUNNEL_ENDED)
    return;
  if (ics_turn_talk_has_allocated (self->talk))
    ics_tunnel_note (self, "the connection to %s broke: %s", self->uri, why);
  else
    ics_tunnel_note (self, "the connection to %s broke during the allocation: %s", self->uri, why);
  ics_tunnel_end (self);
}

static void
begin_write (IcsTurnTunnel *self, IcsTunnelDirection *direction, GSocketConnection *to,
             GAsyncReadyCallback done)
{
  direction->writing = direction->queue;
  direction->queue = g_byte_array_new ();
  g_output_stream_write_all_async (g_io_stream_get_output_stream (G_IO_STREAM (to)), direction->writing->data,
                                   direction->writing->len, G_PRIORITY_DEFAULT, self->cancellable, done,
                                   ics_tunnel_hold (self));
}

/* Later on the server speaks without being asked. */
static void
note_request (IcsTurnTunnel *self)
{
  if (self->asked_at == 0 && !ics_turn_talk_has_allocated (self->talk))
    self->asked_at = g_get_monotonic_time ();
}

static void
note_answer (IcsTurnTunnel *self)
{
  gint64 rtt = g_get_monotonic_time () - self->asked_at;

  if (self->asked_at == 0)
    return;
  self->rtt = self->rtt < 0 ? rtt : MIN (self->rtt, rtt);
  self->asked_at = 0;
}

static void
take_from_server (IcsTurnTunnel *self, gsize len)
{
  IcsTurnTalkEvent event = ICS_TURN_TALK_NOTHING;
  IcsTurnAnswer answer;

  for (gsize used = 0; used < len && self->state == ICS_TUNNEL_CARRYING;)
    {
      used += ics_turn_talk_from_server (self->talk, self->down.buffer + used, len - used, self->down.queue,
                                         &event, &answer);
      tell (self, event, &answer);
      if (self->state != ICS_TUNNEL_CARRYING)
        return;
    }
}

static void
on_down_read (GObject *source, GAsyncResult *result, gpointer data)
{
  IcsTurnTunnel *self = data;
  g_autoptr (GError) error = NULL;
  gssize n = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);

  self->down.reading = FALSE;
  if (self->state != ICS_TUNNEL_ENDED && n <= 0)
    lose (self, error);
  else if (self->state == ICS_TUNNEL_CARRYING)
    {
      note_answer (self);
      take_from_server (self, (gsize)n);
      down_pump (self);
    }
  ics_tunnel_release (self);
}

static void
on_down_written (GObject *source, GAsyncResult *result, gpointer data)
{
  IcsTurnTunnel *self = data;
  gboolean written = g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL, NULL);

  g_clear_pointer (&self->down.writing, g_byte_array_unref);
  /* The client is within this process: it has gone. */
  if (written)
    down_pump (self);
  else
    ics_tunnel_end (self);
  ics_tunnel_release (self);
}

/* From the server to the client. */
static void
down_pump (IcsTurnTunnel *self)
{
  IcsTunnelDirection *down = &self->down;

  if (self->state == ICS_TUNNEL_ENDED || down->writing != NULL)
    return;
  if (down->queue->len > 0)
    {
      begin_write (self, down, self->client, on_down_written);
      return;
    }
  if (self->state != ICS_TUNNEL_CARRYING || down->reading)
    return;
  down->reading = TRUE;
  g_input_stream_read_async (g_io_stream_get_input_stream (G_IO_STREAM (self->outer)), down->buffer,
                             sizeof down->buffer, G_PRIORITY_DEFAULT, self->cancellable, on_down_read,
                             ics_tunnel_hold (self));
}

static void
on_up_read (GObject *source, GAsyncResult *result, gpointer data)
{
  IcsTurnTunnel *self = data;
  gssize n = g_input_stream_read_finish (G_INPUT_STREAM (source), result, NULL);

  self->up.reading = FALSE;
  if (n <= 0)
    ics_tunnel_end (self);
  else if (self->state != ICS_TUNNEL_ENDED)
    {
      /* While there is no server nothing is kept but the last request. */
      if (self->state == ICS_TUNNEL_CARRYING)
        note_request (self);
      ics_turn_talk_from_client (self->talk, self->up.buffer, (gsize)n,
                                 self->state == ICS_TUNNEL_CARRYING ? self->up.queue : NULL);
      up_pump (self);
    }
  ics_tunnel_release (self);
}

static void
on_up_written (GObject *source, GAsyncResult *result, gpointer data)
{
  IcsTurnTunnel *self = data;
  g_autoptr (GError) error = NULL;
  gboolean written = g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL, &error);
  gboolean current
      = self->outer != NULL && source == G_OBJECT (g_io_stream_get_output_stream (G_IO_STREAM (self->outer)));

  g_clear_pointer (&self->up.writing, g_byte_array_unref);
  if (!written && current)
    lose (self, error);
  up_pump (self);
  ics_tunnel_release (self);
}

/* From the client to the server. */
static void
up_pump (IcsTurnTunnel *self)
{
  IcsTunnelDirection *up = &self->up;

  if (self->state == ICS_TUNNEL_ENDED || up->writing != NULL)
    return;
  if (self->state == ICS_TUNNEL_CARRYING && up->queue->len > 0)
    {
      begin_write (self, up, self->outer, on_up_written);
      return;
    }
  if (up->reading)
    return;
  up->reading = TRUE;
  g_input_stream_read_async (g_io_stream_get_input_stream (G_IO_STREAM (self->client)), up->buffer,
                             sizeof up->buffer, G_PRIORITY_DEFAULT, self->cancellable, on_up_read,
                             ics_tunnel_hold (self));
}

void
ics_tunnel_carry (IcsTurnTunnel *self)
{
  self->state = ICS_TUNNEL_CARRYING;
  up_pump (self);
  down_pump (self);
}
