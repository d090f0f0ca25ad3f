/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/wire.h"
#include <string.h>

void
ics_reader_init (IcsReader *self, const guint8 *data, gsize len)
{
  *self = (IcsReader){ .data = data, .len = len };
}

IcsSpan
ics_reader_bytes (IcsReader *self, gsize len)
{
  IcsSpan span;

  if (self->failed || len > self->len - self->pos)
    {
      self->failed = TRUE;
      return ICS_SPAN (NULL, 0);
    }
  span = ICS_SPAN (self->data + self->pos, len);
  self->pos += len;
  return span;
}

static guint64
read_uint (IcsReader *self, gsize width)
{
  IcsSpan span = ics_reader_bytes (self, width);
  guint64 value = 0;

  for (gsize i = 0; i < span.len; i++)
    value = value << 8 | span.data[i];
  return value;
}

guint8
ics_reader_u8 (IcsReader *self)
{
  return (guint8)read_uint (self, 1);
}

guint16
ics_reader_u16 (IcsReader *self)
{
  return (guint16)read_uint (self, 2);
}

guint32
ics_reader_u32 (IcsReader *self)
{
  return (guint32)read_uint (self, 4);
}

guint64
ics_reader_u64 (IcsReader *self)
{
  return read_uint (self, 8);
}

IcsSpan
ics_reader_blob8 (IcsReader *self)
{
  return ics_reader_bytes (self, ics_reader_u8 (self));
}

IcsSpan
ics_reader_blob16 (IcsReader *self)
{
  return ics_reader_bytes (self, ics_reader_u16 (self));
}

gsize
ics_reader_remaining (const IcsReader *self)
{
  return self->failed ? 0 : self->len - self->pos;
}

gboolean
ics_reader_finish (const IcsReader *self)
{
  return !self->failed && self->pos == self->len;
}

void
ics_writer_init (IcsWriter *self, guint8 *data, gsize size)
{
  *self = (IcsWriter){ .data = data, .size = size };
}

guint8 *
ics_writer_reserve (IcsWriter *self, gsize len)
{
  guint8 *start;

  if (self->failed || len > self->size - self->len)
    {
      self->failed = TRUE;
      return NULL;
    }
  start = self->data + self->len;
  self->len += len;
  return start;
}

static void
write_uint (IcsWriter *self, guint64 value, gsize width)
{
  guint8 *start = ics_writer_reserve (self, width);

  for (gsize i = 0; start != NULL && i < width; i++)
    start[i] = (guint8)(value >> 8 * (width - 1 - i));
}

void
ics_writer_u8 (IcsWriter *self, guint8 value)
{
  write_uint (self, value, 1);
}

void
ics_writer_u16 (IcsWriter *self, guint16 value)
{
  write_uint (self, value, 2);
}

void
ics_writer_u32 (IcsWriter *self, guint32 value)
{
  write_uint (self, value, 4);
}

void
ics_writer_u64 (IcsWriter *self, guint64 value)
{
  write_uint (self, value, 8);
}

void
ics_writer_bytes (IcsWriter *self, const guint8 *data, gsize len)
{
  guint8 *start = ics_writer_reserve (self, len);

  if (start != NULL && len > 0)
    memcpy (start, data, len);
}

void
ics_writer_zeros (IcsWriter *self, gsize len)
{
  guint8 *start = ics_writer_reserve (self, len);

  if (start != NULL && len > 0)
    memset (start, 0, len);
}

/* The room is asked for in one piece, so that a blob that does not fit leaves no stray length behind. */
static void
write_blob (IcsWriter *self, IcsSpan blob, gsize width)
{
  gsize max = ((gsize)1 << 8 * width) - 1;

  if (self->failed || blob.len > max || width + blob.len > self->size - self->len)
    {
      self->failed = TRUE;
      return;
    }
  write_uint (self, blob.len, width);
  ics_writer_bytes (self, blob.data, blob.len);
}

void
ics_writer_blob8 (IcsWriter *self, IcsSpan blob)
{
  write_blob (self, blob, 1);
}

void
ics_writer_blob16 (IcsWriter *self, IcsSpan blob)
{
  write_blob (self, blob, 2);
}

gboolean
ics_writer_finish (const IcsWriter *self)
{
  return !self->failed;
}
