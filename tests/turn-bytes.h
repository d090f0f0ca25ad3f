/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/turn-answer.h"
#include "base/wire.h"

/* TURN messages as bytes. */

/* RFC 8489 §5, figure 3 */
static inline guint16
turn_type (guint method, IcsStunClass class)
{
  return (guint16)((method & 0xf) | (method & 0x70) << 1 | (method & 0xf80) << 2 | (class & 1u) << 4
                   | (class & 2u) << 7);
}

/* Appends a message with these attributes, which are whole ones. */
static inline void
turn_append (GByteArray *out, guint16 type, const guint8 *attributes, gsize len)
{
  guint8 head[20] = { 0 };
  IcsWriter writer;

  ics_writer_init (&writer, head, sizeof head);
  ics_writer_u16 (&writer, type);
  ics_writer_u16 (&writer, (guint16)len);
  ics_writer_u32 (&writer, 0x2112A442);
  g_byte_array_append (out, head, sizeof head);
  if (len > 0)
    g_byte_array_append (out, attributes, (guint)len);
}

static inline void
turn_append_allocate (GByteArray *out)
{
  /* RFC 8656 §18.7: REQUESTED-TRANSPORT, UDP */
  static const guint8 attributes[] = { 0, 0x19, 0, 4, 17, 0, 0, 0 };

  turn_append (out, turn_type (ICS_TURN_ALLOCATE, ICS_STUN_REQUEST), attributes, sizeof attributes);
}

static inline void
turn_append_success (GByteArray *out)
{
  turn_append (out, turn_type (ICS_TURN_ALLOCATE, ICS_STUN_SUCCESS), NULL, 0);
}

/* @port 0: no alternate server. */
static inline void
turn_append_error (GByteArray *out, guint method, guint code, guint32 ipv4, guint16 port)
{
  guint8 attributes[32];
  IcsWriter writer;

  ics_writer_init (&writer, attributes, sizeof attributes);
  ics_writer_u16 (&writer, 0x0009);
  ics_writer_u16 (&writer, 6);
  ics_writer_u16 (&writer, 0);
  ics_writer_u8 (&writer, (guint8)(code / 100));
  ics_writer_u8 (&writer, (guint8)(code % 100));
  ics_writer_bytes (&writer, (const guint8 *)"no", 2);
  ics_writer_zeros (&writer, 2);
  if (port != 0)
    {
      ics_writer_u16 (&writer, 0x8023);
      ics_writer_u16 (&writer, 8);
      ics_writer_u16 (&writer, 1);
      ics_writer_u16 (&writer, port);
      ics_writer_u32 (&writer, ipv4);
    }
  turn_append (out, turn_type (method, ICS_STUN_ERROR), attributes, writer.len);
}

static inline void
turn_append_channel_data (GByteArray *out, gsize len)
{
  g_autofree guint8 *data = g_malloc0 (4 + (len + 3) / 4 * 4);

  data[0] = 0x40;
  data[2] = (guint8)(len >> 8);
  data[3] = (guint8)len;
  for (gsize i = 0; i < len; i++)
    data[4 + i] = (guint8)i;
  g_byte_array_append (out, data, (guint)(4 + (len + 3) / 4 * 4));
}
