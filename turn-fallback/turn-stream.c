/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "turn-fallback/turn-stream.h"
#include <string.h>

#define STUN_HEADER 20 /* RFC 8489 §5 */
#define CHANNEL_HEADER 4
/* So many bytes say what it is, and how long: a STUN message's cookie is among them. */
#define STUN_PROOF 8

static const guint8 magic_cookie[] = { 0x21, 0x12, 0xa4, 0x42 };

static gboolean
is_channel_data (const IcsTurnStream *self)
{
  return self->kept[0] >= 0x40 && self->kept[0] <= 0x4f; /* RFC 8656 §12 */
}

/* What is needed before the length is known. */
static gsize
head_size (const IcsTurnStream *self)
{
  return self->have > 0 && is_channel_data (self) ? CHANNEL_HEADER : STUN_PROOF;
}

static gboolean
judge_head (IcsTurnStream *self)
{
  gsize length = (gsize)self->kept[2] << 8 | self->kept[3];

  if (is_channel_data (self))
    self->size = CHANNEL_HEADER + (length + 3) / 4 * 4;
  else if (self->kept[0] < 0x40 && length % 4 == 0 && memcmp (self->kept + 4, magic_cookie, 4) == 0)
    self->size = STUN_HEADER + length;
  else
    self->broken = TRUE;
  return !self->broken;
}

static gsize
collect (IcsTurnStream *self, const guint8 *data, gsize len, gsize until)
{
  gsize n = MIN (len, until - self->have);

  if (self->have < sizeof self->kept)
    memcpy (self->kept + self->have, data, MIN (n, sizeof self->kept - self->have));
  self->have += n;
  return n;
}

gboolean
ics_turn_stream_take (IcsTurnStream *self, const guint8 *data, gsize len, IcsTurnFrame *frame)
{
  memset (frame, 0, sizeof *frame);
  while (!self->broken && self->size == 0 && frame->used < len)
    {
      /* The first byte says how much there is to the head. */
      gsize until = self->have == 0 ? 1 : head_size (self);

      frame->used += collect (self, data + frame->used, len - frame->used, until);
      if (self->have == head_size (self))
        judge_head (self);
    }
  if (self->broken)
    return FALSE;
  if (self->size == 0)
    return TRUE;
  frame->used += collect (self, data + frame->used, len - frame->used, self->size);
  frame->channel_data = is_channel_data (self);
  if (self->have < self->size)
    return TRUE;
  frame->complete = TRUE;
  if (!frame->channel_data && self->size <= sizeof self->kept)
    frame->stun = ICS_SPAN (self->kept, self->size);
  self->have = self->size = 0;
  return TRUE;
}
