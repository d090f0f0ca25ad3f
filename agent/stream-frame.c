/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/stream-frame.h"

void
ics_frame_reader_init (IcsFrameReader *self, gsize max)
{
  self->buffer = g_byte_array_new ();
  self->at = 0;
  self->max = max;
}

void
ics_frame_reader_clear (IcsFrameReader *self)
{
  g_clear_pointer (&self->buffer, g_byte_array_unref);
}

void
ics_frame_reader_set_max (IcsFrameReader *self, gsize max)
{
  self->max = max;
}

void
ics_frame_reader_feed (IcsFrameReader *self, const guint8 *data, gsize len)
{
  if (self->at > 0)
    g_byte_array_remove_range (self->buffer, 0, (guint)self->at);
  self->at = 0;
  g_byte_array_append (self->buffer, data, (guint)len);
}

IcsFrameRead
ics_frame_reader_next (IcsFrameReader *self, const guint8 **data, gsize *len)
{
  const guint8 *head = self->buffer->data + self->at;
  gsize there = self->buffer->len - self->at;

  if (there < ICS_FRAME_HEADER)
    return ICS_FRAME_MORE;
  *len = (gsize)(head[0] << 8 | head[1]);
  if (*len > self->max)
    return ICS_FRAME_TOO_LONG;
  if (there < ICS_FRAME_HEADER + *len)
    return ICS_FRAME_MORE;
  *data = head + ICS_FRAME_HEADER;
  self->at += ICS_FRAME_HEADER + *len;
  return ICS_FRAME_WHOLE;
}

void
ics_frame_write (GByteArray *out, const guint8 *data, gsize len)
{
  const guint8 header[ICS_FRAME_HEADER] = { (guint8)(len >> 8), (guint8)len };

  g_byte_array_append (out, header, sizeof header);
  g_byte_array_append (out, data, (guint)len);
}
