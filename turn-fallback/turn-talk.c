/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "turn-fallback/turn-talk.h"
#include "turn-fallback/turn-family.h"
#include "turn-fallback/turn-stream.h"
#include <string.h>

/* Of an answer before the allocation; more is no answer to what was asked. */
#define REQUEST_MAX ICS_TURN_STREAM_KEPT

struct _IcsTurnTalk
{
  IcsTurnStream from_client, from_server;
  IcsTurnVerdict verdict;
  guint8 request[REQUEST_MAX]; /* the client's last one before the allocation */
  gsize request_len;
  const char *password;
  gboolean ipv6;                /* that is what the server is asked for */
  gboolean blind, blind_client; /* that stream can not be read */
  guint told;                   /* events that are told only once, as bits */
};

IcsTurnTalk *
ics_turn_talk_new (const char *password)
{
  IcsTurnTalk *self = g_new0 (IcsTurnTalk, 1);

  self->password = password;
  return self;
}

void
ics_turn_talk_free (IcsTurnTalk *self)
{
  g_free (self);
}

gboolean
ics_turn_talk_has_allocated (const IcsTurnTalk *self)
{
  return self->verdict.allocated;
}

const IcsTurnVerdict *
ics_turn_talk_get_verdict (const IcsTurnTalk *self)
{
  return &self->verdict;
}

static GBytes *
for_ipv6 (const IcsTurnTalk *self)
{
  return ics_turn_family_ask_ipv6 (self->request, self->request_len, self->password);
}

/* The client's request as the server is to get it. */
static GBytes *
get_request (const IcsTurnTalk *self)
{
  GBytes *other = self->ipv6 ? for_ipv6 (self) : NULL;

  return other != NULL ? other : g_bytes_new (self->request, self->request_len);
}

static void
append_request (const IcsTurnTalk *self, GByteArray *pass)
{
  g_autoptr (GBytes) request = get_request (self);

  g_byte_array_append (pass, g_bytes_get_data (request, NULL), (guint)g_bytes_get_size (request));
}

/* What is no longer to be altered: the begin of a message, and what follows. */
static void
append_rest (IcsTurnTalk *self, const guint8 *data, gsize len, GByteArray *pass)
{
  IcsTurnStream *stream = &self->from_client;

  g_byte_array_append (pass, stream->kept, (guint)MIN (stream->have, sizeof stream->kept));
  g_byte_array_append (pass, data, (guint)len);
  stream->have = 0;
}

void
ics_turn_talk_from_client (IcsTurnTalk *self, const guint8 *data, gsize len, GByteArray *pass)
{
  gboolean alters = self->ipv6 && pass != NULL;
  IcsTurnFrame frame;

  if (!alters && pass != NULL)
    g_byte_array_append (pass, data, (guint)len);
  while (len > 0 && !self->blind_client && !self->verdict.allocated)
    {
      self->blind_client = !ics_turn_stream_take (&self->from_client, data, len, &frame);
      if (frame.stun.len > 0)
        {
          memcpy (self->request, frame.stun.data, frame.stun.len);
          self->request_len = frame.stun.len;
        }
      if (frame.stun.len > 0 && alters)
        append_request (self, pass);
      data += frame.used;
      len -= frame.used;
    }
  if (alters && (self->blind_client || self->verdict.allocated))
    append_rest (self, data, len, pass);
}

/* Once of each kind: a client repeats what was refused. */
static IcsTurnTalkEvent
once (IcsTurnTalk *self, IcsTurnTalkEvent event)
{
  guint bit = 1u << event;

  if ((self->told & bit) != 0)
    return ICS_TURN_TALK_NOTHING;
  self->told |= bit;
  return event;
}

static gboolean
lacks_ipv4 (const IcsTurnTalk *self, const IcsTurnAnswer *answer)
{
  g_autoptr (GBytes) other = NULL;

  /* A message that is half passed on can not be altered. */
  if (self->ipv6 || self->from_client.have > 0 || answer->class != ICS_STUN_ERROR
      || answer->method != ICS_TURN_ALLOCATE || answer->code != ICS_TURN_FAMILY_NOT_SUPPORTED)
    return FALSE;
  other = for_ipv6 (self);
  return other != NULL;
}

static IcsTurnTalkEvent
judge_negotiation (IcsTurnTalk *self, const IcsTurnAnswer *answer)
{
  gboolean elsewhere = answer->class == ICS_STUN_ERROR && answer->method == ICS_TURN_ALLOCATE
                       && answer->code == ICS_TURN_TRY_ALTERNATE;
  gboolean other = lacks_ipv4 (self, answer);

  if (elsewhere || other)
    {
      self->ipv6 = other;
      return elsewhere ? ICS_TURN_TALK_REDIRECTED : ICS_TURN_TALK_OTHER_FAMILY;
    }
  return ics_turn_verdict_take (&self->verdict, answer) ? once (self, ICS_TURN_TALK_REFUSED)
                                                        : ICS_TURN_TALK_NOTHING;
}

