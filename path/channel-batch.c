/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path/channel-batch.h"

#define HEADER 2

void
ics_batch_append (GByteArray *batch, const guint8 *data, gsize len)
{
  guint16 header = g_htons ((guint16)len);

  g_byte_array_append (batch, (const guint8 *)&header, HEADER);
  g_byte_array_append (batch, data, (guint)len);
}

gboolean
ics_batch_next (const guint8 **cursor, gsize *left, const guint8 **data, gsize *len, gboolean *malformed)
{
  gsize length;

  if (*left == 0)
    return FALSE;
  length = *left >= HEADER ? (gsize)((*cursor)[0] << 8 | (*cursor)[1]) : 0;
  if (length == 0 || length > *left - HEADER)
    {
      *malformed = TRUE;
      return FALSE;
    }
  *data = *cursor + HEADER;
  *len = length;
  *cursor += HEADER + length;
  *left -= HEADER + length;
  return TRUE;
}
