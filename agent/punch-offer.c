/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/punch-attempt-private.h"
#include <arpa/inet.h>

/* What a host tells the other one of its mappings, and how it comes to know. */

/* So many sockets learn how the NAT gives ports (agent/nat-behavior.h needs three steps). */
#define SURVEYORS 4
/* Predicted ports: mappings that others make meanwhile shift them, one each. */
#define PREDICTED 16

/* RFC 8445 §5.1.2.1 for a server-reflexive candidate. */
#define PRIORITY_SRFLX (100u << 24 | 65535u << 8 | 255u)

static void
tell_candidate (IcsPunchAttempt *self, guint16 port, guint foundation)
{
  char address[INET_ADDRSTRLEN] = "";
  g_autofree char *line = NULL;

  inet_ntop (AF_INET, &self->mapped.v4.sin_addr, address, sizeof address);
  line = g_strdup_printf ("candidate:%u 1 UDP %u %s %u typ srflx raddr 0.0.0.0 rport 0", foundation,
                          PRIORITY_SRFLX, address, port);
  ics_attempt_events_candidate (self->parent.events, line);
}

void
ics_punch_offer_end (IcsPunchAttempt *self)
{
  if (self->told_end)
    return;
  self->told_end = TRUE;
  ics_attempt_events_gathered (self->parent.events);
}

void
ics_punch_offer_start (IcsPunchAttempt *self, gint64 now)
{
  IcsPunchSurveyConfig config = { .servers = { self->server, self->server }, .n_servers = 1 };
  guint n = ics_punch_sockets_open (self->sockets, &self->source, SURVEYORS);

  if (n < SURVEYORS)
    {
      ics_punch_attempt_fail (self, "no socket could be opened");
      return;
    }
  /* The prober learns whether its own NAT maps anew: a TURN server's next port answers as well (RFC 5780 §6).
   */
  if (!self->parent.config.opens && ics_sockaddr_get_port (&self->server) != G_MAXUINT16)
    {
      ics_sockaddr_set_port (&config.servers[1], ics_sockaddr_get_port (&self->server) + 1);
      config.n_servers = 2;
    }
  config.n_sockets = SURVEYORS;
  for (guint i = 0; i < SURVEYORS; i++)
    ics_punch_sockets_get_local (self->sockets, i, &config.locals[i]);
  self->survey = ics_punch_survey_new (&config, now);
}

static guint16
predict (IcsPunchAttempt *self, const IcsNatBehavior *behavior, guint socket, guint ahead)
{
  IcsSockaddr local;

  ics_punch_sockets_get_local (self->sockets, socket, &local);
  return ics_nat_behavior_predict_port (behavior, ics_sockaddr_get_port (&local), ahead);
}

/* The prober's one socket. When its NAT maps anew, the opener is told the port that the last of 16 probes
 * will have: then 15 mappings of others do no harm. */
static void
offer_prober (IcsPunchAttempt *self, const IcsNatBehavior *behavior)
{
  guint16 port = ics_sockaddr_get_port (&self->mapped);

  for (guint i = 1; i < SURVEYORS; i++)
    ics_punch_sockets_close (self->sockets, i);
  self->n_sockets = 1;
  if (behavior->mapping_varies == ICS_FACT_YES)
    port = predict (self, behavior, 0, PREDICTED);
  if (port == 0)
    {
      ics_punch_attempt_fail (
          self, "this host's NAT maps anew for each destination, to ports that cannot be predicted");
      return;
    }
  tell_candidate (self, port, 1);
  ics_punch_offer_end (self);
}

static void
offer_opener (IcsPunchAttempt *self, const IcsNatBehavior *behavior, gint64 now)
{
  gboolean predictable = ics_nat_behavior_predict_port (behavior, 1024, 1) != 0;
  guint wanted = predictable ? PREDICTED : ICS_PUNCH_SOCKETS_MAX;

  for (guint i = 0; i < SURVEYORS; i++)
    ics_punch_sockets_close (self->sockets, i);
  self->first = SURVEYORS;
  self->n_sockets = ics_punch_sockets_open (self->sockets, &self->source, wanted) - self->first;
  ics_attempt_events_note (self->parent.events, "this host's NAT gives ports: %s",
                           ics_nat_ports_to_string (behavior->ports));
  if (self->n_sockets == 0)
    {
      ics_punch_attempt_fail (self, "no socket could be opened");
      return;
    }
  ics_punch_attempt_make_search (self);
  ics_punch_attempt_start_search (self, now);
  if (self->sockets == NULL)
    return;
  if (!predictable)
    tell_candidate (self, ics_sockaddr_get_port (&self->mapped), 1);
  for (guint i = 0; predictable && i < self->n_sockets; i++)
    {
      guint16 port = predict (self, behavior, self->first + i, i + 1);

      if (port != 0)
        tell_candidate (self, port, i + 1);
    }
}

/* The prober's one socket must have been seen; of the opener any will do, for the address. */
static gboolean
find_mapped (IcsPunchAttempt *self)
{
  for (guint i = 0; i < (self->parent.config.opens ? SURVEYORS : 1); i++)
    {
      const IcsSockaddr *mapped = ics_punch_survey_get_mapped (self->survey, i);

      if (mapped == NULL || mapped->any.sa_family != AF_INET)
        continue;
      self->mapped = *mapped;
      return TRUE;
    }
  return FALSE;
}

static void
on_surveyed (IcsPunchAttempt *self, gint64 now)
{
  gboolean seen = find_mapped (self);
  IcsNatBehavior behavior;

  ics_punch_survey_conclude (self->survey, &behavior);
  g_clear_pointer (&self->survey, ics_punch_survey_free);
  self->surveyed = TRUE;
  if (!seen)
    ics_punch_attempt_fail (self, "the STUN server does not answer");
  else if (self->parent.config.opens)
    offer_opener (self, &behavior, now);
  else
    offer_prober (self, &behavior);
}

void
ics_punch_offer_drive (IcsPunchAttempt *self, gint64 now)
{
  IcsPunchQuestion question;

  while (ics_punch_survey_poll (self->survey, now, &question))
    ics_punch_sockets_send (self->sockets, question.socket, &question.to.any, question.data, question.len);
  if (ics_punch_survey_is_done (self->survey))
    on_surveyed (self, now);
}
