/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Datagrams over a byte stream (RFC 4571 §2): each after its length in 16 bits, big-endian. Sans-IO. */

#define ICS_FRAME_HEADER 2
#define ICS_FRAME_MAX G_MAXUINT16

typedef enum
{
  ICS_FRAME_MORE,    /* no whole frame there */
  ICS_FRAME_WHOLE,   /* one frame; ask again */
  ICS_FRAME_TOO_LONG /* more than is taken: the stream is of no use any more */
} IcsFrameRead;

/* Cuts a stream into frames. Holds at most one frame of the length that is allowed, and what was fed with its
 * end. */
typedef struct
{
  GByteArray *buffer;
  gsize at;  /* what lies before has been read */
  gsize max; /* the longest frame that is taken */
} IcsFrameReader;

void ics_frame_reader_init (IcsFrameReader *self, gsize max);
void ics_frame_reader_clear (IcsFrameReader *self);

/* From now on. A frame of which a part has come already counts. */
void ics_frame_reader_set_max (IcsFrameReader *self, gsize max);

void ics_frame_reader_feed (IcsFrameReader *self, const guint8 *data, gsize len);

/* @data is good until the next feed. An empty frame is whole, too (RFC 4571 §2). */
IcsFrameRead ics_frame_reader_next (IcsFrameReader *self, const guint8 **data, gsize *len);

/* Appends a frame; @len at most ICS_FRAME_MAX. */
void ics_frame_write (GByteArray *out, const guint8 *data, gsize len);

G_END_DECLS