static IcsTurnTalkEvent
judge (IcsTurnTalk *self, const IcsTurnAnswer *answer)
{
  if (!self->verdict.allocated)
    return judge_negotiation (self, answer);
  if (answer->class != ICS_STUN_ERROR || answer->code == ICS_TURN_STALE_NONCE)
    return ICS_TURN_TALK_NOTHING;
  if (answer->code == ICS_TURN_ALLOCATION_MISMATCH || answer->method == ICS_TURN_REFRESH)
    return once (self, ICS_TURN_TALK_LOST);
  if (answer->code == ICS_TURN_FORBIDDEN)
    return once (self, ICS_TURN_TALK_FORBIDDEN);
  return ICS_TURN_TALK_NOTHING;
}

/* Before the allocation whole messages only are passed on, so that one can be kept back. */
static IcsTurnTalkEvent
pass_negotiation (IcsTurnTalk *self, const IcsTurnFrame *frame, GByteArray *pass, IcsTurnAnswer *answer)
{
  IcsTurnTalkEvent event;

  if (!frame->complete && !frame->channel_data)
    return ICS_TURN_TALK_NOTHING;
  if (frame->stun.len == 0 || !ics_turn_answer_parse (answer, frame->stun.data, frame->stun.len))
    return ICS_TURN_TALK_BROKEN;
  event = judge (self, answer);
  if (event != ICS_TURN_TALK_REDIRECTED && event != ICS_TURN_TALK_OTHER_FAMILY)
    g_byte_array_append (pass, frame->stun.data, (guint)frame->stun.len);
  return event;
}

static IcsTurnTalkEvent
pass_data (IcsTurnTalk *self, const guint8 *data, const IcsTurnFrame *frame, GByteArray *pass,
           IcsTurnAnswer *answer)
{
  g_byte_array_append (pass, data, (guint)frame->used);
  if (frame->stun.len == 0 || !ics_turn_answer_parse (answer, frame->stun.data, frame->stun.len))
    return ICS_TURN_TALK_NOTHING;
  return judge (self, answer);
}

gsize
ics_turn_talk_from_server (IcsTurnTalk *self, const guint8 *data, gsize len, GByteArray *pass,
                           IcsTurnTalkEvent *event, IcsTurnAnswer *answer)
{
  gsize used = 0;

  *event = ICS_TURN_TALK_NOTHING;
  while (used < len && *event == ICS_TURN_TALK_NOTHING && !self->blind)
    {
      IcsTurnFrame frame;

      if (!ics_turn_stream_take (&self->from_server, data + used, len - used, &frame))
        {
          self->blind = TRUE;
          *event = self->verdict.allocated ? ICS_TURN_TALK_NOTHING : ICS_TURN_TALK_BROKEN;
          break;
        }
      *event = self->verdict.allocated ? pass_data (self, data + used, &frame, pass, answer)
                                       : pass_negotiation (self, &frame, pass, answer);
      used += frame.used;
    }
  if (*event != ICS_TURN_TALK_NOTHING)
    return used;
  /* What can not be read is passed on as it is. */
  g_byte_array_append (pass, data + used, (guint)(len - used));
  return len;
}

GBytes *
ics_turn_talk_begin_anew (IcsTurnTalk *self)
{
  memset (&self->from_server, 0, sizeof self->from_server);
  memset (&self->verdict, 0, sizeof self->verdict);
  self->blind = FALSE;
  return get_request (self);
}

static gboolean
is_inner (GInetAddress *address)
{
  const guint8 *bytes = g_inet_address_to_bytes (address);
  gboolean ipv4 = g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV4;

  /* RFC 6598's shared addresses, RFC 4193's unique local ones. */
  return g_inet_address_get_is_site_local (address) || g_inet_address_get_is_link_local (address)
         || (ipv4 ? bytes[0] == 100 && (bytes[1] & 0xc0) == 64 : (bytes[0] & 0xfe) == 0xfc);
}

/* An IPv4 address in IPv6's clothes would pass for a public one. */
static gboolean
is_mapped (GInetAddress *address)
{
  static const guint8 prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

  return g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6
         && memcmp (g_inet_address_to_bytes (address), prefix, sizeof prefix) == 0;
}

gboolean
ics_turn_talk_may_redirect (GInetAddress *from, const IcsTurnAnswer *answer)
{
  g_autoptr (GInetAddress) to = NULL;

  if (answer->alternate_len == 0 || answer->alternate_port == 0)
    return FALSE;
  to = g_inet_address_new_from_bytes (answer->alternate, answer->alternate_len == 4 ? G_SOCKET_FAMILY_IPV4
                                                                                    : G_SOCKET_FAMILY_IPV6);
  if (g_inet_address_get_is_any (to) || g_inet_address_get_is_multicast (to) || is_mapped (to))
    return FALSE;
  if (g_inet_address_get_is_loopback (to))
    return from != NULL && g_inet_address_get_is_loopback (from);
  return !is_inner (to) || (from != NULL && (is_inner (from) || g_inet_address_get_is_loopback (from)));
}
