/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path/channel-batch.h"
#include "session/engine-private.h"

#include <string.h>

/* What takes a path's packets: the channel or an ICE attempt. */

IcsCarrier *
ics_carrier_new (IcsEngine *engine, guint id, IcsPathKind kind, IcsTraversal *attempt)
{
  IcsCarrier *path = g_new0 (IcsCarrier, 1);

  path->engine = engine;
  path->id = id;
  path->kind = kind;
  path->attempt = attempt;
  path->batch = g_byte_array_new ();
  return path;
}

void
ics_carrier_free (IcsCarrier *path)
{
  g_byte_array_unref (path->batch);
  g_free (path);
}

gboolean
ics_carrier_can_send (IcsCarrier *path)
{
  if (path->attempt != NULL)
    return !path->blocked;
  return ics_channel_get_writable (path->engine->channel) >= path->batch->len + 2 * ICS_BATCH_TARGET;
}

gsize
ics_carrier_get_max_batch (IcsCarrier *path)
{
  return path->attempt != NULL ? ICS_QUIC_BATCH_SIZE : ICS_BATCH_TARGET;
}

/* Of what the attempt does not take now the rest is kept, never more than one batch. */
static void
send_on_attempt (IcsCarrier *path, const IcsQuicBatch *batch)
{
  gsize taken;

  /* A failed one is lost, as any datagram may be; the probes find out whether the path is. */
  if (path->blocked
      || ics_traversal_send_segments (path->attempt, batch->data, batch->len, batch->segment, &taken)
             != ICS_SEND_BLOCKED)
    return;
  path->blocked = TRUE;
  path->segment = batch->segment;
  g_byte_array_set_size (path->batch, 0);
  g_byte_array_append (path->batch, batch->data + taken, (guint)(batch->len - taken));
}

void
ics_carrier_send_batch (IcsCarrier *path, const IcsQuicBatch *batch)
{
  if (path->attempt != NULL)
    {
      send_on_attempt (path, batch);
      return;
    }
  for (gsize at = 0, n; at < batch->len; at += n)
    {
      n = ics_quic_batch_packet (batch, at);
      ics_batch_append (path->batch, batch->data + at, n);
      if (path->batch->len >= ICS_BATCH_TARGET)
        ics_carrier_flush (path);
    }
}

void
ics_carrier_send (IcsCarrier *path, const guint8 *data, gsize len)
{
  ics_carrier_send_batch (path, &(IcsQuicBatch){ .data = data, .len = len, .segment = len });
}

void
ics_carrier_flush (IcsCarrier *path)
{
  g_autoptr (GBytes) message = NULL;

  if (path->attempt != NULL || path->batch->len == 0)
    return;
  message = g_bytes_new (path->batch->data, path->batch->len);
  g_byte_array_set_size (path->batch, 0);
  ics_channel_send (path->engine->channel, ICS_CHANNEL_DATA, message);
}

void
ics_carrier_unblock (IcsCarrier *path)
{
  path->blocked = FALSE;
  if (path->batch->len > 0)
    {
      g_autoptr (GByteArray) held = path->batch;

      path->batch = g_byte_array_new ();
      send_on_attempt (path,
                       &(IcsQuicBatch){ .data = held->data, .len = held->len, .segment = path->segment });
    }
  ics_engine_wake (path->engine);
}
