/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/engine-private.h"

/* The paths of the link: what carries them, their probes, and the traffic's moves. */

/* A move that QUIC can not begin yet is tried again after this. */
#define MOVE_RETRY_US 20000

/* --- carriers --- */

IcsCarrier *
ics_engine_find_path (IcsEngine *self, guint id)
{
  return g_hash_table_lookup (self->path_table, GUINT_TO_POINTER (id));
}

static gboolean
is_streamed (IcsTraversal *attempt)
{
  IcsIcePair pair = { 0 };
  gboolean streamed
      = attempt != NULL && ics_traversal_get_pair (attempt, &pair) && !g_str_equal (pair.transport, "udp");

  ics_ice_pair_clear (&pair);
  return streamed;
}

IcsCarrier *
ics_engine_add_path (IcsEngine *self, IcsPathKind kind, IcsTraversal *attempt)
{
  guint id = ics_path_engine_add (self->paths, g_get_monotonic_time (), kind);
  IcsCarrier *path;

  if (id == 0)
    return NULL;
  if (is_streamed (attempt))
    ics_path_engine_set_streamed (self->paths, id);
  path = ics_carrier_new (self, id, kind, attempt);
  if (self->quic != NULL)
    ics_quic_set_path_kind (self->quic, id, kind);
  g_hash_table_insert (self->path_table, GUINT_TO_POINTER (id), path);
  ics_engine_wake (self);
  return path;
}

void
ics_engine_remove_path (IcsEngine *self, IcsCarrier *path)
{
  g_hash_table_remove (self->path_table, GUINT_TO_POINTER (path->id));
  ics_path_engine_remove (self->paths, g_get_monotonic_time (), path->id);
  ics_carrier_free (path);
  ics_engine_wake (self);
}

void
ics_engine_free_carriers (IcsEngine *self)
{
  GHashTableIter iter;
  gpointer path;

  g_hash_table_iter_init (&iter, self->path_table);
  while (g_hash_table_iter_next (&iter, NULL, &path))
    ics_carrier_free (path);
  g_hash_table_unref (self->path_table);
}

/* --- probes --- */

static void
send_probe (IcsEngine *self, IcsCarrier *path, const IcsProbe *probe)
{
  guint8 buf[ICS_PROBE_LEN];

  if (!self->probe_keys)
    return;
  ics_probe_write (buf, probe, self->probe_key_tx);
  /* A stream is often full, and alive all the same: it has room for what is small. */
  if (path->blocked)
    ics_traversal_send (path->attempt, buf, sizeof buf);
  else
    ics_carrier_send (path, buf, sizeof buf);
}

/* QUIC has been waiting longer and longer between its tries (RFC 9002 §6.2.1); on a fresh generation of the
 * path it begins anew, with small packets. */
static void
begin_anew (IcsEngine *self, IcsCarrier *path, const char *why)
{
  guint target = ics_quic_get_move (self->quic);

  if (!self->joiner || path->id != ics_path_engine_get_active (self->paths)
      || ics_quic_move (self->quic, g_get_monotonic_time (), path->id, TRUE) != ICS_QUIC_MOVE_STARTED)
    return;
  ics_engine_note (self, "path %u %s: it starts afresh", path->id, why);
  /* A move that was under way is given up by this: it begins again. */
  if (self->move_at != G_MAXINT64 || (target != 0 && target == self->pending_move.path))
    self->move_at = g_get_monotonic_time ();
}

static void
look_for_black_hole (IcsEngine *self, IcsCarrier *path, gint64 now)
{
  if (!ics_quic_path_answered (self->quic, now, path->id))
    return;
  ics_engine_note (self, "path %u takes no large packets any more", path->id);
  begin_anew (self, path, "lost the large packets");
}

static void
tally_quality (IcsEngine *self, const IcsCarrier *path)
{
  IcsPathStatus status;

  if (path->id == ics_path_engine_get_active (self->paths)
      && ics_path_engine_get_info (self->paths, path->id, &status))
    ics_tally_set_quality (self->tally, status.srtt_us, status.loss);
}

