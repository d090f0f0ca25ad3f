/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/turn-answer.h"
#include "base/wire.h"
#include <string.h>

#define MAGIC_COOKIE 0x2112A442 /* RFC 8489 §5 */
#define TRANSACTION_ID_LEN 12

#define ATTRIBUTE_ERROR_CODE 0x0009       /* RFC 8489 §14.8 */
#define ATTRIBUTE_ALTERNATE_DOMAIN 0x8003 /* §14.16 */
#define ATTRIBUTE_ALTERNATE_SERVER 0x8023 /* §14.15 */

#define FAMILY_IPV4 1
#define FAMILY_IPV6 2

static void
read_error_code (IcsTurnAnswer *self, IcsSpan value)
{
  IcsReader reader;
  guint class, number;

  ics_reader_init (&reader, value.data, value.len);
  ics_reader_u16 (&reader);
  class = ics_reader_u8 (&reader) & 7;
  number = ics_reader_u8 (&reader);
  if (!reader.failed && class >= 3 && class <= 6 && number < 100)
    self->code = 100 * class + number;
}

/* Like MAPPED-ADDRESS (§14.1): the address stands there as it is. */
static void
read_alternate_server (IcsTurnAnswer *self, IcsSpan value)
{
  IcsReader reader;
  guint16 port;
  guint8 family;
  gsize len;
  IcsSpan address;

  ics_reader_init (&reader, value.data, value.len);
  ics_reader_u8 (&reader);
  family = ics_reader_u8 (&reader);
  port = ics_reader_u16 (&reader);
  len = family == FAMILY_IPV4 ? 4 : 16;
  address = ics_reader_bytes (&reader, len);
  if (!ics_reader_finish (&reader) || (family != FAMILY_IPV4 && family != FAMILY_IPV6))
    return;
  memcpy (self->alternate, address.data, len);
  self->alternate_len = len;
  self->alternate_port = port;
}

static void
read_alternate_domain (IcsTurnAnswer *self, IcsSpan value)
{
  if (value.len >= sizeof self->alternate_domain)
    return;
  for (gsize i = 0; i < value.len; i++)
    if (!g_ascii_isalnum (value.data[i]) && strchr ("-._", value.data[i]) == NULL)
      return;
  memcpy (self->alternate_domain, value.data, value.len);
  self->alternate_domain[value.len] = '\0';
}

static void
read_attribute (IcsTurnAnswer *self, guint16 type, IcsSpan value)
{
  if (type == ATTRIBUTE_ERROR_CODE)
    read_error_code (self, value);
  else if (type == ATTRIBUTE_ALTERNATE_SERVER)
    read_alternate_server (self, value);
  else if (type == ATTRIBUTE_ALTERNATE_DOMAIN)
    read_alternate_domain (self, value);
}

/* The class is in bits 4 and 8 of the type, the method in the others (§5, figure 3). */
static void
read_type (IcsTurnAnswer *self, guint16 type)
{
  self->class = (IcsStunClass)((type >> 4 & 1) | (type >> 7 & 2));
  self->method = (type & 0xf) | (type >> 1 & 0x70) | (type >> 2 & 0xf80);
}

gboolean
ics_turn_answer_parse (IcsTurnAnswer *self, const guint8 *data, gsize len)
{
  IcsReader reader;
  guint16 type, body;

  memset (self, 0, sizeof *self);
  ics_reader_init (&reader, data, len);
  type = ics_reader_u16 (&reader);
  body = ics_reader_u16 (&reader);
  if ((type & 0xc000) != 0 || ics_reader_u32 (&reader) != MAGIC_COOKIE)
    return FALSE;
  ics_reader_bytes (&reader, TRANSACTION_ID_LEN);
  if (reader.failed || ics_reader_remaining (&reader) != body || body % 4 != 0)
    return FALSE;
  read_type (self, type);
  while (ics_reader_remaining (&reader) > 0)
    {
      guint16 attribute = ics_reader_u16 (&reader);
      IcsSpan value = ics_reader_blob16 (&reader);

      ics_reader_bytes (&reader, -value.len % 4);
      if (reader.failed)
        return FALSE;
      read_attribute (self, attribute, value);
    }
  return TRUE;
}

/* --- what it comes to --- */

static gboolean
is_challenge (guint code)
{
  return code == ICS_TURN_UNAUTHENTICATED || code == ICS_TURN_INTEGRITY_CHECK_FAILURE
         || code == ICS_TURN_STALE_NONCE;
}

gboolean
ics_turn_verdict_take (IcsTurnVerdict *self, const IcsTurnAnswer *answer)
{
  if (answer->method != ICS_TURN_ALLOCATE || self->allocated)
    return FALSE;
  if (answer->class == ICS_STUN_SUCCESS)
    {
      self->allocated = TRUE;
      return FALSE;
    }
  if (answer->class != ICS_STUN_ERROR)
    return FALSE;
  self->code = answer->code;
  if (!is_challenge (answer->code))
    return TRUE;
  self->n_challenges++;
  /* A nonce may grow old between the challenge and the answer to it. */
  return self->n_challenges > (answer->code == ICS_TURN_STALE_NONCE ? 2 : 1);
}

static const char *
explain (guint code)
{
  switch (code)
    {
    case ICS_TURN_TRY_ALTERNATE:
      return "it names another server";
    case ICS_TURN_UNAUTHENTICATED:
    case ICS_TURN_INTEGRITY_CHECK_FAILURE:
    case ICS_TURN_WRONG_CREDENTIALS:
      return "wrong or expired credentials";
    case ICS_TURN_STALE_NONCE:
      return "wrong or expired credentials; it takes no nonce of its own";
    case ICS_TURN_FORBIDDEN:
      return "it forbids that to this user or host";
    case ICS_TURN_ALLOCATION_MISMATCH:
      return "it takes this for a second allocation";
    case ICS_TURN_FAMILY_NOT_SUPPORTED:
      return "it has no relay of this address family";
    case ICS_TURN_UNSUPPORTED_TRANSPORT:
      return "it does not relay UDP";
    case ICS_TURN_QUOTA_REACHED:
      return "this user has as many allocations as it allows";
    case ICS_TURN_INSUFFICIENT_CAPACITY:
      return "it has no capacity left";
    default:
      return "it says so without a reason known here";
    }
}

char *
ics_turn_verdict_cause (const IcsTurnVerdict *self)
{
  if (self->allocated || self->code == 0)
    return NULL;
  if (self->n_challenges == 1 && is_challenge (self->code))
    return g_strdup_printf ("it asked for credentials and then said nothing (%u)", self->code);
  return g_strdup_printf ("%s (%u)", explain (self->code), self->code);
}
