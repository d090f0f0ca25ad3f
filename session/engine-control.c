/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/engine-private.h"

/* The control stream: candidates, moves, media and the goodbye. */

/* Messages that wait for the stream; a peer that does not read them is not served without end. */
#define MAX_WAITING 256

void
ics_engine_flush_control (IcsEngine *self)
{
  while (self->control != NULL && !g_queue_is_empty (&self->control_out))
    {
      GBytes *message = g_queue_peek_head (&self->control_out);
      gsize len;
      const guint8 *data = g_bytes_get_data (message, &len);
      gssize n = ics_quic_stream_write (self->control, data, len, FALSE, NULL, NULL);

      if (n < 0)
        return;
      g_queue_pop_head (&self->control_out);
      if ((gsize)n < len)
        g_queue_push_head (&self->control_out, g_bytes_new_from_bytes (message, (gsize)n, len - (gsize)n));
      g_bytes_unref (message);
    }
}

void
ics_engine_send_control (IcsEngine *self, const IcsControl *message)
{
  g_autoptr (GBytes) frame = ics_control_encode (message);

  /* Which is there for the packet that it makes. */
  if (message->type != ICS_CONTROL_MOVED && ics_sealed_send (self, frame))
    return;
  if (g_queue_get_length (&self->control_out) >= MAX_WAITING)
    return;
  g_queue_push_tail (&self->control_out, g_steal_pointer (&frame));
  ics_engine_flush_control (self);
  ics_engine_wake (self);
}

static void
on_bye (IcsEngine *self, IcsControl *message)
{
  GError *error = NULL;

  self->bye_received = TRUE;
  if (message->code != 0)
    error = g_error_new (ICS_ERROR, ICS_ERROR_REFUSED, "the other host ended the link: %s", message->a);
  ics_engine_note (self, "the other host says goodbye");
  ics_engine_fail (self, error);
}

static void
handle_message (IcsEngine *self, IcsControl *message)
{
  switch (message->type)
    {
    case ICS_CONTROL_RELAYS:
    case ICS_CONTROL_ICE:
    case ICS_CONTROL_CANDIDATE:
    case ICS_CONTROL_END:
    case ICS_CONTROL_OVER:
    case ICS_CONTROL_RENEW:
      ics_legs_handle_control (self, message);
      break;
    case ICS_CONTROL_POLICY:
      ics_policy_handle_control (self, message);
      break;
    case ICS_CONTROL_NAT:
      ics_search_handle_control (self, message);
      break;
    case ICS_CONTROL_MEDIA:
      ics_media_handle_control (self, message);
      break;
    case ICS_CONTROL_BYE:
      on_bye (self, message);
      break;
    case ICS_CONTROL_MOVED:
    case ICS_CONTROL_UNKNOWN:
      break;
    }
}

static void
handle_messages (IcsEngine *self, IcsControlReader *reader)
{
  IcsControlRead read;
  IcsControl message = { 0 };

  while ((read = ics_control_reader_next (reader, &message)) == ICS_CONTROL_MESSAGE)
    {
      handle_message (self, &message);
      ics_control_clear (&message);
    }
  if (read == ICS_CONTROL_MALFORMED)
    ics_engine_fail (self, g_error_new_literal (ICS_ERROR, ICS_ERROR_PROTOCOL,
                                                "the other host's control messages are malformed"));
}

/* One that came whole, beside the stream. */
void
ics_engine_handle_frame (IcsEngine *self, const guint8 *data, gsize len)
{
  IcsControlReader reader;

  ics_control_reader_init (&reader);
  ics_control_reader_feed (&reader, data, len);
  handle_messages (self, &reader);
  ics_control_reader_clear (&reader);
}

void
ics_engine_read_control (IcsEngine *self)
{
  guint8 buf[4096];
  gssize n;

  while (self->control != NULL && !ics_engine_is_over (self)
         && (n = ics_quic_stream_read (self->control, buf, sizeof buf, FALSE, NULL, NULL)) > 0)
    {
      ics_control_reader_feed (&self->control_reader, buf, (gsize)n);
      handle_messages (self, &self->control_reader);
    }
}