void
ics_engine_receive_probe (IcsEngine *self, IcsCarrier *path, const guint8 *data, gsize len)
{
  gint64 now = g_get_monotonic_time ();
  IcsProbe probe;

  if (!self->probe_keys || !ics_probe_read (data, len, self->probe_key_rx, &probe))
    {
      self->strays++;
      return;
    }
  switch (probe.type)
    {
    case ICS_PROBE_PING:
    case ICS_PROBE_PING_IN_DOUBT:
      if (!ics_path_engine_on_ping (self->paths, now, path->id, probe.seq))
        break;
      if (probe.type == ICS_PROBE_PING_IN_DOUBT)
        ics_path_engine_on_doubt (self->paths, now);
      probe.type = ICS_PROBE_PONG;
      send_probe (self, path, &probe);
      ics_carrier_flush (path);
      break;
    case ICS_PROBE_PONG:
      if (path->attempt != NULL)
        ics_traversal_confirm_consent (path->attempt, (gint64)probe.cookie);
      ics_path_engine_on_probe_reply (self->paths, now, path->id, probe.seq);
      tally_quality (self, path);
      look_for_black_hole (self, path, now);
      break;
    }
}

/* --- moves --- */

static void
try_move (IcsEngine *self, gint64 now)
{
  IcsPathAction *move = &self->pending_move;

  self->move_at = G_MAXINT64;
  /* Gone while QUIC was not ready for the move: the path engine knows, and chooses anew. */
  if (ics_engine_find_path (self, move->path) == NULL)
    return;
  switch (ics_quic_move (self->quic, now, move->path, move->immediate))
    {
    case ICS_QUIC_MOVE_STARTED:
      break;
    case ICS_QUIC_MOVE_LATER:
      self->move_at = now + MOVE_RETRY_US;
      break;
    case ICS_QUIC_MOVE_REFUSED:
      ics_path_engine_on_move_failed (self->paths, now, move->path);
      break;
    }
}

static const char *
path_state_name (IcsPathState state)
{
  switch (state)
    {
    case ICS_PATH_STATE_NEW:
      return "new";
    case ICS_PATH_STATE_ALIVE:
      return "alive";
    case ICS_PATH_STATE_SUSPECT:
      return "suspect";
    case ICS_PATH_STATE_DEAD:
      return "dead";
    }
  return "?";
}

static void
on_active_state (IcsEngine *self, IcsPathState to)
{
  gint64 now = g_get_monotonic_time ();

  if (to == ICS_PATH_STATE_ALIVE)
    {
      self->cut_off = FALSE;
      ics_stall_on_revival (&self->stall, now);
    }
  else if (to == ICS_PATH_STATE_DEAD)
    ics_stall_on_cut (&self->stall, now);
}

static void
on_path_state (IcsEngine *self, const IcsPathAction *action)
{
  IcsCarrier *path = ics_engine_find_path (self, action->path);

  if (path == NULL)
    return;
  /* A path that is only late now and then would fill the record. */
  if (action->to == ICS_PATH_STATE_DEAD
      || (action->to == ICS_PATH_STATE_ALIVE && action->from != ICS_PATH_STATE_SUSPECT))
    ics_engine_note (self, "path %u (%s): %s -> %s", path->id, ics_path_kind_to_string (path->kind),
                     path_state_name (action->from), path_state_name (action->to));
  if (path->id == ics_path_engine_get_active (self->paths))
    on_active_state (self, action->to);
  if (action->to == ICS_PATH_STATE_ALIVE && action->from == ICS_PATH_STATE_DEAD)
    begin_anew (self, path, "carried the traffic when it died");
  if (action->to == ICS_PATH_STATE_ALIVE)
    ics_legs_path_proved (self, path);
  else if (action->to == ICS_PATH_STATE_DEAD)
    {
      ics_sealed_path_died (self, path);
      ics_legs_path_died (self, path);
    }
}

static void
on_probe_due (IcsEngine *self, gint64 now, const IcsPathAction *action)
{
  IcsCarrier *path = ics_engine_find_path (self, action->path);
  IcsProbe probe = { .type = action->in_doubt ? ICS_PROBE_PING_IN_DOUBT : ICS_PROBE_PING,
                     .seq = action->seq,
                     .cookie = (guint64)now };

  if (path == NULL)
    return;
  send_probe (self, path, &probe);
  ics_carrier_flush (path);
}

void
ics_engine_drive_paths (IcsEngine *self, gint64 now)
{
  IcsPathAction action;

  while (ics_path_engine_poll (self->paths, now, &action))
    {
      switch (action.type)
        {
        case ICS_PATH_ACTION_PROBE:
          on_probe_due (self, now, &action);
          break;
        case ICS_PATH_ACTION_MOVE:
          self->pending_move = action;
          self->move_at = now;
          break;
        case ICS_PATH_ACTION_STATE:
          on_path_state (self, &action);
          break;
        }
    }
  if (now >= self->move_at)
    try_move (self, now);
}

