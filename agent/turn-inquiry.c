/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/turn-inquiry.h"
#include "base/turn-answer.h"
#include <string.h>
#include <stun/stunagent.h>
#include <stun/usages/turn.h>

#define RETRANSMIT_MS 250
#define SENDINGS_MAX 8 /* in all: two seconds */
/* Beyond the ordinary begin: challenge, answer, a nonce that grew old. */
#define ANSWERS_MAX 4
#define DATAGRAM_MAX 1500

struct _IcsTurnInquiry
{
  IcsTurnServer *turn;
  GSocket *socket; /* NULL when it can not be opened */
  GSource *incoming, *timer;
  StunAgent agent;
  guint8 request[DATAGRAM_MAX];
  gsize request_len;
  guint n_sendings, n_answers;
  IcsTurnVerdict verdict;
  IcsTurnInquiryFunc done;
  gpointer user_data;
};

static void
clear_source (GSource **source)
{
  if (*source != NULL)
    g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

void
ics_turn_inquiry_cancel (IcsTurnInquiry *self)
{
  clear_source (&self->incoming);
  clear_source (&self->timer);
  g_clear_object (&self->socket);
  ics_turn_server_free (self->turn);
  g_free (self);
}

/* @judged: the verdict tells the cause, if it can. */
static void
finish (IcsTurnInquiry *self, const char *cause, gboolean judged)
{
  g_autofree char *verdict = judged ? ics_turn_verdict_cause (&self->verdict) : NULL;
  IcsTurnInquiryFunc done = self->done;
  gpointer user_data = self->user_data;

  ics_turn_inquiry_cancel (self);
  done (verdict != NULL ? verdict : cause, user_data);
}

/* A lost datagram is repeated; a hard error shows in that no answer comes. */
static void
send_request (IcsTurnInquiry *self)
{
  self->n_sendings++;
  if (self->socket != NULL)
    g_socket_send (self->socket, (const char *)self->request, self->request_len, NULL, NULL);
}

/* @challenge: NULL for the first request, which bears no credentials. */
static gboolean
compose (IcsTurnInquiry *self, StunMessage *challenge)
{
  StunMessage message;

  self->request_len = stun_usage_turn_create_refresh (
      &self->agent, &message, self->request, sizeof self->request, challenge, 0,
      (guint8 *)self->turn->username, strlen (self->turn->username), (guint8 *)self->turn->password,
      strlen (self->turn->password), STUN_USAGE_TURN_COMPATIBILITY_RFC5766);
  return self->request_len > 0;
}

/* Nothing is lost if an answer was forged: it is told to people, and to nobody else. */
static gboolean
is_answer (IcsTurnInquiry *self, const guint8 *data, gsize len, StunMessage *message, IcsTurnAnswer *answer)
{
  switch (stun_agent_validate (&self->agent, message, data, len, NULL, NULL))
    {
    case STUN_VALIDATION_NOT_STUN:
    case STUN_VALIDATION_INCOMPLETE_STUN:
    case STUN_VALIDATION_UNMATCHED_RESPONSE:
      return FALSE;
    case STUN_VALIDATION_SUCCESS:
    case STUN_VALIDATION_BAD_REQUEST:
    case STUN_VALIDATION_UNAUTHORIZED_BAD_REQUEST:
    case STUN_VALIDATION_UNAUTHORIZED:
    case STUN_VALIDATION_UNKNOWN_REQUEST_ATTRIBUTE:
    case STUN_VALIDATION_UNKNOWN_ATTRIBUTE:
    case STUN_VALIDATION_FORBIDDEN:
      break;
    }
  return ics_turn_answer_parse (answer, data, len);
}

/* What it would have said to a request for an allocation, as far as that goes. */
static gboolean
judge (IcsTurnInquiry *self, IcsTurnAnswer *answer)
{
  if (answer->class == ICS_STUN_ERROR && answer->code == ICS_TURN_ALLOCATION_MISMATCH
      && self->verdict.n_challenges > 0)
    {
      finish (self, "the credentials are good, so the user's quota or its capacity is exhausted", FALSE);
      return TRUE;
    }
  answer->method = answer->method == ICS_TURN_REFRESH ? ICS_TURN_ALLOCATE : 0;
  if (!ics_turn_verdict_take (&self->verdict, answer) && ++self->n_answers < ANSWERS_MAX)
    return FALSE;
  finish (self, "it gave no reason", TRUE);
  return TRUE;
}

static gboolean
on_incoming (GSocket *socket, G_GNUC_UNUSED GIOCondition condition, gpointer data)
{
  IcsTurnInquiry *self = data;
  guint8 buffer[DATAGRAM_MAX];
  gssize len = g_socket_receive (socket, (char *)buffer, sizeof buffer, NULL, NULL);
  StunMessage message;
  IcsTurnAnswer answer;

  if (len <= 0 || !is_answer (self, buffer, (gsize)len, &message, &answer))
    return G_SOURCE_CONTINUE;
  if (judge (self, &answer))
    return G_SOURCE_REMOVE;
  if (!compose (self, &message))
    {
      finish (self, "its answers make no sense", FALSE);
      return G_SOURCE_REMOVE;
    }
  send_request (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_timer (gpointer data)
{
  IcsTurnInquiry *self = data;

  if (self->socket == NULL || self->n_sendings >= SENDINGS_MAX)
    {
      finish (self, "asked why, it does not answer", TRUE);
      return G_SOURCE_REMOVE;
    }
  send_request (self);
  return G_SOURCE_CONTINUE;
}

static void
open_socket (IcsTurnInquiry *self, GInetSocketAddress *server, GMainContext *context)
{
  self->socket = g_socket_new (g_socket_address_get_family (G_SOCKET_ADDRESS (server)),
                               G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
  if (self->socket == NULL || !g_socket_connect (self->socket, G_SOCKET_ADDRESS (server), NULL, NULL))
    {
      g_clear_object (&self->socket);
      return;
    }
  g_socket_set_blocking (self->socket, FALSE);
  self->incoming = g_socket_create_source (self->socket, G_IO_IN, NULL);
  g_source_set_callback (self->incoming, G_SOURCE_FUNC (on_incoming), self, NULL);
  g_source_attach (self->incoming, context);
}

IcsTurnInquiry *
ics_turn_inquiry_start (GInetSocketAddress *server, const IcsTurnServer *turn, GMainContext *context,
                        IcsTurnInquiryFunc done, gpointer user_data)
{
  IcsTurnInquiry *self = g_new0 (IcsTurnInquiry, 1);

  self->turn = ics_turn_server_copy (turn);
  self->done = done;
  self->user_data = user_data;
  stun_agent_init (&self->agent, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
                   STUN_AGENT_USAGE_LONG_TERM_CREDENTIALS);
  open_socket (self, server, context);
  self->timer = g_timeout_source_new (RETRANSMIT_MS);
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_attach (self->timer, context);
  if (compose (self, NULL))
    send_request (self);
  return self;
}
