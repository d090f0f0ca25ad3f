/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/ice-attempt-private.h"
#include "base/timeout.h"

/* The proven pair of a direct attempt leaves libnice. */

#define STABLE_MIN_US (500 * G_TIME_SPAN_MILLISECOND)
#define STABLE_RTTS 4

static void
on_closing (guint socket, gpointer attempt)
{
  IcsIceAttempt *self = attempt;
  g_autofree char *endpoint = ics_udp_endpoint_get_local (self->udp.endpoint, socket);

  if (self->mapper != NULL)
    ics_port_mapper_drop (self->mapper, endpoint);
}

/* --- the step --- */

static void
on_leg_closed (gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  self->leg = NULL;
  ics_udp_endpoint_start (self->udp.endpoint);
}

static void
graduate (IcsIceAttempt *self)
{
  IcsIcePair pair = { 0 };
  IcsFlow flow = { 0 };
  GArray *fds;

  if (self->parent.state != ICS_ICE_CONNECTED || !ics_ice_attempt_get_pair (&self->parent, &pair))
    return;
  fds = ics_nice_leg_retire (self->leg, &flow, on_leg_closed, self);
  if (fds == NULL)
    {
      ics_attempt_events_note (self->parent.events,
                               "the pair stays with libnice: it has no socket of its own");
      ics_ice_pair_clear (&pair);
      return;
    }
  self->udp.pair = pair;
  g_clear_pointer (&self->gatherer, ics_gatherer_free);
  ics_ice_traffic_stop_consent (self);
  ics_attempt_endpoint_open (&self->udp, &self->parent, fds, &flow, on_closing);
  g_array_unref (fds);
}

/* --- when --- */

static gboolean
on_due (gpointer user_data)
{
  IcsIceAttempt *self = user_data;

  ics_ice_graduation_stop (self);
  graduate (self);
  return G_SOURCE_REMOVE;
}

/* Not here and now: the caller may be a signal of libnice, which goes on to use its stream. */
static void
plan (IcsIceAttempt *self)
{
  gint64 now = g_get_monotonic_time (), due = self->pair_since + self->stable_us;

  ics_ice_graduation_stop (self);
  if (ics_nice_leg_is_ready (self->leg))
    due = now;
  self->graduation = g_timeout_source_new ((guint)((MAX (due - now, 0) + 999) / 1000));
  g_source_set_callback (self->graduation, on_due, self, NULL);
  g_source_attach (self->graduation, self->parent.config.context);
}

void
ics_ice_attempt_graduate (IcsTraversal *traversal, gint64 rtt_us)
{
  IcsIceAttempt *self = (IcsIceAttempt *)traversal;

  if (self->parent.config.relay_only || self->parent.config.one_hop || self->parent.state != ICS_ICE_CONNECTED
      || self->udp.endpoint != NULL || self->stable_us != 0)
    return;
  self->stable_us = MAX (STABLE_MIN_US, STABLE_RTTS * rtt_us);
  plan (self);
}

gboolean
ics_ice_attempt_has_graduated (IcsTraversal *traversal)
{
  IcsIceAttempt *self = (IcsIceAttempt *)traversal;

  return self->udp.endpoint != NULL;
}

void
ics_ice_graduation_consider (IcsIceAttempt *self)
{
  if (self->stable_us != 0 && self->udp.endpoint == NULL)
    plan (self);
}

void
ics_ice_graduation_stop (IcsIceAttempt *self)
{
  ics_timeout_clear (&self->graduation);
}
