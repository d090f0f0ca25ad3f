/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/quic-conn-private.h"

/* The path of what this side sends (RFC 9000 §9). */

static void
tell_moved (IcsQuic *self, guint path)
{
  self->sending_path = path;
  self->path_since = self->now;
  ics_quic_push_event (self, ICS_QUIC_EVENT_MOVED, path);
}

/* The path this side sends on changes when a move of ours is through, or when the peer moved. */
void
ics_quic_notice_move (IcsQuic *self)
{
  guint path = ics_quic_get_path (self);

  if (path != self->sending_path)
    tell_moved (self, path);
}

/* --- what a server may send before it has validated a path --- */

#define VOUCHED_DATAGRAM 60000
#define AMPLIFICATION 3 /* RFC 9000 §8 */

/* All paths that lead here were validated before QUIC saw them: by authenticated connectivity checks (RFC
 * 8445), TURN's permissions for the peer's address, or a stream to the server. RFC 9000 §8 limits a server to
 * three times what it received only until the address is validated, but ngtcp2 knows but one way to do that.
 * Under that limit it takes its loss detection timer back, and when the window is full by then it neither
 * sets it again nor tries the path any more: both ends wait for ever. So what the checks have shown is made
 * known to it as bytes that came from there, in a datagram that holds no packet. */
void
ics_quic_vouch_for_path (IcsQuic *self)
{
  const ngtcp2_path *path;
  IcsPathTag tag;
  ngtcp2_pkt_info pi = { 0 };
  g_autofree guint8 *nothing = NULL;

  if (self->config.client || !ngtcp2_conn_get_handshake_completed (self->conn))
    return;
  path = ngtcp2_conn_get_path (self->conn);
  tag = ics_synthetic_path_tag (path);
  if (!ics_path_tag_equal (tag, self->vouched_tag))
    {
      self->vouched_tag = tag;
      self->vouched = 0;
    }
  if (self->vouched >= 2 * ICS_QUIC_BATCH_SIZE)
    return;
  nothing = g_malloc0 (VOUCHED_DATAGRAM);
  nothing[0] = 0x80; /* a long header without a version */
  if (ngtcp2_conn_read_pkt (self->conn, path, &pi, nothing, VOUCHED_DATAGRAM, ics_quic_ts (self->now)) == 0)
    self->vouched += AMPLIFICATION * VOUCHED_DATAGRAM;
}

void
ics_quic_path_is_valid (IcsQuic *self, IcsPathTag tag)
{
  if (ics_path_tag_equal (tag, self->vouched_tag))
    self->vouched = G_MAXSIZE;
}

/* --- moves --- */

IcsQuicMove
ics_quic_move (IcsQuic *self, gint64 now, guint path, gboolean immediate)
{
  IcsSyntheticPath target;
  IcsPathTag tag;
  int rv;

  if (self->closed || self->conn == NULL || !self->config.client)
    return ICS_QUIC_MOVE_REFUSED;
  now = ics_quic_advance (self, now);
  tag = ics_path_map_next (self->paths, path);
  ics_synthetic_path_init (&target, tag);
  rv = immediate ? ngtcp2_conn_initiate_immediate_migration (self->conn, &target.path, ics_quic_ts (now))
                 : ngtcp2_conn_initiate_migration (self->conn, &target.path, ics_quic_ts (now));
  if (rv == NGTCP2_ERR_INVALID_STATE || rv == NGTCP2_ERR_CONN_ID_BLOCKED)
    return ICS_QUIC_MOVE_LATER;
  if (rv != 0)
    {
      if (ngtcp2_err_is_fatal (rv))
        ics_quic_fail (self, rv);
      return ICS_QUIC_MOVE_REFUSED;
    }
  ics_path_map_commit (self->paths, tag);
  self->moving = TRUE;
  self->moving_to = tag;
  if (immediate)
    tell_moved (self, path);
  return ICS_QUIC_MOVE_STARTED;
}

guint
ics_quic_get_move (IcsQuic *self)
{
  return self->moving ? self->moving_to.path : 0;
}
