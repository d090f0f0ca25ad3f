/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/engine-private.h"

/* Which paths the two hosts' policies allow, from the hello and later from control messages. Both keep to
 * both: what one of them holds off a path, the other one holds too. */

static guint
kinds_for_data (IcsPathPolicy policy)
{
  switch (policy)
    {
    case ICS_PATH_POLICY_AUTO:
      return 1u << ICS_PATH_CHANNEL | 1u << ICS_PATH_TURN | 1u << ICS_PATH_DIRECT;
    case ICS_PATH_POLICY_RELAY:
      return 1u << ICS_PATH_CHANNEL | 1u << ICS_PATH_TURN;
    case ICS_PATH_POLICY_DIRECT:
    case ICS_PATH_POLICY_LAN:
      return 1u << ICS_PATH_DIRECT;
    }
  return 0;
}

/* QUIC goes nowhere else once it has left the channel on which the link begins: what is lost on one path it
 * repeats on the next. */
guint
ics_engine_allowed (IcsEngine *self)
{
  return kinds_for_data (self->policy) & kinds_for_data (self->peer_policy);
}

static gboolean
is_for_data (IcsEngine *self, IcsPathKind kind)
{
  return (ics_engine_allowed (self) & 1u << kind) != 0;
}

gboolean
ics_policy_hold (IcsEngine *self, IcsPathKind kind)
{
  gboolean hold = !is_for_data (self, kind);
  gint64 now = g_get_monotonic_time ();

  ics_quic_set_hold (self->quic, hold);
  if (!hold)
    self->direct_deadline = G_MAXINT64;
  else if (!self->held && !self->connected)
    self->direct_deadline = now + ics_engine_limit (self, ICS_DIRECT_TIMEOUT_US);
  self->held = hold;
  return hold;
}

static void
tell (IcsEngine *self)
{
  IcsControl message = { .type = ICS_CONTROL_POLICY, .a = (char *)ics_path_policy_to_string (self->policy) };

  ics_engine_send_control (self, &message);
}

static void
apply (IcsEngine *self, guint before)
{
  guint active = ics_path_engine_get_active (self->paths);
  IcsCarrier *path = ics_engine_find_path (self, active);
  gboolean was_held = self->held;

  ics_engine_note (self, "policies: %s here, %s there", ics_path_policy_to_string (self->policy),
                   ics_path_policy_to_string (self->peer_policy));
  ics_path_engine_set_allowed (self->paths, g_get_monotonic_time (), ics_engine_allowed (self));
  if (path != NULL && !ics_policy_hold (self, path->kind) && was_held)
    ics_engine_traffic_moved (self, active);
  ics_legs_policy_changed (self, before);
  ics_why_update (self, FALSE);
  ics_engine_wake (self);
}

/* What was known at the time of the handshakes may have changed meanwhile. */
void
ics_policy_start (IcsEngine *self)
{
  ics_path_engine_set_allowed (self->paths, g_get_monotonic_time (), ics_engine_allowed (self));
  if (self->policy != self->policy_in_hello)
    tell (self);
  if (!ics_policy_hold (self, ICS_PATH_CHANNEL))
    ics_engine_traffic_moved (self, self->channel_path);
}

void
ics_engine_set_policy (IcsEngine *self, IcsPathPolicy policy)
{
  guint before = ics_engine_allowed (self);

  if (self->policy == policy)
    return;
  self->policy = policy;
  if (self->state != ICS_ENGINE_UP)
    return;
  tell (self);
  apply (self, before);
}

void
ics_policy_handle_control (IcsEngine *self, const IcsControl *message)
{
  guint before = ics_engine_allowed (self);
  IcsPathPolicy policy;

  if (!ics_path_policy_from_string (message->a, &policy))
    {
      self->strays++;
      return;
    }
  self->peer_policy = policy;
  if (self->state == ICS_ENGINE_UP)
    apply (self, before);
}
