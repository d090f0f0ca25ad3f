/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/engine-private.h"

#include <sodium.h>

/* Control messages beside QUIC. Where the policies keep application data off the channel, QUIC must not move
 * there when the direct path dies: it would repeat there what was lost. It stays on the dead path, and what
 * the hosts have to say to find another one goes over the channel as sealed datagrams. They may be lost with
 * the channel's connection; an attempt whose messages are lost fails, and is made again. */

#define LABEL "EXPORTER-ice-session-control"
/* RFC 9443 §2: like that of a probe, nobody's. */
#define FIRST_BYTE 0x05
#define HEADER (1 + 8)

static IcsSeal *
new_seal (IcsEngine *self, gboolean joiner)
{
  guint8 key[ICS_SEAL_KEY_SIZE];
  IcsSeal *seal = NULL;

  if (ics_quic_export (self->quic, LABEL, joiner ? "client" : "server", key, sizeof key))
    seal = ics_seal_new (key);
  sodium_memzero (key, sizeof key);
  return seal;
}

void
ics_sealed_start (IcsEngine *self)
{
  self->seal_tx = new_seal (self, self->joiner);
  self->seal_rx = new_seal (self, !self->joiner);
}

void
ics_sealed_clear (IcsEngine *self)
{
  g_clear_pointer (&self->seal_tx, ics_seal_free);
  g_clear_pointer (&self->seal_rx, ics_seal_free);
}

void
ics_sealed_path_died (IcsEngine *self, const IcsCarrier *path)
{
  if (path->id == ics_path_engine_get_active (self->paths)
      && (ics_engine_allowed (self) & 1u << ICS_PATH_CHANNEL) == 0)
    self->cut_off = TRUE;
}

gboolean
ics_sealed_send (IcsEngine *self, GBytes *message)
{
  IcsCarrier *channel = ics_engine_find_path (self, self->channel_path);
  gsize len;
  const guint8 *data = g_bytes_get_data (message, &len);
  g_autofree guint8 *datagram = NULL;
  IcsWriter writer;

  if (!self->cut_off || self->seal_tx == NULL || channel == NULL || !ics_carrier_can_send (channel))
    return FALSE;
  datagram = g_malloc (HEADER + len + ICS_SEAL_OVERHEAD);
  ics_writer_init (&writer, datagram, HEADER + len + ICS_SEAL_OVERHEAD);
  ics_writer_u8 (&writer, FIRST_BYTE);
  ics_writer_u64 (&writer, ics_seal_get_next (self->seal_tx));
  ics_seal_seal (self->seal_tx, datagram + HEADER, ICS_SPAN (data, len), ICS_SPAN (datagram, HEADER));
  ics_carrier_send (channel, datagram, HEADER + len + ICS_SEAL_OVERHEAD);
  ics_carrier_flush (channel);
  return TRUE;
}

gboolean
ics_sealed_matches (const guint8 *data, gsize len)
{
  return len > HEADER + ICS_SEAL_OVERHEAD && len <= HEADER + ICS_SEAL_OVERHEAD + ICS_CONTROL_FRAME_MAX
         && data[0] == FIRST_BYTE;
}

/* The peer is cut off, so this host is too, even if it has not noticed. */
void
ics_sealed_receive (IcsEngine *self, const guint8 *data, gsize len)
{
  g_autofree guint8 *frame = g_malloc (len);
  IcsReader reader;
  IcsSpan head, sealed;

  ics_reader_init (&reader, data, len);
  head = ics_reader_bytes (&reader, HEADER);
  sealed = ics_reader_bytes (&reader, ics_reader_remaining (&reader));
  ics_reader_init (&reader, head.data + 1, HEADER - 1);
  if (self->seal_rx == NULL
      || !ics_seal_open_at (self->seal_rx, ics_reader_u64 (&reader), frame, sealed, head))
    {
      self->strays++;
      return;
    }
  if ((ics_engine_allowed (self) & 1u << ICS_PATH_CHANNEL) == 0)
    self->cut_off = TRUE;
  ics_engine_handle_frame (self, frame, sealed.len - ICS_SEAL_OVERHEAD);
}
