/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bytes that belong to somebody else. */
typedef struct
{
  const guint8 *data;
  gsize len;
} IcsSpan;

#define ICS_SPAN(data, len) ((IcsSpan){ (data), (len) })

/* A cursor over received bytes, big endian. Reading past the end yields zeros and an empty span and makes the
 * reader fail for good, so that a whole message is read in one go and judged once, by ics_reader_finish(). */
typedef struct
{
  const guint8 *data;
  gsize len;
  gsize pos;
  gboolean failed;
} IcsReader;

void ics_reader_init (IcsReader *self, const guint8 *data, gsize len);
guint8 ics_reader_u8 (IcsReader *self);
guint16 ics_reader_u16 (IcsReader *self);
guint32 ics_reader_u32 (IcsReader *self);
guint64 ics_reader_u64 (IcsReader *self);
IcsSpan ics_reader_bytes (IcsReader *self, gsize len);
IcsSpan ics_reader_blob8 (IcsReader *self);  /* a length in 8 bits, then that many bytes */
IcsSpan ics_reader_blob16 (IcsReader *self); /* a length in 16 bits, then that many bytes */
gsize ics_reader_remaining (const IcsReader *self);

/* TRUE when nothing failed and every byte was read. */
gboolean ics_reader_finish (const IcsReader *self);

/* The same for writing into a buffer of fixed size. A write that does not fit writes nothing and makes the
 * writer fail for good. */
typedef struct
{
  guint8 *data;
  gsize size;
  gsize len;
  gboolean failed;
} IcsWriter;

void ics_writer_init (IcsWriter *self, guint8 *data, gsize size);
void ics_writer_u8 (IcsWriter *self, guint8 value);
void ics_writer_u16 (IcsWriter *self, guint16 value);
void ics_writer_u32 (IcsWriter *self, guint32 value);
void ics_writer_u64 (IcsWriter *self, guint64 value);
void ics_writer_bytes (IcsWriter *self, const guint8 *data, gsize len);
void ics_writer_zeros (IcsWriter *self, gsize len);
void ics_writer_blob8 (IcsWriter *self, IcsSpan blob);  /* at most 255 bytes */
void ics_writer_blob16 (IcsWriter *self, IcsSpan blob); /* at most 65535 bytes */

/* The next @len bytes of the buffer, for the caller to fill; NULL when they do not fit. */
guint8 *ics_writer_reserve (IcsWriter *self, gsize len);

/* TRUE when everything fitted; the message is the first self->len bytes. */
gboolean ics_writer_finish (const IcsWriter *self);

G_END_DECLS
