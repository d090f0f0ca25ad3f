/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/ice-attempt-private.h"

/* What goes over the pair that an attempt has found, through libnice or through an endpoint of its own. */

static IcsSendResult
send_one (IcsIceAttempt *self, const guint8 *data, gsize len)
{
  IcsSendResult result;
  gsize taken;

  if (self->state != ICS_ICE_CONNECTED)
    return ICS_SEND_FAILED;
  if (self->endpoint != NULL)
    return ics_udp_endpoint_send (self->endpoint, data, len, len, &taken);
  result = ics_nice_leg_send (self->leg, data, len);
  if (result == ICS_SEND_FAILED && self->doubted)
    {
      ics_attempt_events_note (self->events, "the selected pair cannot be used any more");
      ics_ice_attempt_set_state (self, ICS_ICE_FAILED);
    }
  return result;
}

IcsSendResult
ics_ice_attempt_send_segments (IcsTraversal *traversal, const guint8 *data, gsize len, gsize segment,
                               gsize *taken)
{
  IcsIceAttempt *self = (IcsIceAttempt *)traversal;
  IcsSendResult result = ICS_SEND_OK;

  if (self->endpoint != NULL && self->state == ICS_ICE_CONNECTED)
    return ics_udp_endpoint_send (self->endpoint, data, len, segment, taken);
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

  if (self->endpoint != NULL)
    return ics_udp_endpoint_get_base (self->endpoint);
  return ics_nice_leg_get_base (self->leg);
}

gboolean
ics_ice_attempt_get_pair (IcsTraversal *traversal, IcsIcePair *pair)
{
  IcsIceAttempt *self = (IcsIceAttempt *)traversal;

  if (self->endpoint != NULL)
    {
      *pair = self->pair;
      pair->local = g_strdup (pair->local);
      pair->remote = g_strdup (pair->remote);
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
  gint64 next = ics_consent_next_timeout (&self->consent);

  g_source_set_ready_time (self->consent_timer, next == G_MAXINT64 ? -1 : next);
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
  ics_attempt_events_note (self->events, "the peer has not answered for %d s: it no longer consents",
                           (int)(ICS_CONSENT_EXPIRY_US / G_USEC_PER_SEC));
  ics_ice_traffic_stop_consent (self);
  ics_ice_attempt_set_state (self, ICS_ICE_FAILED);
  return G_SOURCE_REMOVE;
}

static gboolean
run_callback (G_GNUC_UNUSED GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static GSourceFuncs timer_funcs = { .dispatch = run_callback };

void
ics_ice_traffic_start_consent (IcsIceAttempt *self)
{
  if (self->consent_timer != NULL || self->endpoint != NULL)
    return;
  ics_consent_init (&self->consent, g_get_monotonic_time (), NULL);
  self->consent_timer = g_source_new (&timer_funcs, sizeof (GSource));
  g_source_set_callback (self->consent_timer, on_consent_due, self, NULL);
  arm_consent (self);
  g_source_attach (self->consent_timer, self->config.context);
}

void
ics_ice_traffic_stop_consent (IcsIceAttempt *self)
{
  if (self->consent_timer == NULL)
    return;
  g_source_destroy (self->consent_timer);
  g_clear_pointer (&self->consent_timer, g_source_unref);
}

/* The timer stays where it is: when it fires it looks again. */
void
ics_ice_attempt_confirm_consent (IcsTraversal *traversal, gint64 asked_at)
{
  IcsIceAttempt *self = (IcsIceAttempt *)traversal;

  /* What a peer says of the future is not to be believed. */
  asked_at = MIN (asked_at, g_get_monotonic_time ());
  if (self->endpoint != NULL)
    ics_udp_endpoint_confirm_consent (self->endpoint, asked_at);
  else if (self->consent_timer != NULL)
    ics_consent_answered (&self->consent, asked_at);
}
