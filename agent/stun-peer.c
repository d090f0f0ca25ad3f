/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/stun-peer.h"
#include "base/secret.h"
#include <netinet/in.h>
#include <string.h>
#include <stun/usages/ice.h>

/* Two consent checks may be under way in a round trip of 10 s, and those to addresses that turned up. */
#define OUTSTANDING_MAX 16

/* RFC 8445 §5.1.2.1 for a peer-reflexive candidate, which is what a check must name (§7.1.1). */
#define PRIORITY_PRFLX (110u << 24 | 65535u << 8 | 255u)

G_STATIC_ASSERT (ICS_STUN_ID_LEN == sizeof (StunTransactionId));

struct _IcsStunPeer
{
  StunAgent agent;
  gboolean controlling;
  guint64 tie_breaker;
  char *check_username, *local_username;
  char *remote_pwd, *local_pwd;
  StunDefaultValidaterData accepted[2]; /* ends with an empty one */
  guint8 ids[OUTSTANDING_MAX][ICS_STUN_ID_LEN];
  guint n_ids; /* ever */
};

static const guint16 known_attributes[] = {
  STUN_ATTRIBUTE_USERNAME,           STUN_ATTRIBUTE_MESSAGE_INTEGRITY, STUN_ATTRIBUTE_ERROR_CODE,
  STUN_ATTRIBUTE_UNKNOWN_ATTRIBUTES, STUN_ATTRIBUTE_PRIORITY,          STUN_ATTRIBUTE_USE_CANDIDATE,
  STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, STUN_ATTRIBUTE_MAPPED_ADDRESS,    STUN_ATTRIBUTE_FINGERPRINT,
  STUN_ATTRIBUTE_ICE_CONTROLLED,     STUN_ATTRIBUTE_ICE_CONTROLLING,   0,
};

IcsStunPeer *
ics_stun_peer_new (const IcsStunCredentials *credentials, gboolean controlling)
{
  IcsStunPeer *self = g_new0 (IcsStunPeer, 1);

  self->controlling = controlling;
  self->tie_breaker = (guint64)g_random_int () << 32 | g_random_int ();
  /* RFC 8445 §7.2.2: the name of the one who is asked comes first. */
  self->check_username = g_strdup_printf ("%s:%s", credentials->remote_ufrag, credentials->local_ufrag);
  self->local_username = g_strdup_printf ("%s:%s", credentials->local_ufrag, credentials->remote_ufrag);
  self->remote_pwd = g_strdup (credentials->remote_pwd);
  self->local_pwd = g_strdup (credentials->local_pwd);
  self->accepted[0]
      = (StunDefaultValidaterData){ (guint8 *)self->local_username, strlen (self->local_username),
                                    (guint8 *)self->local_pwd, strlen (self->local_pwd) };
  stun_agent_init (&self->agent, known_attributes, STUN_COMPATIBILITY_RFC5389,
                   STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
  return self;
}

void
ics_stun_peer_free (IcsStunPeer *self)
{
  g_free (self->check_username);
  g_free (self->local_username);
  ics_secret_free (self->remote_pwd);
  ics_secret_free (self->local_pwd);
  g_free (self);
}

gboolean
ics_stun_matches (const guint8 *data, gsize len)
{
  return len > 0 && data[0] < 4;
}

/* libnice's agent has 200 places for what is not answered, and never empties one by itself. */
static void
remember (IcsStunPeer *self, const guint8 id[ICS_STUN_ID_LEN])
{
  guint8 *place = self->ids[self->n_ids++ % OUTSTANDING_MAX];

  if (self->n_ids > OUTSTANDING_MAX)
    stun_agent_forget_transaction (&self->agent, place);
  memcpy (place, id, ICS_STUN_ID_LEN);
}

gsize
ics_stun_peer_write_check (IcsStunPeer *self, gboolean nominate, guint8 buf[ICS_STUN_MESSAGE_MAX],
                           guint8 id[ICS_STUN_ID_LEN])
{
  StunMessage message;
  gsize len = stun_usage_ice_conncheck_create (
      &self->agent, &message, buf, ICS_STUN_MESSAGE_MAX, (guint8 *)self->check_username,
      strlen (self->check_username), (guint8 *)self->remote_pwd, strlen (self->remote_pwd),
      nominate && self->controlling, self->controlling, PRIORITY_PRFLX, self->tie_breaker, NULL,
      STUN_USAGE_ICE_COMPATIBILITY_RFC5245);

  stun_message_id (&message, id);
  remember (self, id);
  return len;
}

static void
answer (IcsStunPeer *self, StunMessage *request, const struct sockaddr *from, IcsStunInput *input)
{
  struct sockaddr_storage address = { 0 };
  socklen_t address_len
      = from->sa_family == AF_INET6 ? sizeof (struct sockaddr_in6) : sizeof (struct sockaddr_in);
  bool controlling = self->controlling;
  StunMessage reply;

  memcpy (&address, from, address_len);
  input->reply_len = sizeof input->reply;
  /* The roles are settled. One who claims this host's own is told so (RFC 8445 §7.3.1.1). */
  if (stun_usage_ice_conncheck_create_reply (&self->agent, request, &reply, input->reply, &input->reply_len,
                                             &address, address_len, &controlling, self->tie_breaker,
                                             STUN_USAGE_ICE_COMPATIBILITY_RFC5245)
      == STUN_USAGE_ICE_RETURN_SUCCESS)
    input->nominated = !self->controlling && stun_usage_ice_conncheck_use_candidate (request);
  if (input->reply_len > 0)
    input->type = ICS_STUN_REQUEST;
}

void
ics_stun_peer_read (IcsStunPeer *self, const guint8 *data, gsize len, const struct sockaddr *from,
                    IcsStunInput *input)
{
  StunMessage message;

  input->type = ICS_STUN_DROPPED;
  input->nominated = FALSE;
  if (len > ICS_STUN_MESSAGE_MAX
      || stun_agent_validate (&self->agent, &message, data, len, stun_agent_default_validater, self->accepted)
             != STUN_VALIDATION_SUCCESS
      || stun_message_get_method (&message) != STUN_BINDING)
    return;
  switch (stun_message_get_class (&message))
    {
    case STUN_REQUEST:
      answer (self, &message, from, input);
      break;
    case STUN_RESPONSE:
      stun_message_id (&message, input->id);
      input->type = ICS_STUN_ANSWER;
      break;
    case STUN_INDICATION:
    case STUN_ERROR:
      break;
    }
}