/* --- where the traffic is --- */

static IcsPathInfo *
describe_channel (IcsEngine *self)
{
  g_autofree char *local = NULL;
  g_autofree char *remote = NULL;
  IcsPathInfo *info;

  ics_channel_get_addresses (self->channel, &local, &remote);
  info = ics_path_info_new (ICS_PATH_CHANNEL, "ws", local, remote);
  info->remote_type = "relay";
  return info;
}

static IcsPathInfo *
describe_attempt (IcsCarrier *path)
{
  IcsIcePair pair = { 0 };
  IcsPathInfo *info;

  if (!ics_traversal_get_pair (path->attempt, &pair))
    return ics_path_info_new (path->kind, "udp", NULL, NULL);
  info = ics_path_info_new (path->kind, pair.transport, pair.local, pair.remote);
  info->local_type = pair.local_type;
  info->remote_type = pair.remote_type;
  ics_ice_pair_clear (&pair);
  return info;
}

/* The follower is not told the reason: it sees where the traffic came from and where it went. */
static IcsPathReason
reason_for (IcsEngine *self, const IcsCarrier *path)
{
  if (self->active == NULL)
    return ICS_PATH_REASON_FIRST;
  if (self->joiner && self->pending_move.path == path->id)
    return self->pending_move.reason;
  if ((ics_engine_allowed (self) & 1u << self->active->kind) == 0)
    return ICS_PATH_REASON_POLICY;
  if (path->kind != self->active->kind)
    return path->kind > self->active->kind ? ICS_PATH_REASON_BETTER : ICS_PATH_REASON_LOST;
  /* From datagrams to a stream of the same kind is a way down, too. */
  return g_strcmp0 (self->active->transport, "udp") == 0 && is_streamed (path->attempt)
             ? ICS_PATH_REASON_LOST
             : ICS_PATH_REASON_BETTER;
}

static void
publish (IcsEngine *self, IcsCarrier *path, IcsPathReason reason)
{
  IcsPathInfo *info = path->attempt != NULL ? describe_attempt (path) : describe_channel (self);
  IcsPathStatus status;
  g_autofree char *text = NULL;

  if (ics_path_engine_get_info (self->paths, path->id, &status) && status.srtt_us > 0)
    info->rtt_ms = (double)status.srtt_us / 1000.0;
  else
    info->rtt_ms = (double)ics_quic_get_rtt (self->quic) / 1000.0;
  info->reason = reason;
  g_clear_pointer (&self->active, ics_path_info_unref);
  self->active = info;
  text = ics_path_info_describe (info);
  ics_engine_note (self, "traffic: %s", text);
  ics_tally_on_path (self->tally, g_get_monotonic_time (), info->kind, reason);
  tally_quality (self, path);
  if (!self->connected)
    ics_engine_tell_connected (self);
  self->callbacks.path (info, self->user_data);
  ics_why_update (self, FALSE);
}

/* The peer follows the first packet on the new path that is not a probe (RFC 9000 §9.2): this makes one. */
static void
lead_peer (IcsEngine *self)
{
  IcsControl moved = { .type = ICS_CONTROL_MOVED };

  if (self->joiner)
    ics_engine_send_control (self, &moved);
}

void
ics_engine_traffic_renewed (IcsEngine *self, guint id)
{
  ics_path_engine_on_moved (self->paths, g_get_monotonic_time (), id);
  lead_peer (self);
}

void
ics_engine_traffic_moved (IcsEngine *self, guint id)
{
  IcsCarrier *path = ics_engine_find_path (self, id);
  gint64 now = g_get_monotonic_time ();

  if (path == NULL)
    return;
  self->cut_off = FALSE;
  if (id != ics_path_engine_get_active (self->paths))
    {
      ics_path_engine_on_moved (self->paths, now, id);
      ics_stall_on_shift (&self->stall, now);
    }
  lead_peer (self);
  if (ics_policy_hold (self, path->kind))
    return;
  publish (self, path, reason_for (self, path));
}

void
ics_engine_path_roamed (IcsEngine *self, IcsCarrier *path)
{
  ics_path_engine_on_roamed (self->paths, g_get_monotonic_time (), path->id);
  ics_engine_wake (self);
  if (self->active != NULL && path->id == ics_path_engine_get_active (self->paths))
    publish (self, path, ICS_PATH_REASON_ROAM);
}
