/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/punch-survey.h"
#include "agent/stun-transaction.h"
#include <string.h>

/* The server answers, so an answer that is missing now was lost, or the port does not answer at all. */
#define REST_US (G_USEC_PER_SEC / 2)

#define QUESTIONS_MAX (ICS_PUNCH_SURVEY_SOCKETS_MAX + 1)

typedef struct
{
  guint socket;
  IcsStunTransaction transaction;
  IcsSockaddr mapped;
} Question;

struct _IcsPunchSurvey
{
  IcsPunchSurveyConfig config;
  StunAgent agent;
  Question questions[QUESTIONS_MAX];
  guint n_questions;
  gboolean answered;
  gint64 end_at; /* G_MAXINT64 until one has answered */
  gboolean over;
};

static void
ask (IcsPunchSurvey *self, guint socket, guint server, gint64 now)
{
  Question *question = &self->questions[self->n_questions++];
  IcsStunQuestion what
      = { .to = self->config.servers[server], .from = self->config.servers[server], .rto = ICS_STUN_RTO };

  question->socket = socket;
  ics_stun_transaction_start (&question->transaction, &self->agent, &what, now);
}

IcsPunchSurvey *
ics_punch_survey_new (const IcsPunchSurveyConfig *config, gint64 now)
{
  IcsPunchSurvey *self = g_new0 (IcsPunchSurvey, 1);

  self->config = *config;
  self->end_at = G_MAXINT64;
  ics_stun_transaction_init_agent (&self->agent);
  for (guint i = 0; i < config->n_servers; i++)
    ask (self, 0, i, now);
  for (guint i = 1; i < config->n_sockets; i++)
    ask (self, i, 0, now);
  return self;
}

void
ics_punch_survey_free (IcsPunchSurvey *self)
{
  g_free (self);
}

void
ics_punch_survey_receive (IcsPunchSurvey *self, guint socket, const guint8 *data, gsize len,
                          const struct sockaddr *from)
{
  IcsSockaddr source;
  IcsStunReply reply;

  if (!ics_sockaddr_set (&source, from))
    return;
  for (guint i = 0; i < self->n_questions; i++)
    {
      Question *question = &self->questions[i];

      if (question->socket == socket
          && ics_stun_transaction_read (&question->transaction, &self->agent, data, len, &source, &reply)
          && question->transaction.state == ICS_STUN_ANSWERED)
        {
          question->mapped = reply.mapped;
          self->answered = TRUE;
        }
    }
}

static gboolean
is_asking (const IcsPunchSurvey *self)
{
  for (guint i = 0; i < self->n_questions; i++)
    if (self->questions[i].transaction.state == ICS_STUN_ASKING)
      return TRUE;
  return FALSE;
}

gboolean
ics_punch_survey_poll (IcsPunchSurvey *self, gint64 now, IcsPunchQuestion *question)
{
  if (self->answered && self->end_at == G_MAXINT64)
    self->end_at = now + REST_US;
  if (now >= self->end_at || self->over)
    {
      self->over = TRUE;
      return FALSE;
    }
  for (guint i = 0; i < self->n_questions; i++)
    {
      Question *next = &self->questions[i];

      ics_stun_transaction_handle_timeout (&next->transaction, &self->agent, now);
      if (!ics_stun_transaction_poll (&next->transaction, now))
        continue;
      question->socket = next->socket;
      question->to = next->transaction.question.to;
      memcpy (question->data, next->transaction.data, next->transaction.len);
      question->len = next->transaction.len;
      return TRUE;
    }
  return FALSE;
}

gint64
ics_punch_survey_next_timeout (const IcsPunchSurvey *self)
{
  gint64 next = self->end_at;

  for (guint i = 0; i < self->n_questions; i++)
    next = MIN (next, ics_stun_transaction_next_timeout (&self->questions[i].transaction));
  return next;
}

gboolean
ics_punch_survey_is_done (const IcsPunchSurvey *self)
{
  return self->over || !is_asking (self);
}

void
ics_punch_survey_conclude (const IcsPunchSurvey *self, IcsNatBehavior *behavior)
{
  ics_nat_behavior_init (behavior);
  for (guint i = 0; i < self->n_questions; i++)
    {
      const Question *question = &self->questions[i];
      IcsNatObservation seen = { .socket = question->socket,
                                 .local = self->config.locals[question->socket],
                                 .server = question->transaction.question.to,
                                 .mapped = question->mapped };

      if (question->transaction.state == ICS_STUN_ANSWERED)
        ics_nat_behavior_observe (behavior, &seen);
    }
}

const IcsSockaddr *
ics_punch_survey_get_mapped (const IcsPunchSurvey *self, guint socket)
{
  for (guint i = 0; i < self->n_questions; i++)
    if (self->questions[i].socket == socket && self->questions[i].transaction.state == ICS_STUN_ANSWERED
        && ics_sockaddr_equal (&self->questions[i].transaction.question.to, &self->config.servers[0], TRUE))
      return &self->questions[i].mapped;
  return NULL;
}
