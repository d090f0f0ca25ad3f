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
