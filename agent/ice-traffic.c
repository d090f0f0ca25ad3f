/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/ice-attempt-private.h"
#include "base/timeout.h"

/* What goes over the pair that an attempt has found, through libnice or through an endpoint of its own. */

static IcsSendResult
send_one (IcsIceAttempt *self, const guint8 *data, gsize len)
{
  IcsSendResult result;

  /* One before may have made it fail. */
  if (self->parent.state != ICS_ICE_CONNECTED)
    return ICS_SEND_FAILED;
  result = ics_nice_leg_send (self->leg, data, len);
  if (result == ICS_SEND_FAILED && self->doubted)
    {
      ics_attempt_events_note (self->parent.events, "the selected pair cannot be used any more");
      ics_traversal_set_state (&self->parent, ICS_ICE_FAILED);
    }
  return result;
}

IcsSendResult
ics_ice_attempt_send_segments (IcsTraversal *traversal, const guint8 *data, gsize len, gsize segment,
                               gsize *taken)
{
  IcsIceAttempt *self = (IcsIceAttempt *)traversal;
  IcsSendResult result = ICS_SEND_OK;

  if (self->udp.endpoint != NULL)
    return ics_udp_endpoint_send (self->udp.endpoint, data, len, segment, taken);
  for (*taken = 0; *taken < len; *taken += MIN (segment, len - *taken))
    {
      result = send_one (self, data + *taken, MIN (segment, len - *taken));
      if (result == ICS_SEND_BLOCKED)
        break;
    }
  return result;
}

GInetAddress *
ics_ice_attempt_get_base (IcsTraversal *traversal)
{
  IcsIceAttempt *self = (IcsIceAttempt *)traversal;

  if (self->udp.endpoint != NULL)
    return ics_udp_endpoint_get_base (self->udp.endpoint);
  return ics_nice_leg_get_base (self->leg);
}

gboolean
ics_ice_attempt_get_pair (IcsTraversal *traversal, IcsIcePair *pair)
{
  IcsIceAttempt *self = (IcsIceAttempt *)traversal;

  if (self->udp.endpoint != NULL)
    {
      ics_attempt_endpoint_get_pair (&self->udp, pair);
      return TRUE;
    }
  if (!ics_nice_leg_get_pair (self->leg, pair))
    return FALSE;
  ics_ice_mapping_name_pair (self, pair);
  if (ics_ice_attempt_wants (self, pair))
    return TRUE;
  ics_ice_pair_clear (pair);
  return FALSE;
}

/* --- consent, as long as libnice has the sockets: it asks, but it is content with an answer in 50 s --- */

static void
arm_consent (IcsIceAttempt *self)
{
  ics_timer_set (self->consent_timer, ics_consent_next_timeout (&self->consent));
}

static gboolean
on_consent_due (gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  switch (ics_consent_handle_timeout (&self->consent, g_get_monotonic_time ()))
    {
    case ICS_CONSENT_WAIT:
    case ICS_CONSENT_CHECK:
      arm_consent (self);
      return G_SOURCE_CONTINUE;
    case ICS_CONSENT_LOST:
      break;
    }
  ics_ice_traffic_stop_consent (self);
  ics_traversal_lose_consent (&self->parent);
  return G_SOURCE_REMOVE;
}

void
ics_ice_traffic_start_consent (IcsIceAttempt *self)
{
  if (self->consent_timer != NULL || self->udp.endpoint != NULL)
    return;
  ics_consent_init (&self->consent, g_get_monotonic_time (), NULL);
  self->consent_timer = ics_timer_new (self->parent.config.context, on_consent_due, self);
  arm_consent (self);
}

void
ics_ice_traffic_stop_consent (IcsIceAttempt *self)
{
  ics_timeout_clear (&self->consent_timer);
}

/* The timer stays where it is: when it fires it looks again. */
void
ics_ice_attempt_confirm_consent (IcsTraversal *traversal, gint64 asked_at)
{
  IcsIceAttempt *self = (IcsIceAttempt *)traversal;

  if (self->udp.endpoint != NULL)
    ics_udp_endpoint_confirm_consent (self->udp.endpoint, asked_at);
  else if (self->consent_timer != NULL)
    ics_consent_answered (&self->consent, asked_at);
}
