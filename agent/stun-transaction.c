/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/stun-transaction.h"
#include <string.h>

/* RFC 8489 §5: type, length, cookie, id. */
#define STUN_ID_OFFSET 4
#define STUN_ID_LEN 16

/* RFC 5780 §7.4; libnice has no name for it. */
#define STUN_ATTRIBUTE_OTHER_ADDRESS ((StunAttribute)0x802c)

static const guint16 known_attributes[] = {
  STUN_ATTRIBUTE_MAPPED_ADDRESS,
  STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS,
  STUN_ATTRIBUTE_ERROR_CODE,
  STUN_ATTRIBUTE_UNKNOWN_ATTRIBUTES,
  /* RFC 3489's names for RESPONSE-ORIGIN and OTHER-ADDRESS, that some servers send besides */
  STUN_ATTRIBUTE_SOURCE_ADDRESS,
  STUN_ATTRIBUTE_CHANGED_ADDRESS,
  0,
};

void
ics_stun_transaction_init_agent (StunAgent *agent)
{
  stun_agent_init (agent, known_attributes, STUN_COMPATIBILITY_RFC5389, STUN_AGENT_USAGE_IGNORE_CREDENTIALS);
}

void
ics_stun_transaction_start (IcsStunTransaction *self, StunAgent *agent, const IcsStunQuestion *question,
                            gint64 now)
{
  StunMessage message;

  memset (self, 0, sizeof *self);
  self->question = *question;
  self->state = ICS_STUN_ASKING;
  self->started_at = self->due = now;
  stun_agent_init_request (agent, &message, self->data, sizeof self->data, STUN_BINDING);
  if (question->change != ICS_STUN_CHANGE_NONE)
    stun_message_append32 (&message, STUN_ATTRIBUTE_CHANGE_REQUEST, (guint32)question->change);
  self->len = stun_agent_finish_message (agent, &message, NULL, 0);
}

gboolean
ics_stun_transaction_poll (IcsStunTransaction *self, gint64 now)
{
  if (self->state != ICS_STUN_ASKING || self->sent == ICS_STUN_RC || now < self->due)
    return FALSE;
  self->sent++;
  self->sent_at = now;
  self->due = now
              + (self->sent == ICS_STUN_RC ? ICS_STUN_RM * self->question.rto
                                           : self->question.rto << (self->sent - 1));
  return TRUE;
}

void
ics_stun_transaction_cancel (IcsStunTransaction *self, StunAgent *agent)
{
  StunTransactionId id;

  if (self->state != ICS_STUN_ASKING)
    return;
  memcpy (id, self->data + STUN_ID_OFFSET, STUN_ID_LEN);
  stun_agent_forget_transaction (agent, id);
  self->state = ICS_STUN_SILENT;
}

gboolean
ics_stun_transaction_handle_timeout (IcsStunTransaction *self, StunAgent *agent, gint64 now)
{
  if (self->state != ICS_STUN_ASKING || self->sent < ICS_STUN_RC || now < self->due)
    return FALSE;
  ics_stun_transaction_cancel (self, agent);
  return TRUE;
}

gint64
ics_stun_transaction_next_timeout (const IcsStunTransaction *self)
{
  return self->state == ICS_STUN_ASKING ? self->due : G_MAXINT64;
}

static gboolean
find_address (StunMessage *message, StunAttribute type, gboolean xored, IcsSockaddr *address)
{
  struct sockaddr_storage storage = { 0 };
  socklen_t len = sizeof storage;
  StunMessageReturn found = xored ? stun_message_find_xor_addr (message, type, &storage, &len)
                                  : stun_message_find_addr (message, type, &storage, &len);

  return found == STUN_MESSAGE_RETURN_SUCCESS && ics_sockaddr_set (address, (struct sockaddr *)&storage);
}

gboolean
ics_stun_transaction_read (IcsStunTransaction *self, StunAgent *agent, const guint8 *data, gsize len,
                           const IcsSockaddr *from, IcsStunReply *reply)
{
  gboolean unchanged
      = self->question.change != ICS_STUN_CHANGE_NONE && ics_sockaddr_equal (from, &self->question.to, TRUE);
  StunMessage message;

  /* libnice forgets the id of what it has validated, so the source comes first. */
  if (self->state != ICS_STUN_ASKING || len < STUN_ID_OFFSET + STUN_ID_LEN
      || memcmp (data + STUN_ID_OFFSET, self->data + STUN_ID_OFFSET, STUN_ID_LEN) != 0
      || !(unchanged || ics_sockaddr_equal (from, &self->question.from, TRUE))
      || stun_agent_validate (agent, &message, data, len, NULL, NULL) != STUN_VALIDATION_SUCCESS
      || stun_message_get_method (&message) != STUN_BINDING)
    return FALSE;
  if (unchanged || stun_message_get_class (&message) != STUN_RESPONSE
      || !(find_address (&message, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, TRUE, &reply->mapped)
           || find_address (&message, STUN_ATTRIBUTE_MAPPED_ADDRESS, FALSE, &reply->mapped)))
    {
      self->state = ICS_STUN_REFUSED;
      return TRUE;
    }
  reply->has_other = find_address (&message, STUN_ATTRIBUTE_OTHER_ADDRESS, FALSE, &reply->other);
  self->state = ICS_STUN_ANSWERED;
  return TRUE;
}

gboolean
ics_stun_transaction_is_request (const IcsStunTransaction *self, const guint8 *data, gsize len)
{
  return self->state == ICS_STUN_ASKING && len == self->len && memcmp (data, self->data, len) == 0;
}
